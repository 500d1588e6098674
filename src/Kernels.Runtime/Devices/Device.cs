using Kernels.Native;

namespace Kernels.Runtime;

/// <summary>
/// A device and the context in which its memory, streams and modules live. Every call makes that context current on the calling
/// thread by itself, and leaves it current; callers on any thread need not care. Disposal may come in any order: the context
/// stays until the last resource in it is disposed.
/// </summary>
public sealed unsafe class Device : IDisposable
{
    private readonly Lazy<DeviceProperties> _properties;
    private Stream? _defaultStream;
    private int _disposed;

    private Device(DeviceContext context)
    {
        Context = context;
        _properties = new Lazy<DeviceProperties>(() => DeviceProperties.Query(context.DeviceHandle));
    }

    /// <summary>Releases the context's reference at the next allocation or synchronisation where the device was not disposed.</summary>
    ~Device()
    {
        if (_disposed == 0)
            Reclamation.Enqueue(Context, default);
    }

    /// <summary>Number of devices of the driver in use; 0 where the driver reports that there is none.</summary>
    /// <exception cref="LibraryLoadException">There is no driver.</exception>
    /// <exception cref="CudaException">The driver could not be initialised for another reason.</exception>
    public static int Count
    {
        get
        {
            DriverLibrary.Load();
            if (DriverLibrary.InitializationResult == CUresult.CUDA_ERROR_NO_DEVICE)
                return 0;
            CudaException.ThrowIfFailed(DriverLibrary.InitializationResult, "cuInit", null);
            int count;
            CudaException.ThrowIfFailed(Driver.cuDeviceGetCount(&count), "cuDeviceGetCount", null);
            return count;
        }
    }

    /// <summary>Ordinal of the device.</summary>
    public int Ordinal => Context.Ordinal;

    /// <summary>Raw handle of the device.</summary>
    public CUdevice Handle => Context.DeviceHandle;

    /// <summary>Raw handle of the context.</summary>
    public CUcontext ContextHandle => Context.Handle;

    /// <summary>Name, compute capability, sizes and rates.</summary>
    public DeviceProperties Properties => _properties.Value;

    /// <summary>Compute capability.</summary>
    public ComputeCapability ComputeCapability => Properties.ComputeCapability;

    /// <summary>Whether <see cref="Dispose"/> was called.</summary>
    public bool IsDisposed => _disposed != 0;

    /// <summary>The legacy default stream (handle 0), which orders itself after and before all blocking streams. Goes with the device.</summary>
    public Stream DefaultStream
    {
        get
        {
            if (Volatile.Read(ref _defaultStream) is { } known)
                return known;
            Stream created = Stream.FromHandle(this, default);
            if (Interlocked.CompareExchange(ref _defaultStream, created, null) is not { } first)
                return created;
            created.Dispose();
            return first;
        }
    }

    internal DeviceContext Context { get; }

    /// <summary>
    /// Opens a device with its primary context, which the CUDA runtime and every library on it share. The context is retained
    /// once, however often the device is opened.
    /// </summary>
    /// <param name="ordinal">From 0 to <see cref="Count"/> - 1.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no such device.</exception>
    public static Device Open(int ordinal = 0)
    {
        int count = Count;
        if ((uint)ordinal >= (uint)count)
        {
            throw new ArgumentOutOfRangeException(nameof(ordinal), ordinal,
                $"Device {ordinal} does not exist: the driver {DriverLibrary.Path} reports {count}.");
        }

        CUdevice handle;
        CudaException.ThrowIfFailed(Driver.cuDeviceGet(&handle, ordinal), "cuDeviceGet", ordinal, $"ordinal {ordinal}");
        Reclamation.Drain();
        return new Device(DeviceContext.OpenPrimary(handle, ordinal));
    }

