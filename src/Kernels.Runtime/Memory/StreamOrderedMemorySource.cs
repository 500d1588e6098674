using Kernels.Native;

namespace Kernels.Runtime;

/// <summary><c>cuMemAllocAsync</c> and <c>cuMemFreeAsync</c>: the driver's own pool, shared with whoever else uses it.</summary>
public sealed unsafe class StreamOrderedMemorySource : IDeviceMemorySource
{
    /// <summary>The source over the device's current driver pool.</summary>
    public static StreamOrderedMemorySource Instance { get; } = new();

    /// <inheritdoc/>
    public bool TryAllocate(Device device, long bytes, Stream stream, out CUdeviceptr pointer)
    {
        ArgumentNullException.ThrowIfNull(device);
        ArgumentNullException.ThrowIfNull(stream);
        CUdeviceptr allocated;
        CUresult result = Driver.cuMemAllocAsync(&allocated, (nuint)bytes, stream.Handle);
        pointer = allocated;
        if (result is not (CUresult.CUDA_SUCCESS or CUresult.CUDA_ERROR_OUT_OF_MEMORY))
            throw CudaException.Create(result, "cuMemAllocAsync", device.Ordinal, $"bytesize {bytes}", stream);
        return result == CUresult.CUDA_SUCCESS;
    }

    /// <inheritdoc/>
    public void Free(Device device, CUdeviceptr pointer, long bytes) => _ = Driver.cuMemFreeAsync(pointer, default);
}
