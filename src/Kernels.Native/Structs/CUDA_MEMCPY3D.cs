namespace Kernels.Native;

#pragma warning disable CS1591 // The fields are those of cuda.h, which documents them.

/// <summary>A copy of a box.</summary>
public unsafe struct CUDA_MEMCPY3D
{
    public nuint srcXInBytes;
    public nuint srcY;
    public nuint srcZ;
    public nuint srcLOD;
    public CUmemorytype srcMemoryType;
    public void* srcHost;
    public CUdeviceptr srcDevice;
    public CUarray srcArray;
    public void* reserved0;
    public nuint srcPitch;
    public nuint srcHeight;
    public nuint dstXInBytes;
    public nuint dstY;
    public nuint dstZ;
    public nuint dstLOD;
    public CUmemorytype dstMemoryType;
    public void* dstHost;
    public CUdeviceptr dstDevice;
    public CUarray dstArray;
    public void* reserved1;
    public nuint dstPitch;
    public nuint dstHeight;
    public nuint WidthInBytes;
    public nuint Height;
    public nuint Depth;
}
