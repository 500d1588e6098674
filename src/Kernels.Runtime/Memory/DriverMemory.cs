using Kernels.Native;

namespace Kernels.Runtime;

/// <summary>Allocation straight from the driver, with errors that say how much there was.</summary>
internal static unsafe class DriverMemory
{
    public static CUdeviceptr Allocate(Device device, long bytes)
    {
        Reclamation.Drain();
        device.MakeCurrent();
        CUdeviceptr pointer;
        CUresult result = Driver.cuMemAlloc_v2(&pointer, (nuint)bytes);
        if (result == CUresult.CUDA_ERROR_OUT_OF_MEMORY)
        {
            (long free, long total) = device.GetMemoryInfo();
            throw new CudaOutOfMemoryException("cuMemAlloc_v2", device.Ordinal, bytes, free, total);
        }

        CudaException.ThrowIfFailed(result, "cuMemAlloc_v2", device.Ordinal, $"bytesize {bytes}");
        return pointer;
    }

    public static void* AllocatePinned(Device device, long bytes, bool writeCombined)
    {
        Reclamation.Drain();
        device.MakeCurrent();
        void* pointer;
        CUmemhostalloc_flags flags = CUmemhostalloc_flags.CU_MEMHOSTALLOC_PORTABLE | CUmemhostalloc_flags.CU_MEMHOSTALLOC_DEVICEMAP |
            (writeCombined ? CUmemhostalloc_flags.CU_MEMHOSTALLOC_WRITECOMBINED : 0);
        CudaException.ThrowIfFailed(Driver.cuMemHostAlloc(&pointer, (nuint)bytes, (uint)flags), "cuMemHostAlloc", device.Ordinal,
            $"bytesize {bytes}, flags {flags}");
        return pointer;
    }
}
