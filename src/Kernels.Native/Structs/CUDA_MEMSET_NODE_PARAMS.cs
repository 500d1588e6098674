namespace Kernels.Native;

#pragma warning disable CS1591 // The fields are those of cuda.h, which documents them.

/// <summary>A fill node of a graph.</summary>
public unsafe struct CUDA_MEMSET_NODE_PARAMS
{
    public CUdeviceptr dst;
    public nuint pitch;
    public uint value;
    public uint elementSize;
    public nuint width;
    public nuint height;
}
