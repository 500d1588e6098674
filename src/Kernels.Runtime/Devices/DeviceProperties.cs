using System.Text;
using Kernels.Native;

namespace Kernels.Runtime;

/// <summary>What a device is: name, compute capability, sizes and rates. Sizes are bytes, rates kHz.</summary>
public sealed record DeviceProperties
{
    /// <summary>Name, such as <c>NVIDIA H100 80GB HBM3</c>.</summary>
    public required string Name { get; init; }

    /// <summary>UUID in NVIDIA's form, <c>GPU-...</c>.</summary>
    public required string Uuid { get; init; }

    /// <summary>PCI id, <c>domain:bus:device.function</c>.</summary>
    public required string PciBusId { get; init; }

    /// <summary>Compute capability.</summary>
    public required ComputeCapability ComputeCapability { get; init; }

    /// <summary>Bytes of device memory.</summary>
    public required long TotalMemory { get; init; }

    /// <summary>Streaming multiprocessors.</summary>
    public required int MultiprocessorCount { get; init; }

    /// <summary>Lanes of a warp.</summary>
    public required int WarpSize { get; init; }

    /// <summary>Threads a block may have.</summary>
    public required int MaxThreadsPerBlock { get; init; }

    /// <summary>Threads that are resident on a multiprocessor.</summary>
    public required int MaxThreadsPerMultiprocessor { get; init; }

    /// <summary>Blocks that are resident on a multiprocessor.</summary>
    public required int MaxBlocksPerMultiprocessor { get; init; }

    /// <summary>Largest grid.</summary>
    public required Dim3 MaxGrid { get; init; }

    /// <summary>Largest block in each direction.</summary>
    public required Dim3 MaxBlock { get; init; }

    /// <summary>Shared memory a block has without asking for more.</summary>
    public required int SharedMemoryPerBlock { get; init; }

    /// <summary>Shared memory a block may ask for (<see cref="Kernel.MaxDynamicSharedBytes"/>).</summary>
    public required int SharedMemoryPerBlockOptin { get; init; }

    /// <summary>Shared memory of a multiprocessor.</summary>
    public required int SharedMemoryPerMultiprocessor { get; init; }

    /// <summary>32-bit registers a block may use.</summary>
    public required int RegistersPerBlock { get; init; }

    /// <summary>32-bit registers of a multiprocessor.</summary>
    public required int RegistersPerMultiprocessor { get; init; }

    /// <summary>L2 cache.</summary>
    public required int L2CacheSize { get; init; }

    /// <summary>Peak clock of the multiprocessors.</summary>
    public required int ClockRate { get; init; }

    /// <summary>Peak clock of the memory.</summary>
    public required int MemoryClockRate { get; init; }

    /// <summary>Width of the memory bus in bits.</summary>
    public required int MemoryBusWidth { get; init; }

    /// <summary>Copies that can run beside kernels.</summary>
    public required int AsyncEngineCount { get; init; }

    /// <summary>Whether <see cref="LaunchConfig.Cooperative"/> launches work.</summary>
    public required bool CooperativeLaunch { get; init; }

    /// <summary>Whether the driver has stream-ordered allocation.</summary>
    public required bool MemoryPoolsSupported { get; init; }

