using System.Runtime.CompilerServices;
using Kernels.Native;

namespace Kernels.Runtime;

/// <summary>A kernel of a module, which it holds. Launches allocate nothing and do not wait.</summary>
public sealed unsafe partial class Kernel
{
    private readonly uint[]? _parameterSizes;

    internal Kernel(KernelModule module, string name, CUfunction handle)
    {
        Module = module;
        Name = name;
        Handle = handle;
        _parameterSizes = QueryParameterSizes(handle);
    }

    /// <summary>Module of the kernel.</summary>
    public KernelModule Module { get; }

    /// <summary>Device of the kernel.</summary>
    public Device Device => Module.Device;

    /// <summary>Name it was asked for by: a name expression such as <c>scale&lt;float, 4&gt;</c>, or that of an <c>extern "C"</c> kernel.</summary>
    public string Name { get; }

    /// <summary>Raw handle.</summary>
    public CUfunction Handle { get; }

    /// <summary>Bytes of each parameter, or null where the driver (before 12.4) does not tell.</summary>
    public ReadOnlyMemory<uint>? ParameterSizes => _parameterSizes;

    /// <summary>Registers a thread.</summary>
    public int Registers => Attribute(CUfunction_attribute.CU_FUNC_ATTRIBUTE_NUM_REGS);

    /// <summary>Bytes of static shared memory a block.</summary>
    public int StaticSharedBytes => Attribute(CUfunction_attribute.CU_FUNC_ATTRIBUTE_SHARED_SIZE_BYTES);

    /// <summary>Bytes of local memory a thread: spills and indexed arrays.</summary>
    public int LocalBytes => Attribute(CUfunction_attribute.CU_FUNC_ATTRIBUTE_LOCAL_SIZE_BYTES);

    /// <summary>Bytes of constant memory.</summary>
    public int ConstantBytes => Attribute(CUfunction_attribute.CU_FUNC_ATTRIBUTE_CONST_SIZE_BYTES);

    /// <summary>Threads a block of this kernel may have.</summary>
    public int MaxThreadsPerBlock => Attribute(CUfunction_attribute.CU_FUNC_ATTRIBUTE_MAX_THREADS_PER_BLOCK);

    /// <summary>Bytes of dynamic shared memory a launch may ask for. Setting it above 48 KiB opts in.</summary>
    /// <exception cref="CudaException">More than the device has.</exception>
    public int MaxDynamicSharedBytes
    {
        get => Attribute(CUfunction_attribute.CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES);
        set
        {
            Device.MakeCurrent();
            ThrowIfFailed(
                Driver.cuFuncSetAttribute(Handle, CUfunction_attribute.CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES, value),
                "cuFuncSetAttribute", $"{Name}: dynamic shared memory {value}; the device allows a block " +
                $"{Device.Properties.SharedMemoryPerBlockOptin} with the kernel's static {StaticSharedBytes}");
        }
    }

    /// <summary>Blocks of this shape that are resident on a multiprocessor at once.</summary>
    public int GetResidentBlocks(int block, long sharedBytes = 0)
    {
        Device.MakeCurrent();
        int blocks;
        CUresult result = Driver.cuOccupancyMaxActiveBlocksPerMultiprocessor(&blocks, Handle, block, (nuint)sharedBytes);
        if (result != CUresult.CUDA_SUCCESS) // the message is made only now: callers ask before every launch
            ThrowIfFailed(result, "cuOccupancyMaxActiveBlocksPerMultiprocessor", $"{Name}: block {block}, dynamic shared memory {sharedBytes}");
        return blocks;
    }

    /// <summary>Block size of the best occupancy, and the smallest grid that reaches it.</summary>
    public (int Grid, int Block) SuggestLaunch(long sharedBytes = 0, int maxBlock = 0)
    {
        Device.MakeCurrent();
        int grid, block;
        ThrowIfFailed(Driver.cuOccupancyMaxPotentialBlockSize(&grid, &block, Handle, null, (nuint)sharedBytes, maxBlock),
            "cuOccupancyMaxPotentialBlockSize", $"{Name}: dynamic shared memory {sharedBytes}, largest block {maxBlock}");
        return (grid, block);
    }

