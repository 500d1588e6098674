namespace Kernels.Runtime;

/// <summary>How a <see cref="DevicePool"/> behaves.</summary>
public sealed record DevicePoolOptions
{
    /// <summary>Where memory comes from.</summary>
    public IDeviceMemorySource Source { get; init; } = SynchronousMemorySource.Instance;

    /// <summary>Bytes the pool may hold from its source; null for as many as there are.</summary>
    public long? Limit { get; init; }

    /// <summary>
    /// Called when everything else failed, with the pool and the bytes asked for, outside of the pool's lock; true says that memory
    /// was given back and that another attempt is worth it.
    /// </summary>
    public Func<DevicePool, long, bool>? OnShortage { get; init; }
}
