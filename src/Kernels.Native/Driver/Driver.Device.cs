using System.Runtime.InteropServices;

namespace Kernels.Native;

// Devices: enumeration and properties.
public static unsafe partial class Driver
{
    /// <summary>Handle of the device with this ordinal.</summary>
    [LibraryImport(Library, EntryPoint = "cuDeviceGet")]
    public static partial CUresult cuDeviceGet(CUdevice* device, int ordinal);

    /// <summary>Number of devices of compute capability 2.0 and above.</summary>
    [LibraryImport(Library, EntryPoint = "cuDeviceGetCount")]
    public static partial CUresult cuDeviceGetCount(int* count);

    /// <summary>Writes the device's zero-terminated name into a buffer of <paramref name="len"/> bytes.</summary>
    [LibraryImport(Library, EntryPoint = "cuDeviceGetName")]
    public static partial CUresult cuDeviceGetName(byte* name, int len, CUdevice dev);

    /// <summary>The device's UUID; inside a MIG instance, that of the instance.</summary>
    [LibraryImport(Library, EntryPoint = "cuDeviceGetUuid_v2")]
    public static partial CUresult cuDeviceGetUuid_v2(CUuuid* uuid, CUdevice dev);

    /// <summary>Bytes of memory on the device.</summary>
    [LibraryImport(Library, EntryPoint = "cuDeviceTotalMem_v2")]
    public static partial CUresult cuDeviceTotalMem_v2(nuint* bytes, CUdevice dev);

    /// <summary>One attribute of the device.</summary>
    [LibraryImport(Library, EntryPoint = "cuDeviceGetAttribute")]
    public static partial CUresult cuDeviceGetAttribute(int* pi, CUdevice_attribute attrib, CUdevice dev);

    /// <summary>Writes the zero-terminated PCI id (<c>domain:bus:device.function</c>) into a buffer of <paramref name="len"/> bytes.</summary>
    [LibraryImport(Library, EntryPoint = "cuDeviceGetPCIBusId")]
    public static partial CUresult cuDeviceGetPCIBusId(byte* pciBusId, int len, CUdevice dev);

    /// <summary>Writes 1 where <paramref name="dev"/> can address memory of <paramref name="peerDev"/>, else 0.</summary>
    [LibraryImport(Library, EntryPoint = "cuDeviceCanAccessPeer")]
    public static partial CUresult cuDeviceCanAccessPeer(int* canAccessPeer, CUdevice dev, CUdevice peerDev);

    /// <summary>The device's default memory pool.</summary>
    [LibraryImport(Library, EntryPoint = "cuDeviceGetDefaultMemPool")]
    public static partial CUresult cuDeviceGetDefaultMemPool(CUmemoryPool* pool_out, CUdevice dev);

    /// <summary>The device's current memory pool.</summary>
    [LibraryImport(Library, EntryPoint = "cuDeviceGetMemPool")]
    public static partial CUresult cuDeviceGetMemPool(CUmemoryPool* pool, CUdevice dev);

    /// <summary>Makes a pool the one that <c>cuMemAllocAsync</c> uses on the device.</summary>
    [LibraryImport(Library, EntryPoint = "cuDeviceSetMemPool")]
    public static partial CUresult cuDeviceSetMemPool(CUdevice dev, CUmemoryPool pool);
}
