namespace Kernels.Runtime;

/// <summary>
/// Something that lives in a device's context: disposed once, however often <see cref="Dispose"/> is called, and in any order with
/// the others. Where it is forgotten, its finalizer leaves a note of what to release; no finalizer calls the driver.
/// </summary>
public abstract class DeviceResource : IDisposable
{
    private readonly DeviceContext _context;
    private readonly string? _site;
    private int _disposed = 1; // until the constructor below is through: then there is something to release

    private protected DeviceResource(Device device)
    {
        ArgumentNullException.ThrowIfNull(device);
        ObjectDisposedException.ThrowIf(device.IsDisposed, device);
        Device = device;
        _context = device.Context;
        _context.AddReference();
        if (LeakTracking.CaptureSites)
            _site = Environment.StackTrace;
        _disposed = 0;
    }

    /// <summary>Leaves a note of what to release and counts a leak.</summary>
    ~DeviceResource()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
            return;
        ReleaseRecipe recipe = GetRecipe();
        if (recipe.Kind != ReleaseKind.None)
            LeakTracking.Count(GetType(), _site);
        Reclamation.Enqueue(_context, recipe);
    }

    /// <summary>The device it lives on.</summary>
    public Device Device { get; }

    /// <summary>Whether <see cref="Dispose"/> was called.</summary>
    public bool IsDisposed => _disposed != 0;

    /// <summary>
    /// Releases it. Errors of the driver are not thrown here: after a failed kernel every call of the context fails, and the
    /// failure has been reported where it was found.
    /// </summary>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
            return;
        GC.SuppressFinalize(this);
        GetRecipe().Execute(_context);
        _context.Release();
    }

    /// <summary>What there is to release; <see cref="ReleaseKind.None"/> for borrowed handles.</summary>
    private protected abstract ReleaseRecipe GetRecipe();

    internal void ThrowIfDisposed() => ObjectDisposedException.ThrowIf(_disposed != 0, this);

    private protected CudaException Error(Native.CUresult result, string call, string? details = null, Stream? stream = null) =>
        CudaException.Create(result, call, Device.Ordinal, details, stream);
}
