using Kernels.Native;

namespace Kernels.Runtime;

/// <summary>A piece of page-locked memory of a <see cref="PinnedPool"/>, with the event that covers its last use.</summary>
internal sealed unsafe class PinnedBlock(void* pointer, long size, CUevent lastUse)
{
    public void* Pointer { get; } = pointer;

    public long Size { get; } = size;

    public CUevent LastUse { get; } = lastUse;

    /// <summary>Stream whose work uses the block.</summary>
    public CUstream Stream { get; set; }
}
