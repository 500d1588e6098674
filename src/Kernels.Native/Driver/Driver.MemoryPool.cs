using System.Runtime.InteropServices;

namespace Kernels.Native;

// Stream-ordered allocation and the driver's memory pools.
public static unsafe partial class Driver
{
    /// <summary>Allocates from the device's current pool in stream order.</summary>
    [LibraryImport(Library, EntryPoint = "cuMemAllocAsync")]
    public static partial CUresult cuMemAllocAsync(CUdeviceptr* dptr, nuint bytesize, CUstream hStream);

    /// <summary>Frees in stream order.</summary>
    [LibraryImport(Library, EntryPoint = "cuMemFreeAsync")]
    public static partial CUresult cuMemFreeAsync(CUdeviceptr dptr, CUstream hStream);

    /// <summary>Allocates from a given pool in stream order.</summary>
    [LibraryImport(Library, EntryPoint = "cuMemAllocFromPoolAsync")]
    public static partial CUresult cuMemAllocFromPoolAsync(CUdeviceptr* dptr, nuint bytesize, CUmemoryPool pool, CUstream hStream);

    /// <summary>Creates a pool.</summary>
    [LibraryImport(Library, EntryPoint = "cuMemPoolCreate")]
    public static partial CUresult cuMemPoolCreate(CUmemoryPool* pool, CUmemPoolProps* poolProps);

    /// <summary>Destroys a pool; memory that is still allocated from it is released when it is freed.</summary>
    [LibraryImport(Library, EntryPoint = "cuMemPoolDestroy")]
    public static partial CUresult cuMemPoolDestroy(CUmemoryPool pool);

    /// <summary>Releases reserved memory until <paramref name="minBytesToKeep"/> bytes are left or nothing is releasable.</summary>
    [LibraryImport(Library, EntryPoint = "cuMemPoolTrimTo")]
    public static partial CUresult cuMemPoolTrimTo(CUmemoryPool pool, nuint minBytesToKeep);

    /// <summary>Sets one attribute of a pool.</summary>
    [LibraryImport(Library, EntryPoint = "cuMemPoolSetAttribute")]
    public static partial CUresult cuMemPoolSetAttribute(CUmemoryPool pool, CUmemPool_attribute attr, void* value);

    /// <summary>Reads one attribute of a pool.</summary>
    [LibraryImport(Library, EntryPoint = "cuMemPoolGetAttribute")]
    public static partial CUresult cuMemPoolGetAttribute(CUmemoryPool pool, CUmemPool_attribute attr, void* value);
}
