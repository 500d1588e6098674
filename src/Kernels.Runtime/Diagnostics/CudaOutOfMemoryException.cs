using System.Globalization;
using Kernels.Native;

namespace Kernels.Runtime;

/// <summary>Device or page-locked memory ran out.</summary>
public sealed class CudaOutOfMemoryException : CudaException
{
    internal CudaOutOfMemoryException(string call, int device, long requested, DevicePoolStatistics pool, string? details, Stream? stream)
        : base(CUresult.CUDA_ERROR_OUT_OF_MEMORY, call, device,
            string.Create(CultureInfo.InvariantCulture,
                $"{requested:N0} bytes were asked for; {pool.BytesInUse:N0} are in use, {pool.BytesReserved:N0} reserved, the " +
                $"largest free block has {pool.LargestFree:N0}{(details is null ? "" : $"; {details}")}"), stream)
    {
        BytesRequested = requested;
        BytesInUse = pool.BytesInUse;
        BytesReserved = pool.BytesReserved;
        LargestFree = pool.LargestFree;
    }

    internal CudaOutOfMemoryException(string call, int device, long requested, long free, long total)
        : base(CUresult.CUDA_ERROR_OUT_OF_MEMORY, call, device,
            string.Create(CultureInfo.InvariantCulture,
                $"{requested:N0} bytes were asked for; {free:N0} of the device's {total:N0} are free"), null)
    {
        BytesRequested = requested;
        BytesInUse = total - free;
        BytesReserved = total - free;
        LargestFree = free;
    }

    /// <summary>Bytes that were asked for.</summary>
    public long BytesRequested { get; }

    /// <summary>Bytes allocated from the pool; without a pool, bytes of the device that are not free.</summary>
    public long BytesInUse { get; }

    /// <summary>Bytes the pool holds from the driver; without a pool, bytes of the device that are not free.</summary>
    public long BytesReserved { get; }

    /// <summary>Largest free block of the pool; without a pool, free bytes of the device, which need not be in one piece.</summary>
    public long LargestFree { get; }
}