    /// <summary>
    /// A device inside somebody else's context, such as that of another CUDA library. The context is never destroyed here and
    /// must outlive everything made on the device.
    /// </summary>
    /// <param name="context">Raw handle of the context.</param>
    public static Device FromContext(CUcontext context)
    {
        ArgumentOutOfRangeException.ThrowIfEqual(context.Value, 0, nameof(context));
        DriverLibrary.Load();
        CUdevice handle;
        CudaException.ThrowIfFailed(Driver.cuCtxPushCurrent_v2(context), "cuCtxPushCurrent_v2", null, $"context {context}");
        CUresult result = Driver.cuCtxGetDevice(&handle);
        CUcontext popped;
        _ = Driver.cuCtxPopCurrent_v2(&popped);
        CudaException.ThrowIfFailed(result, "cuCtxGetDevice", null, $"context {context}");

        int count = Count;
        for (int ordinal = 0; ordinal < count; ordinal++)
        {
            CUdevice candidate;
            CudaException.ThrowIfFailed(Driver.cuDeviceGet(&candidate, ordinal), "cuDeviceGet", ordinal);
            if (candidate == handle)
                return new Device(DeviceContext.Borrow(context, handle, ordinal));
        }

        throw new ArgumentException($"Context {context} belongs to device handle {handle.Value}, which is none of the {count} devices.",
            nameof(context));
    }

    /// <summary>
    /// Tells the library that foreign code may have changed the calling thread's current context. Needed only where such code
    /// sets a context by itself and no device was opened by <see cref="FromContext"/> (after which the driver is always asked).
    /// </summary>
    public static void ForgetCurrentContext() => DeviceContext.ForgetCurrent();

    /// <summary>Makes the device's context current on the calling thread, for raw driver calls that follow.</summary>
    public void MakeCurrent() => Context.MakeCurrent();

    /// <summary>Waits until all work of the context is done.</summary>
    /// <exception cref="CudaException">Some of that work failed; the message names the last kernel launched on the device.</exception>
    public void Synchronize()
    {
        Reclamation.Drain();
        Context.MakeCurrent();
        CUresult result = Driver.cuCtxSynchronize();
        if (result != CUresult.CUDA_SUCCESS)
            throw CudaException.Create(result, "cuCtxSynchronize", Ordinal, CudaException.Blame(result, Context.LastLaunch.ToString(), "device"));
    }

    /// <summary>Free and total bytes of the device's memory at this moment.</summary>
    public (long Free, long Total) GetMemoryInfo()
    {
        Context.MakeCurrent();
        nuint free, total;
        CudaException.ThrowIfFailed(Driver.cuMemGetInfo_v2(&free, &total), "cuMemGetInfo_v2", Ordinal);
        return ((long)free, (long)total);
    }

    /// <summary>Creates a stream that does not order itself with the legacy default stream.</summary>
    /// <param name="priority">Smaller goes first; clamped by the driver to what it has.</param>
    public Stream CreateStream(int priority = 0) => new(this, priority);

    /// <summary>Creates an event.</summary>
    /// <param name="timing">Whether it takes the time; costs a little.</param>
    public Event CreateEvent(bool timing = false) => new(this, timing);

    /// <summary>Allocates device memory straight from the driver; synchronous. See <see cref="DevicePool"/> for a faster way.</summary>
    /// <param name="length">Elements; 0 gives an empty buffer.</param>
    public DeviceBuffer<T> Allocate<T>(long length)
        where T : unmanaged => new(this, length);

    /// <summary>Allocates device memory and copies the elements into it, in order of the stream; returns when that is done.</summary>
    public DeviceBuffer<T> Allocate<T>(ReadOnlySpan<T> elements, Stream stream)
        where T : unmanaged
    {
        var buffer = new DeviceBuffer<T>(this, elements.Length);
        try
        {
            buffer.Span.CopyFrom(elements, stream);
            return buffer;
        }
        catch
        {
            buffer.Dispose();
            throw;
        }
    }

    /// <summary>Allocates page-locked host memory.</summary>
    /// <param name="length">Elements; 0 gives an empty buffer.</param>
    /// <param name="writeCombined">Whether the host only writes it: faster for the device to read, very slow for the host to.</param>
    public PinnedBuffer<T> AllocatePinned<T>(long length, bool writeCombined = false)
        where T : unmanaged => new(this, length, writeCombined);

    /// <summary>Closes the device. Its context is released when the last resource in it is disposed.</summary>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
            return;
        GC.SuppressFinalize(this);
        Volatile.Read(ref _defaultStream)?.Dispose(); // it holds a reference to the context
        Context.Release();
    }

    /// <summary>Ordinal and name.</summary>
    public override string ToString() => $"device {Ordinal} ({Properties.Name})";
}
