using Kernels.Native;

namespace Kernels.Runtime;

/// <summary>
/// The context behind one or more <see cref="Device"/> objects. Counted: the devices and every resource in it hold one reference
/// each, so that they can be disposed in any order and a primary context is released after the last of them.
/// </summary>
internal sealed unsafe class DeviceContext
{
    private static readonly Lock Gate = new();
    private static readonly Dictionary<int, DeviceContext> Primaries = [];

    /// <summary>Set once a foreign context came in: then others switch contexts behind our back and the driver is asked.</summary>
    private static volatile bool _foreignContexts;

    [ThreadStatic]
    private static DeviceContext? _current;

    private readonly bool _isPrimary;
    private int _references = 1;

    private DeviceContext(CUcontext handle, CUdevice device, int ordinal, bool isPrimary)
    {
        Handle = handle;
        DeviceHandle = device;
        Ordinal = ordinal;
        _isPrimary = isPrimary;
    }

    public CUcontext Handle { get; }

    public CUdevice DeviceHandle { get; }

    public int Ordinal { get; }

    /// <summary>Last launch on any stream.</summary>
    public LastLaunch LastLaunch;

    /// <summary>The primary context of a device, retained from the driver once for all who use it.</summary>
    public static DeviceContext OpenPrimary(CUdevice device, int ordinal)
    {
        lock (Gate)
        {
            if (Primaries.TryGetValue(ordinal, out DeviceContext? open) && open.TryAddReference())
                return open;
            CUcontext handle;
            CudaException.ThrowIfFailed(Driver.cuDevicePrimaryCtxRetain(&handle, device), "cuDevicePrimaryCtxRetain", ordinal);
            var context = new DeviceContext(handle, device, ordinal, isPrimary: true);
            Primaries[ordinal] = context;
            return context;
        }
    }

    /// <summary>Somebody else's context, which is never destroyed here.</summary>
    public static DeviceContext Borrow(CUcontext handle, CUdevice device, int ordinal)
    {
        _foreignContexts = true;
        return new DeviceContext(handle, device, ordinal, isPrimary: false);
    }

    /// <summary>Forgets which context this thread has, after foreign code may have changed it.</summary>
    public static void ForgetCurrent() => _current = null;

    /// <summary>Makes the context current on this thread; a comparison where it is.</summary>
    public void MakeCurrent()
    {
        // The object is compared and not the handle: the driver may give a released context's handle to a new one.
        if (!ReferenceEquals(_current, this) || _foreignContexts)
            Switch();
    }

    public void AddReference()
    {
        if (!TryAddReference())
            throw new ObjectDisposedException(nameof(Device), $"Device {Ordinal} was closed and everything on it was disposed.");
    }

    public void Release()
    {
        if (Interlocked.Decrement(ref _references) != 0 || !_isPrimary)
            return;
        lock (Gate)
        {
            if (Primaries.TryGetValue(Ordinal, out DeviceContext? open) && ReferenceEquals(open, this))
                Primaries.Remove(Ordinal);
            // Nothing can be done about a failure here, and the driver releases everything at exit.
            _ = Driver.cuDevicePrimaryCtxRelease_v2(DeviceHandle);
        }
    }

    private bool TryAddReference()
    {
        int references = Volatile.Read(ref _references);
        while (references > 0)
        {
            int seen = Interlocked.CompareExchange(ref _references, references + 1, references);
            if (seen == references)
                return true;
            references = seen;
        }

        return false;
    }

    private void Switch()
    {
        CUcontext current;
        if (_foreignContexts && Driver.cuCtxGetCurrent(&current) == CUresult.CUDA_SUCCESS && current == Handle)
        {
            _current = this;
            return;
        }

        CudaException.ThrowIfFailed(Driver.cuCtxSetCurrent(Handle), "cuCtxSetCurrent", Ordinal);
        _current = this;
    }
}