    /// <summary>Launches the kernel with arguments built beforehand.</summary>
    /// <exception cref="ArgumentException">Number or size of the arguments differs from the kernel's parameters.</exception>
    /// <exception cref="CudaException">The launch failed.</exception>
    public void Launch(Stream stream, in LaunchConfig config, in KernelArguments arguments)
    {
        void** pointers = stackalloc void*[KernelArguments.MaxCount];
        uint* sizes = stackalloc uint[KernelArguments.MaxCount];
        arguments.GetPointers(pointers, sizes);
        LaunchRaw(stream, config, pointers, sizes, arguments.Count);
    }

    /// <summary>Name and shape, for messages.</summary>
    internal static string Describe(Kernel kernel, in LaunchConfig config) => $"{kernel.Name} with {config}";

    private void LaunchRaw(Stream stream, in LaunchConfig config, void** arguments, uint* sizes, int count)
    {
        ArgumentNullException.ThrowIfNull(stream);
        stream.ThrowIfUnusable();
        Module.ThrowIfUnusable();
        if (_parameterSizes is { } expected && !new ReadOnlySpan<uint>(sizes, count).SequenceEqual(expected))
            throw Mismatch(expected, new ReadOnlySpan<uint>(sizes, count));

        Device.MakeCurrent();
        CUresult result = config.Cooperative
            ? Driver.cuLaunchCooperativeKernel(Handle, config.Grid.X, config.Grid.Y, config.Grid.Z,
                config.Block.X, config.Block.Y, config.Block.Z, config.SharedBytes, stream.Handle, arguments)
            : Driver.cuLaunchKernel(Handle, config.Grid.X, config.Grid.Y, config.Grid.Z,
                config.Block.X, config.Block.Y, config.Block.Z, config.SharedBytes, stream.Handle, arguments, null);
        if (result != CUresult.CUDA_SUCCESS)
            throw LaunchFailed(result, stream, config);
        stream.Launched(this, config);
        RuntimeMetrics.Launches.Add(1);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private ArgumentException Mismatch(uint[] expected, ReadOnlySpan<uint> given)
    {
        if (expected.Length != given.Length)
            return new ArgumentException($"{Name} takes {expected.Length} arguments and was given {given.Length}.");
        int at = given.CommonPrefixLength(expected);
        return new ArgumentException(
            $"Argument {at} of {Name} has {given[at]} bytes and its parameter has {expected[at]}.");
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private CudaException LaunchFailed(CUresult result, Stream stream, in LaunchConfig config)
    {
        string call = config.Cooperative ? "cuLaunchCooperativeKernel" : "cuLaunchKernel";
        string details = Describe(this, config);
        if (!CudaException.IsStickyResult(result))
        {
            DeviceProperties limits = Device.Properties;
            details += $" (limits: grid {limits.MaxGrid}, block {limits.MaxBlock} of {MaxThreadsPerBlock} threads, dynamic shared " +
                $"memory {MaxDynamicSharedBytes}, {Registers} registers a thread of {limits.RegistersPerBlock})";
        }

        return CudaException.Create(result, call, Device.Ordinal, details, stream);
    }

    private int Attribute(CUfunction_attribute attribute)
    {
        Module.ThrowIfUnusable();
        Device.MakeCurrent();
        int value;
        ThrowIfFailed(Driver.cuFuncGetAttribute(&value, attribute, Handle), "cuFuncGetAttribute", $"{Name}: {attribute}");
        return value;
    }

    private void ThrowIfFailed(CUresult result, string call, string details) =>
        CudaException.ThrowIfFailed(result, call, Device.Ordinal, details);

    private static uint[]? QueryParameterSizes(CUfunction handle)
    {
        // Drivers before 12.4 do not have the call.
        if (DriverLibrary.Version < 12040)
            return null;
        var sizes = new List<uint>();
        nuint offset, size;
        while (Driver.cuFuncGetParamInfo(handle, (nuint)sizes.Count, &offset, &size) == CUresult.CUDA_SUCCESS)
            sizes.Add((uint)size);
        return [.. sizes];
    }
}
