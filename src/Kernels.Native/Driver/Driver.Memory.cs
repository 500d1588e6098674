using System.Runtime.InteropServices;

namespace Kernels.Native;

// Allocation of device and page-locked memory, and queries by pointer.
public static unsafe partial class Driver
{
    /// <summary>Free and total bytes of the current context's device.</summary>
    [LibraryImport(Library, EntryPoint = "cuMemGetInfo_v2")]
    public static partial CUresult cuMemGetInfo_v2(nuint* free, nuint* total);

    /// <summary>Allocates device memory; synchronous.</summary>
    [LibraryImport(Library, EntryPoint = "cuMemAlloc_v2")]
    public static partial CUresult cuMemAlloc_v2(CUdeviceptr* dptr, nuint bytesize);

    /// <summary>Frees device memory; waits for work that may use it.</summary>
    [LibraryImport(Library, EntryPoint = "cuMemFree_v2")]
    public static partial CUresult cuMemFree_v2(CUdeviceptr dptr);

    /// <summary>Allocates page-locked host memory.</summary>
    [LibraryImport(Library, EntryPoint = "cuMemAllocHost_v2")]
    public static partial CUresult cuMemAllocHost_v2(void** pp, nuint bytesize);

    /// <summary>Allocates page-locked host memory with <see cref="CUmemhostalloc_flags"/>.</summary>
    [LibraryImport(Library, EntryPoint = "cuMemHostAlloc")]
    public static partial CUresult cuMemHostAlloc(void** pp, nuint bytesize, uint Flags);

    /// <summary>Frees page-locked host memory.</summary>
    [LibraryImport(Library, EntryPoint = "cuMemFreeHost")]
    public static partial CUresult cuMemFreeHost(void* p);

    /// <summary>Page-locks existing host memory.</summary>
    [LibraryImport(Library, EntryPoint = "cuMemHostRegister_v2")]
    public static partial CUresult cuMemHostRegister_v2(void* p, nuint bytesize, uint Flags);

    /// <summary>Undoes <see cref="cuMemHostRegister_v2"/>.</summary>
    [LibraryImport(Library, EntryPoint = "cuMemHostUnregister")]
    public static partial CUresult cuMemHostUnregister(void* p);

    /// <summary>Device address of mapped page-locked memory.</summary>
    [LibraryImport(Library, EntryPoint = "cuMemHostGetDevicePointer_v2")]
    public static partial CUresult cuMemHostGetDevicePointer_v2(CUdeviceptr* pdptr, void* p, uint Flags);

    /// <summary>Flags that page-locked memory was allocated with.</summary>
    [LibraryImport(Library, EntryPoint = "cuMemHostGetFlags")]
    public static partial CUresult cuMemHostGetFlags(uint* pFlags, void* p);

    /// <summary>Allocates managed memory; <paramref name="flags"/> is a <see cref="CUmemAttach_flags"/>.</summary>
    [LibraryImport(Library, EntryPoint = "cuMemAllocManaged")]
    public static partial CUresult cuMemAllocManaged(CUdeviceptr* dptr, nuint bytesize, uint flags);

    /// <summary>Base and size of the allocation that contains a device address.</summary>
    [LibraryImport(Library, EntryPoint = "cuMemGetAddressRange_v2")]
    public static partial CUresult cuMemGetAddressRange_v2(CUdeviceptr* pbase, nuint* psize, CUdeviceptr dptr);

    /// <summary>One attribute of an address.</summary>
    [LibraryImport(Library, EntryPoint = "cuPointerGetAttribute")]
    public static partial CUresult cuPointerGetAttribute(void* data, CUpointer_attribute attribute, CUdeviceptr ptr);

    /// <summary>Several attributes of an address; those that do not apply are zero.</summary>
    [LibraryImport(Library, EntryPoint = "cuPointerGetAttributes")]
    public static partial CUresult cuPointerGetAttributes(
        uint numAttributes, CUpointer_attribute* attributes, void** data, CUdeviceptr ptr);
}
