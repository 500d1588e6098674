using Kernels.Native;

namespace Kernels.Runtime;

/// <summary>One allocation from the upstream source.</summary>
/// <param name="pointer">Address.</param>
/// <param name="size">Bytes.</param>
/// <param name="isSmall">Whether it serves small requests, which do not fragment the segments of large ones.</param>
internal sealed class PoolSegment(CUdeviceptr pointer, long size, bool isSmall)
{
    /// <summary>Every block is a multiple of this, which is also what the driver aligns to at least twice.</summary>
    public const long Granularity = 512;

    /// <summary>Largest request that a small segment serves.</summary>
    public const long LargestSmall = 1 << 20;

    private const long SmallSegment = 2 << 20;
    private const long MiddleRequest = 10 << 20;
    private const long MiddleSegment = 20 << 20;
    private const long LargeGranularity = 2 << 20;

    public CUdeviceptr Pointer { get; } = pointer;

    public long Size { get; } = size;

    public bool IsSmall { get; } = isSmall;

    /// <summary>Bytes of the block for a request.</summary>
    public static long BlockSize(long bytes) => checked((bytes + Granularity - 1) / Granularity * Granularity);

    /// <summary>Bytes to ask the source for so that a block and later ones like it fit.</summary>
    public static long SizeFor(long blockSize) => blockSize switch
    {
        <= LargestSmall => SmallSegment,
        <= MiddleRequest => MiddleSegment,
        _ => checked((blockSize + LargeGranularity - 1) / LargeGranularity * LargeGranularity),
    };
}
