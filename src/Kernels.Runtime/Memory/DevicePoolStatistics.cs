namespace Kernels.Runtime;

/// <summary>State and counters of a <see cref="DevicePool"/> at one moment.</summary>
public readonly record struct DevicePoolStatistics
{
    /// <summary>Bytes of blocks that are allocated, rounded as the pool rounds.</summary>
    public long BytesInUse { get; init; }

    /// <summary>Bytes held from the upstream source.</summary>
    public long BytesReserved { get; init; }

    /// <summary>Largest <see cref="BytesInUse"/> so far.</summary>
    public long PeakInUse { get; init; }

    /// <summary>Largest <see cref="BytesReserved"/> so far.</summary>
    public long PeakReserved { get; init; }

    /// <summary>Largest block that is free now.</summary>
    public long LargestFree { get; init; }

    /// <summary>Blocks allocated now.</summary>
    public long BlocksInUse { get; init; }

    /// <summary>Pieces held from the upstream source.</summary>
    public long Segments { get; init; }

    /// <summary>Allocations served from reserved memory.</summary>
    public long Hits { get; init; }

    /// <summary>Allocations for which the pool had to grow.</summary>
    public long Misses { get; init; }

    /// <summary>Hits with a block that another stream freed and was done with.</summary>
    public long HitsFromOtherStreams { get; init; }

    /// <summary>Hits with a block that another stream freed and for whose event this one was made to wait.</summary>
    public long Waits { get; init; }

    /// <summary>Times the out-of-memory ladder was climbed.</summary>
    public long MemoryShortages { get; init; }
}
