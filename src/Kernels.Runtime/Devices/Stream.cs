using Kernels.Native;

namespace Kernels.Runtime;

/// <summary>
/// A queue of device work that runs in order. Created, or borrowed from a raw handle and then never destroyed here.
/// </summary>
public sealed unsafe class Stream : DeviceResource
{
    private readonly bool _owned;
    private readonly Lock _poolsGate = new();
    private List<PoolStream>? _pools;
    private ulong _id;
    private bool _hasId;

    private LastLaunch _lastLaunch;

    internal Stream(Device device, int priority)
        : base(device)
    {
        CUstream handle;
        device.MakeCurrent();
        CUresult result = Driver.cuStreamCreateWithPriority(&handle, (uint)CUstream_flags.CU_STREAM_NON_BLOCKING, priority);
        if (result != CUresult.CUDA_SUCCESS)
        {
            Dispose();
            throw Error(result, "cuStreamCreateWithPriority", $"priority {priority}");
        }

        Handle = handle;
        _owned = true;
    }

    private Stream(Device device, CUstream handle)
        : base(device) => Handle = handle;

    /// <summary>Raw handle.</summary>
    public CUstream Handle { get; }

    /// <summary>Id of the stream, unique for the life of the process (handles are reused).</summary>
    public ulong Id
    {
        get
        {
            ThrowIfDisposed();
            if (!_hasId)
            {
                ulong id;
                Device.MakeCurrent();
                ThrowIfFailed(Driver.cuStreamGetId(Handle, &id), "cuStreamGetId");
                _id = id;
                Volatile.Write(ref _hasId, true);
            }

            return _id;
        }
    }

    /// <summary>Whether all work given so far is done.</summary>
    /// <exception cref="CudaException">Some of that work failed.</exception>
    public bool IsCompleted
    {
        get
        {
            ThrowIfDisposed();
            Device.MakeCurrent();
            CUresult result = Driver.cuStreamQuery(Handle);
            if (result == CUresult.CUDA_ERROR_NOT_READY)
                return false;
            ThrowIfFailed(result, "cuStreamQuery");
            return true;
        }
    }

    /// <summary>Whether the stream's work is being captured into a graph.</summary>
    public bool IsCapturing
    {
        get
        {
            ThrowIfDisposed();
            Device.MakeCurrent();
            CUstreamCaptureStatus status;
            ThrowIfFailed(Driver.cuStreamIsCapturing(Handle, &status), "cuStreamIsCapturing");
            return status != CUstreamCaptureStatus.CU_STREAM_CAPTURE_STATUS_NONE;
        }
    }

    /// <summary>Kernel and shape of the last launch, or null.</summary>
    internal string? LastLaunch => _lastLaunch.ToString();

    /// <summary>A stream of somebody else's, which is never destroyed here and must outlive its use.</summary>
    /// <param name="device">Device whose context the stream belongs to.</param>
    /// <param name="handle">Raw handle; 0 is the legacy default stream.</param>
    public static Stream FromHandle(Device device, CUstream handle) => new(device, handle);

    /// <summary>Waits until all work given so far is done.</summary>
    /// <exception cref="CudaException">Some of that work failed; the message names the last kernel launched on the stream.</exception>
    public void Synchronize()
    {
        ThrowIfDisposed();
        Reclamation.Drain();
        Device.MakeCurrent();
        ThrowIfFailed(Driver.cuStreamSynchronize(Handle), "cuStreamSynchronize");
    }

    /// <summary>Makes later work of this stream wait for an event; the host does not wait.</summary>
    public void Wait(Event @event)
    {
        ArgumentNullException.ThrowIfNull(@event);
        @event.ThrowIfDisposed();
        ThrowIfDisposed();
        Device.MakeCurrent();
        ThrowIfFailed(Driver.cuStreamWaitEvent(Handle, @event.Handle, 0), "cuStreamWaitEvent");
    }

    /// <summary>Makes later work of this stream wait for what another stream was given so far; the host does not wait.</summary>
    public void Wait(Stream other)
    {
        ArgumentNullException.ThrowIfNull(other);
        using var @event = new Event(other.Device, timing: false);
        @event.Record(other);
        Wait(@event);
    }

    /// <summary>Handle and id.</summary>
    public override string ToString() => $"stream {Handle} on device {Device.Ordinal}";

    internal void Launched(Kernel kernel, in LaunchConfig config)
    {
        _lastLaunch.Set(kernel, config);
        Device.Context.LastLaunch.Set(kernel, config);
    }

    internal void LaunchedGraph()
    {
        _lastLaunch.SetGraph();
        Device.Context.LastLaunch.SetGraph();
    }

    internal void ThrowIfFailed(CUresult result, string call, string? details = null)
    {
        if (result != CUresult.CUDA_SUCCESS)
            throw Error(result, call, details, this);
    }

    /// <summary>Has a pool told before the stream is destroyed. Called with the pool's lock held.</summary>
    internal void CloseWith(PoolStream pool)
    {
        if (!_owned)
            return;
        lock (_poolsGate)
        {
            _pools ??= [];
            if (!_pools.Contains(pool))
                _pools.Add(pool);
        }
    }

    private PoolStream[]? ClosingPools()
    {
        lock (_poolsGate)
            return _pools?.ToArray();
    }

    internal void ThrowIfUnusable() => ThrowIfDisposed();

    /// <summary>Refuses a stream that was disposed or belongs to another context than a pool, whichever objects stand for it.</summary>
    internal void ThrowIfUnusable(Device device)
    {
        ThrowIfDisposed();
        if (Device.ContextHandle != device.ContextHandle)
            throw new ArgumentException($"{this} is not of the pool's {device}.");
    }

    private protected override ReleaseRecipe GetRecipe() =>
        _owned ? new ReleaseRecipe(ReleaseKind.Stream, (ulong)Handle.Value, ClosingPools()) : default;
}
