using System.Runtime.InteropServices;

namespace Kernels.Native;

// Filling device memory.
public static unsafe partial class Driver
{
    /// <summary>Sets <paramref name="N"/> bytes.</summary>
    [LibraryImport(Library, EntryPoint = "cuMemsetD8_v2")]
    public static partial CUresult cuMemsetD8_v2(CUdeviceptr dstDevice, byte uc, nuint N);

    /// <summary>Sets <paramref name="N"/> 16-bit values.</summary>
    [LibraryImport(Library, EntryPoint = "cuMemsetD16_v2")]
    public static partial CUresult cuMemsetD16_v2(CUdeviceptr dstDevice, ushort us, nuint N);

    /// <summary>Sets <paramref name="N"/> 32-bit values.</summary>
    [LibraryImport(Library, EntryPoint = "cuMemsetD32_v2")]
    public static partial CUresult cuMemsetD32_v2(CUdeviceptr dstDevice, uint ui, nuint N);

    /// <summary>Sets <paramref name="N"/> bytes on a stream.</summary>
    [LibraryImport(Library, EntryPoint = "cuMemsetD8Async")]
    public static partial CUresult cuMemsetD8Async(CUdeviceptr dstDevice, byte uc, nuint N, CUstream hStream);

    /// <summary>Sets <paramref name="N"/> 16-bit values on a stream.</summary>
    [LibraryImport(Library, EntryPoint = "cuMemsetD16Async")]
    public static partial CUresult cuMemsetD16Async(CUdeviceptr dstDevice, ushort us, nuint N, CUstream hStream);

    /// <summary>Sets <paramref name="N"/> 32-bit values on a stream.</summary>
    [LibraryImport(Library, EntryPoint = "cuMemsetD32Async")]
    public static partial CUresult cuMemsetD32Async(CUdeviceptr dstDevice, uint ui, nuint N, CUstream hStream);
}
