using Kernels.Native;

namespace Kernels.Runtime;

/// <summary>Lets allocations of another source fail, to test what a program does when memory runs out.</summary>
/// <param name="upstream">Where allocations that do not fail come from.</param>
/// <param name="fails">Whether an allocation fails, given its bytes.</param>
public sealed class FailingMemorySource(IDeviceMemorySource upstream, Func<long, bool> fails) : IDeviceMemorySource
{
    /// <inheritdoc/>
    public bool TryAllocate(Device device, long bytes, Stream stream, out CUdeviceptr pointer)
    {
        pointer = default;
        return !fails(bytes) && upstream.TryAllocate(device, bytes, stream, out pointer);
    }

    /// <inheritdoc/>
    public void Free(Device device, CUdeviceptr pointer, long bytes) => upstream.Free(device, pointer, bytes);
}
