using System.Runtime.InteropServices;

namespace Kernels.Native;

// Copies between and inside host and device memory.
public static unsafe partial class Driver
{
    /// <summary>Copies between any two addresses; synchronous.</summary>
    [LibraryImport(Library, EntryPoint = "cuMemcpy")]
    public static partial CUresult cuMemcpy(CUdeviceptr dst, CUdeviceptr src, nuint ByteCount);

    /// <summary>Copies between any two addresses on a stream.</summary>
    [LibraryImport(Library, EntryPoint = "cuMemcpyAsync")]
    public static partial CUresult cuMemcpyAsync(CUdeviceptr dst, CUdeviceptr src, nuint ByteCount, CUstream hStream);

    /// <summary>Copies host to device; synchronous.</summary>
    [LibraryImport(Library, EntryPoint = "cuMemcpyHtoD_v2")]
    public static partial CUresult cuMemcpyHtoD_v2(CUdeviceptr dstDevice, void* srcHost, nuint ByteCount);

    /// <summary>Copies device to host; synchronous.</summary>
    [LibraryImport(Library, EntryPoint = "cuMemcpyDtoH_v2")]
    public static partial CUresult cuMemcpyDtoH_v2(void* dstHost, CUdeviceptr srcDevice, nuint ByteCount);

    /// <summary>Copies device to device.</summary>
    [LibraryImport(Library, EntryPoint = "cuMemcpyDtoD_v2")]
    public static partial CUresult cuMemcpyDtoD_v2(CUdeviceptr dstDevice, CUdeviceptr srcDevice, nuint ByteCount);

    /// <summary>Copies host to device on a stream; asynchronous only from page-locked memory.</summary>
    [LibraryImport(Library, EntryPoint = "cuMemcpyHtoDAsync_v2")]
    public static partial CUresult cuMemcpyHtoDAsync_v2(CUdeviceptr dstDevice, void* srcHost, nuint ByteCount, CUstream hStream);

    /// <summary>Copies device to host on a stream; asynchronous only to page-locked memory.</summary>
    [LibraryImport(Library, EntryPoint = "cuMemcpyDtoHAsync_v2")]
    public static partial CUresult cuMemcpyDtoHAsync_v2(void* dstHost, CUdeviceptr srcDevice, nuint ByteCount, CUstream hStream);

    /// <summary>Copies device to device on a stream.</summary>
    [LibraryImport(Library, EntryPoint = "cuMemcpyDtoDAsync_v2")]
    public static partial CUresult cuMemcpyDtoDAsync_v2(CUdeviceptr dstDevice, CUdeviceptr srcDevice, nuint ByteCount, CUstream hStream);

    /// <summary>Copies a pitched rectangle; synchronous.</summary>
    [LibraryImport(Library, EntryPoint = "cuMemcpy2D_v2")]
    public static partial CUresult cuMemcpy2D_v2(CUDA_MEMCPY2D* pCopy);

    /// <summary>Copies a pitched rectangle on a stream.</summary>
    [LibraryImport(Library, EntryPoint = "cuMemcpy2DAsync_v2")]
    public static partial CUresult cuMemcpy2DAsync_v2(CUDA_MEMCPY2D* pCopy, CUstream hStream);
}
