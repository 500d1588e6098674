using Kernels.Native;

namespace Kernels.Runtime;

/// <summary>
/// Where a <see cref="DevicePool"/> takes memory from. Implementations compose: one may pass calls on to another, count them, or
/// let them fail. The pool calls with the device's context current and never from two threads at once.
/// </summary>
public interface IDeviceMemorySource
{
    /// <summary>Allocates memory that may be used on the stream from here on, and on others after they wait for it.</summary>
    /// <param name="device">Device of the pool.</param>
    /// <param name="bytes">Size.</param>
    /// <param name="stream">Stream that the memory is first used on.</param>
    /// <param name="pointer">Address, aligned to 256 bytes or more.</param>
    /// <returns>False where there is not enough memory.</returns>
    /// <exception cref="CudaException">The allocation failed for another reason.</exception>
    bool TryAllocate(Device device, long bytes, Stream stream, out CUdeviceptr pointer);

    /// <summary>Frees memory that no work uses any more. Failures are not thrown; the pool has nobody to tell.</summary>
    void Free(Device device, CUdeviceptr pointer, long bytes);
}
