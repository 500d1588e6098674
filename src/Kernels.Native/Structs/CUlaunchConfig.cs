namespace Kernels.Native;

#pragma warning disable CS1591 // The fields are those of cuda.h, which documents them.

/// <summary>A launch with attributes.</summary>
public unsafe struct CUlaunchConfig
{
    public uint gridDimX;
    public uint gridDimY;
    public uint gridDimZ;
    public uint blockDimX;
    public uint blockDimY;
    public uint blockDimZ;
    public uint sharedMemBytes;
    public CUstream hStream;
    public CUlaunchAttribute* attrs;
    public uint numAttrs;
}
