using System.Runtime.InteropServices;

namespace Kernels.Native;

// Kernel launches.
public static unsafe partial class Driver
{
    /// <summary>Launches a kernel; <paramref name="kernelParams"/> holds one pointer to each argument.</summary>
    [LibraryImport(Library, EntryPoint = "cuLaunchKernel")]
    public static partial CUresult cuLaunchKernel(
        CUfunction f, uint gridDimX, uint gridDimY, uint gridDimZ, uint blockDimX, uint blockDimY, uint blockDimZ,
        uint sharedMemBytes, CUstream hStream, void** kernelParams, void** extra);

    /// <summary>Launches a kernel with launch attributes.</summary>
    [LibraryImport(Library, EntryPoint = "cuLaunchKernelEx")]
    public static partial CUresult cuLaunchKernelEx(CUlaunchConfig* config, CUfunction f, void** kernelParams, void** extra);

    /// <summary>Launches a kernel whose blocks are all resident at once and may synchronise.</summary>
    [LibraryImport(Library, EntryPoint = "cuLaunchCooperativeKernel")]
    public static partial CUresult cuLaunchCooperativeKernel(
        CUfunction f, uint gridDimX, uint gridDimY, uint gridDimZ, uint blockDimX, uint blockDimY, uint blockDimZ,
        uint sharedMemBytes, CUstream hStream, void** kernelParams);
}
