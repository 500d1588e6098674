using Kernels.Native;

namespace Kernels.Runtime;

/// <summary>Copies and fills in stream order, with errors that say how much was to go where.</summary>
internal static unsafe class DeviceCopy
{
    /// <summary>Checks a copy; false where there is nothing to do.</summary>
    public static bool Begin(long length, long room, string what, Stream stream)
    {
        ArgumentNullException.ThrowIfNull(stream);
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        stream.ThrowIfUnusable();
        if (length > room)
            throw new ArgumentException($"The {what} has {length} elements and the destination has room for {room}.");
        if (length == 0)
            return false;
        stream.Device.MakeCurrent();
        return true;
    }

    public static void HostToDevice(CUdeviceptr destination, void* source, long bytes, Stream stream)
    {
        CUresult result = Driver.cuMemcpyHtoDAsync_v2(destination, source, (nuint)bytes, stream.Handle);
        if (result != CUresult.CUDA_SUCCESS)
            stream.ThrowIfFailed(result, "cuMemcpyHtoDAsync_v2", $"{bytes} bytes from host 0x{(nuint)source:x} to device {destination}");
    }

    public static void DeviceToHost(void* destination, CUdeviceptr source, long bytes, Stream stream)
    {
        CUresult result = Driver.cuMemcpyDtoHAsync_v2(destination, source, (nuint)bytes, stream.Handle);
        if (result != CUresult.CUDA_SUCCESS)
            stream.ThrowIfFailed(result, "cuMemcpyDtoHAsync_v2", $"{bytes} bytes from device {source} to host 0x{(nuint)destination:x}");
    }

    public static void DeviceToDevice(CUdeviceptr destination, CUdeviceptr source, long bytes, Stream stream)
    {
        CUresult result = Driver.cuMemcpyDtoDAsync_v2(destination, source, (nuint)bytes, stream.Handle);
        if (result != CUresult.CUDA_SUCCESS)
            stream.ThrowIfFailed(result, "cuMemcpyDtoDAsync_v2", $"{bytes} bytes from device {source} to device {destination}");
    }

    public static void Fill(CUdeviceptr destination, byte value, long bytes, Stream stream)
    {
        CUresult result = Driver.cuMemsetD8Async(destination, value, (nuint)bytes, stream.Handle);
        if (result != CUresult.CUDA_SUCCESS)
            stream.ThrowIfFailed(result, "cuMemsetD8Async", $"{bytes} bytes at device {destination}");
    }

    public static void Fill(CUdeviceptr destination, void* value, int size, long count, Stream stream)
    {
        (CUresult result, string call) = size switch
        {
            1 => (Driver.cuMemsetD8Async(destination, *(byte*)value, (nuint)count, stream.Handle), "cuMemsetD8Async"),
            2 => (Driver.cuMemsetD16Async(destination, *(ushort*)value, (nuint)count, stream.Handle), "cuMemsetD16Async"),
            4 => (Driver.cuMemsetD32Async(destination, *(uint*)value, (nuint)count, stream.Handle), "cuMemsetD32Async"),
            _ => throw new NotSupportedException($"The driver fills elements of 1, 2 and 4 bytes, and these have {size}."),
        };
        if (result != CUresult.CUDA_SUCCESS)
            stream.ThrowIfFailed(result, call, $"{count} elements of {size} bytes at device {destination}");
    }
}
