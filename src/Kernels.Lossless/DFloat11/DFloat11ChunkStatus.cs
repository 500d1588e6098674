namespace Kernels.Lossless;

/// <summary>What the device decoder found wrong with a chunk; the values are those of the kernel.</summary>
public enum DFloat11ChunkStatus
{
    /// <summary>Nothing.</summary>
    Valid = 0,

    /// <summary>The output positions are not rising, beyond the elements, or further apart than the chunk can hold.</summary>
    BadPositions = 1,

    /// <summary>Bits that are no code of the tables.</summary>
    BadCode = 2,

    /// <summary>The number of codes in the chunk is not the number of elements its positions name.</summary>
    BadCount = 3,

    /// <summary>A thread's first code does not start at its gap.</summary>
    BadGap = 4,
}