    internal static unsafe DeviceProperties Query(CUdevice device)
    {
        nuint total;
        CudaException.ThrowIfFailed(Driver.cuDeviceTotalMem_v2(&total, device), "cuDeviceTotalMem_v2", device.Value);
        return new DeviceProperties
        {
            Name = QueryName(device),
            Uuid = QueryUuid(device),
            PciBusId = QueryPciBusId(device),
            ComputeCapability = new ComputeCapability(
                Attribute(device, CUdevice_attribute.CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR),
                Attribute(device, CUdevice_attribute.CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR)),
            TotalMemory = (long)total,
            MultiprocessorCount = Attribute(device, CUdevice_attribute.CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT),
            WarpSize = Attribute(device, CUdevice_attribute.CU_DEVICE_ATTRIBUTE_WARP_SIZE),
            MaxThreadsPerBlock = Attribute(device, CUdevice_attribute.CU_DEVICE_ATTRIBUTE_MAX_THREADS_PER_BLOCK),
            MaxThreadsPerMultiprocessor = Attribute(device, CUdevice_attribute.CU_DEVICE_ATTRIBUTE_MAX_THREADS_PER_MULTIPROCESSOR),
            MaxBlocksPerMultiprocessor = Attribute(device, CUdevice_attribute.CU_DEVICE_ATTRIBUTE_MAX_BLOCKS_PER_MULTIPROCESSOR),
            MaxGrid = new Dim3(
                (uint)Attribute(device, CUdevice_attribute.CU_DEVICE_ATTRIBUTE_MAX_GRID_DIM_X),
                (uint)Attribute(device, CUdevice_attribute.CU_DEVICE_ATTRIBUTE_MAX_GRID_DIM_Y),
                (uint)Attribute(device, CUdevice_attribute.CU_DEVICE_ATTRIBUTE_MAX_GRID_DIM_Z)),
            MaxBlock = new Dim3(
                (uint)Attribute(device, CUdevice_attribute.CU_DEVICE_ATTRIBUTE_MAX_BLOCK_DIM_X),
                (uint)Attribute(device, CUdevice_attribute.CU_DEVICE_ATTRIBUTE_MAX_BLOCK_DIM_Y),
                (uint)Attribute(device, CUdevice_attribute.CU_DEVICE_ATTRIBUTE_MAX_BLOCK_DIM_Z)),
            SharedMemoryPerBlock = Attribute(device, CUdevice_attribute.CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK),
            SharedMemoryPerBlockOptin = Attribute(device, CUdevice_attribute.CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN),
            SharedMemoryPerMultiprocessor =
                Attribute(device, CUdevice_attribute.CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_MULTIPROCESSOR),
            RegistersPerBlock = Attribute(device, CUdevice_attribute.CU_DEVICE_ATTRIBUTE_MAX_REGISTERS_PER_BLOCK),
            RegistersPerMultiprocessor = Attribute(device, CUdevice_attribute.CU_DEVICE_ATTRIBUTE_MAX_REGISTERS_PER_MULTIPROCESSOR),
            L2CacheSize = Attribute(device, CUdevice_attribute.CU_DEVICE_ATTRIBUTE_L2_CACHE_SIZE),
            ClockRate = Attribute(device, CUdevice_attribute.CU_DEVICE_ATTRIBUTE_CLOCK_RATE),
            MemoryClockRate = Attribute(device, CUdevice_attribute.CU_DEVICE_ATTRIBUTE_MEMORY_CLOCK_RATE),
            MemoryBusWidth = Attribute(device, CUdevice_attribute.CU_DEVICE_ATTRIBUTE_GLOBAL_MEMORY_BUS_WIDTH),
            AsyncEngineCount = Attribute(device, CUdevice_attribute.CU_DEVICE_ATTRIBUTE_ASYNC_ENGINE_COUNT),
            CooperativeLaunch = Attribute(device, CUdevice_attribute.CU_DEVICE_ATTRIBUTE_COOPERATIVE_LAUNCH) != 0,
            MemoryPoolsSupported = Attribute(device, CUdevice_attribute.CU_DEVICE_ATTRIBUTE_MEMORY_POOLS_SUPPORTED) != 0,
        };
    }

    private static unsafe int Attribute(CUdevice device, CUdevice_attribute attribute)
    {
        int value;
        CudaException.ThrowIfFailed(
            Driver.cuDeviceGetAttribute(&value, attribute, device), "cuDeviceGetAttribute", device.Value, attribute.ToString());
        return value;
    }

    private static unsafe string QueryName(CUdevice device)
    {
        const int Length = 256;
        byte* text = stackalloc byte[Length];
        CudaException.ThrowIfFailed(Driver.cuDeviceGetName(text, Length, device), "cuDeviceGetName", device.Value);
        return Text(text, Length);
    }

    private static unsafe string QueryPciBusId(CUdevice device)
    {
        const int Length = 32;
        byte* text = stackalloc byte[Length];
        CudaException.ThrowIfFailed(Driver.cuDeviceGetPCIBusId(text, Length, device), "cuDeviceGetPCIBusId", device.Value);
        return Text(text, Length);
    }

    private static unsafe string QueryUuid(CUdevice device)
    {
        CUuuid uuid;
        CudaException.ThrowIfFailed(Driver.cuDeviceGetUuid_v2(&uuid, device), "cuDeviceGetUuid_v2", device.Value);
        return $"GPU-{new Guid(new ReadOnlySpan<byte>(uuid.bytes, 16), bigEndian: true)}";
    }

    private static unsafe string Text(byte* text, int length)
    {
        var bytes = new ReadOnlySpan<byte>(text, length);
        int end = bytes.IndexOf((byte)0);
        return Encoding.UTF8.GetString(end < 0 ? bytes : bytes[..end]);
    }
}
