namespace Kernels.Native;

#pragma warning disable CS1591 // The fields are those of cuda.h, which documents them.

/// <summary>A kernel node of a graph.</summary>
public unsafe struct CUDA_KERNEL_NODE_PARAMS
{
    public CUfunction func;
    public uint gridDimX;
    public uint gridDimY;
    public uint gridDimZ;
    public uint blockDimX;
    public uint blockDimY;
    public uint blockDimZ;
    public uint sharedMemBytes;
    public void** kernelParams;
    public void** extra;
    public CUkernel kern;
    public CUcontext ctx;
}
