namespace Kernels.Runtime;

/// <summary>Shape of a launch.</summary>
/// <param name="Grid">Blocks.</param>
/// <param name="Block">Threads of a block.</param>
/// <param name="SharedBytes">Dynamic shared memory of a block; above 48 KiB only after <see cref="Kernel.MaxDynamicSharedBytes"/> was set.</param>
/// <param name="Cooperative">Whether all blocks are resident at once and may synchronise with each other.</param>
public readonly record struct LaunchConfig(Dim3 Grid, Dim3 Block, uint SharedBytes = 0, bool Cooperative = false)
{
    /// <summary>One thread an element: as many blocks as cover <paramref name="count"/>, at least one.</summary>
    public static LaunchConfig Cover(long count, int block)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(block);
        return new LaunchConfig(checked((uint)Math.Max(1, (count + block - 1) / block)), block);
    }

    /// <summary>Grid, block and shared memory.</summary>
    public override string ToString() =>
        $"grid {Grid}, block {Block}, dynamic shared memory {SharedBytes}{(Cooperative ? ", cooperative" : "")}";
}
