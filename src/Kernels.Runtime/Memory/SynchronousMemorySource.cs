using Kernels.Native;

namespace Kernels.Runtime;

/// <summary><c>cuMemAlloc</c> and <c>cuMemFree</c>. The latter waits for the device, so that pools release seldom.</summary>
public sealed unsafe class SynchronousMemorySource : IDeviceMemorySource
{
    /// <summary>The source; it has no state.</summary>
    public static SynchronousMemorySource Instance { get; } = new();

    /// <inheritdoc/>
    public bool TryAllocate(Device device, long bytes, Stream stream, out CUdeviceptr pointer)
    {
        ArgumentNullException.ThrowIfNull(device);
        CUdeviceptr allocated;
        CUresult result = Driver.cuMemAlloc_v2(&allocated, (nuint)bytes);
        pointer = allocated;
        if (result is not (CUresult.CUDA_SUCCESS or CUresult.CUDA_ERROR_OUT_OF_MEMORY))
            throw CudaException.Create(result, "cuMemAlloc_v2", device.Ordinal, $"bytesize {bytes}");
        return result == CUresult.CUDA_SUCCESS;
    }

    /// <inheritdoc/>
    public void Free(Device device, CUdeviceptr pointer, long bytes) => _ = Driver.cuMemFree_v2(pointer);
}
