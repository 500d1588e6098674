using System.Runtime.InteropServices;

namespace Kernels.Native;

// The primary context, which the CUDA runtime and every library on top of it share.
public static unsafe partial class Driver
{
    /// <summary>Retains the device's primary context and creates it on first use.</summary>
    [LibraryImport(Library, EntryPoint = "cuDevicePrimaryCtxRetain")]
    public static partial CUresult cuDevicePrimaryCtxRetain(CUcontext* pctx, CUdevice dev);

    /// <summary>Releases one retain of the primary context; the last one destroys it.</summary>
    [LibraryImport(Library, EntryPoint = "cuDevicePrimaryCtxRelease_v2")]
    public static partial CUresult cuDevicePrimaryCtxRelease_v2(CUdevice dev);

    /// <summary>Destroys everything in the primary context, whoever else uses it.</summary>
    [LibraryImport(Library, EntryPoint = "cuDevicePrimaryCtxReset_v2")]
    public static partial CUresult cuDevicePrimaryCtxReset_v2(CUdevice dev);

    /// <summary>Flags of the primary context and whether it is active.</summary>
    [LibraryImport(Library, EntryPoint = "cuDevicePrimaryCtxGetState")]
    public static partial CUresult cuDevicePrimaryCtxGetState(CUdevice dev, uint* flags, int* active);

    /// <summary>Sets the flags (<see cref="CUctx_flags"/>) of the primary context.</summary>
    [LibraryImport(Library, EntryPoint = "cuDevicePrimaryCtxSetFlags_v2")]
    public static partial CUresult cuDevicePrimaryCtxSetFlags_v2(CUdevice dev, uint flags);
}
