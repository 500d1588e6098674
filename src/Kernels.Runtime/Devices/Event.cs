using Kernels.Native;

namespace Kernels.Runtime;

/// <summary>A mark in a stream's work that others can wait for and that can take the time. Created, or borrowed.</summary>
public sealed unsafe class Event : DeviceResource
{
    private readonly bool _owned;

    internal Event(Device device, bool timing)
        : base(device)
    {
        CUevent handle;
        device.MakeCurrent();
        CUresult result = Driver.cuEventCreate(&handle,
            (uint)(timing ? CUevent_flags.CU_EVENT_DEFAULT : CUevent_flags.CU_EVENT_DISABLE_TIMING));
        if (result != CUresult.CUDA_SUCCESS)
        {
            Dispose();
            throw Error(result, "cuEventCreate");
        }

        Handle = handle;
        _owned = true;
    }

    private Event(Device device, CUevent handle)
        : base(device) => Handle = handle;

    /// <summary>Raw handle.</summary>
    public CUevent Handle { get; }

    /// <summary>Whether the work that the event marks is done; true where it was never recorded.</summary>
    public bool IsCompleted
    {
        get
        {
            ThrowIfDisposed();
            Device.MakeCurrent();
            CUresult result = Driver.cuEventQuery(Handle);
            return result switch
            {
                CUresult.CUDA_SUCCESS => true,
                CUresult.CUDA_ERROR_NOT_READY => false,
                _ => throw Error(result, "cuEventQuery"),
            };
        }
    }

    /// <summary>An event of somebody else's, which is never destroyed here and must outlive its use.</summary>
    public static Event FromHandle(Device device, CUevent handle) => new(device, handle);

    /// <summary>Milliseconds from one event to another; both with timing, recorded and completed.</summary>
    public static float ElapsedMilliseconds(Event start, Event end)
    {
        ArgumentNullException.ThrowIfNull(start);
        ArgumentNullException.ThrowIfNull(end);
        start.ThrowIfDisposed();
        end.ThrowIfDisposed();
        start.Device.MakeCurrent();
        float milliseconds;
        CUresult result = Driver.cuEventElapsedTime(&milliseconds, start.Handle, end.Handle);
        return result == CUresult.CUDA_SUCCESS
            ? milliseconds
            : throw start.Error(result, "cuEventElapsedTime", $"start {start.Handle}, end {end.Handle}");
    }

    /// <summary>Marks what the stream has been given so far.</summary>
    public void Record(Stream stream)
    {
        ArgumentNullException.ThrowIfNull(stream);
        ThrowIfDisposed();
        stream.ThrowIfUnusable();
        Device.MakeCurrent();
        stream.ThrowIfFailed(Driver.cuEventRecord(Handle, stream.Handle), "cuEventRecord");
    }

    /// <summary>Waits until the marked work is done.</summary>
    public void Synchronize()
    {
        ThrowIfDisposed();
        Reclamation.Drain();
        Device.MakeCurrent();
        CUresult result = Driver.cuEventSynchronize(Handle);
        if (result != CUresult.CUDA_SUCCESS)
            throw Error(result, "cuEventSynchronize", CudaException.Blame(result, Device.Context.LastLaunch.ToString(), "device"));
    }

    private protected override ReleaseRecipe GetRecipe() =>
        _owned ? new ReleaseRecipe(ReleaseKind.Event, Handle.Value) : default;
}
