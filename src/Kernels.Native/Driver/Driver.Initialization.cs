using System.Runtime.InteropServices;

namespace Kernels.Native;

// Initialisation, version, error texts and symbol lookup.
public static unsafe partial class Driver
{
    /// <summary>Initialises the driver; must come before every other call. <paramref name="Flags"/> is 0.</summary>
    [LibraryImport(Library, EntryPoint = "cuInit")]
    public static partial CUresult cuInit(uint Flags);

    /// <summary>Newest CUDA version the driver supports, as 1000 x major + 10 x minor.</summary>
    [LibraryImport(Library, EntryPoint = "cuDriverGetVersion")]
    public static partial CUresult cuDriverGetVersion(int* driverVersion);

    /// <summary>Name of an error code as a static, zero-terminated string.</summary>
    [LibraryImport(Library, EntryPoint = "cuGetErrorName")]
    public static partial CUresult cuGetErrorName(CUresult error, byte** pStr);

    /// <summary>Description of an error code as a static, zero-terminated string.</summary>
    [LibraryImport(Library, EntryPoint = "cuGetErrorString")]
    public static partial CUresult cuGetErrorString(CUresult error, byte** pStr);

    /// <summary>Address of a driver function by its unversioned name and the CUDA version it is asked for.</summary>
    [LibraryImport(Library, EntryPoint = "cuGetProcAddress_v2")]
    public static partial CUresult cuGetProcAddress_v2(
        byte* symbol, void** pfn, int cudaVersion, ulong flags, CUdriverProcAddressQueryResult* symbolStatus);
}
