namespace Kernels.Native;

#pragma warning disable CS1591 // The fields are those of cuda.h, which documents them.

/// <summary>A host node of a graph.</summary>
public unsafe struct CUDA_HOST_NODE_PARAMS
{
    public delegate* unmanaged<void*, void> fn;
    public void* userData;
}
