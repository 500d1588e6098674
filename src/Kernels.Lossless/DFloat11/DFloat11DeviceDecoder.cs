using Kernels.Formats;
using Kernels.Formats.DFloat11;
using Kernels.Runtime;
using Stream = Kernels.Runtime.Stream;

namespace Kernels.Lossless;

/// <summary>
/// Decodes DF11 groups to BF16 on the device, bit for bit. Built once for a device and a number of threads a block; decoding
/// allocates nothing, does not wait, and can be captured in a graph. Safe for use by several threads.
/// </summary>
/// <remarks>
/// The CPU reference is <see cref="DFloat11Decoder"/>. The kernel is safe on any bytes: a corrupt chunk is reported in the status
/// word, and nothing is written outside the output.
/// </remarks>
public sealed class DFloat11DeviceDecoder : IDisposable
{
    /// <summary>What the status word holds when no chunk is corrupt; <see cref="Decode"/> sets it before the launch.</summary>
    public const ulong NoCorruption = ulong.MaxValue;

    private readonly KernelModule _smallModule;
    private readonly KernelModule _largeModule;
    private readonly Kernel _small;
    private readonly Kernel _large;

    /// <summary>Compiles or loads the kernels.</summary>
    /// <param name="device">Device to decode on.</param>
    /// <param name="compiler">Where code comes from; <see cref="KernelCompiler.Default"/> where null.</param>
    /// <param name="threadsPerBlock">The checkpoint's <c>threads_per_block</c>.</param>
    /// <exception cref="KernelCompilationException">No code can be had for the kernels.</exception>
    public DFloat11DeviceDecoder(Device device, KernelCompiler? compiler = null, int threadsPerBlock = 512)
    {
        ArgumentNullException.ThrowIfNull(device);
        compiler ??= KernelCompiler.Default;
        Device = device;
        ThreadsPerBlock = threadsPerBlock;
        _smallModule = compiler.Load(device, DFloat11Kernel.Define(threadsPerBlock, DFloat11Kernel.SmallWindow));
        try
        {
            _largeModule = compiler.Load(device, DFloat11Kernel.Define(threadsPerBlock, DFloat11Kernel.LargeWindow));
            _small = Prepare(_smallModule);
            _large = Prepare(_largeModule);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Device it decodes on.</summary>
    public Device Device { get; }

    /// <summary>The <c>threads_per_block</c> of the groups it takes.</summary>
    public int ThreadsPerBlock { get; }

    /// <summary>The window to use whatever the group's size; null to choose. For tests: a large group takes long on a simulator.</summary>
    internal int? ForcedWindow { get; init; }

    /// <summary>Decodes a group, in order of the stream; returns at once.</summary>
    /// <param name="group">The group.</param>
    /// <param name="output">BF16 bits of all its matrices, one after the other; 16-byte aligned.</param>
    /// <param name="status">One word; hand it to <see cref="ThrowIfCorrupt"/> when the stream has come so far.</param>
    /// <param name="stream">Stream of the launch.</param>
    /// <exception cref="ArgumentException">The output is too short or not aligned, or the group has another number of threads a block.</exception>
    /// <exception cref="ObjectDisposedException">The group was disposed.</exception>
    /// <exception cref="CudaException">The launch failed.</exception>
    public void Decode(DFloat11DeviceGroup group, DeviceSpan<ushort> output, DeviceSpan<ulong> status, Stream stream)
    {
        ArgumentNullException.ThrowIfNull(group);
        ArgumentNullException.ThrowIfNull(stream);
        group.ThrowIfDisposed();
        DFloat11Group description = group.Description;
        if (description.Layout.ThreadsPerBlock != ThreadsPerBlock)
        {
            throw new ArgumentException(
                $"Group '{description.Name}' has {description.Layout.ThreadsPerBlock} threads a block, and this decoder {ThreadsPerBlock}.", nameof(group));
        }

        if (output.Length < description.ElementCount)
            throw new ArgumentException($"Group '{description.Name}' has {description.ElementCount} elements, and the output takes {output.Length}.", nameof(output));
        if (output.Pointer.Value % DFloat11Kernel.OutputAlignment != 0)
            throw new ArgumentException($"The output is at 0x{output.Pointer.Value:x}, and must be aligned to {DFloat11Kernel.OutputAlignment} bytes.", nameof(output));
        if (status.Length < 1)
            throw new ArgumentException("The status needs one word.", nameof(status));

        (Kernel kernel, LaunchConfig config) = Choose(description);
        status.Slice(0, 1).FillBytes(0xff, stream);
        kernel.Launch(stream, config,
            group.EncodedExponent, group.SignMantissa, group.Luts, group.Gaps, group.OutputPositions, output, status,
            (ulong)description.EncodedExponent.Length, (ulong)description.ElementCount,
            (uint)description.BlockCount, (uint)description.DecodeRowCount + 1, (uint)description.MaxElementsPerBlock);
    }

    /// <summary>Throws for the first corrupt chunk of a decoded group.</summary>
    /// <param name="group">The group.</param>
    /// <param name="status">The status word, copied to the host after the decode.</param>
    /// <exception cref="InvalidModelException">A chunk is corrupt; the message names group, matrix, chunk and reason.</exception>
    public static void ThrowIfCorrupt(DFloat11Group group, ulong status)
    {
        ArgumentNullException.ThrowIfNull(group);
        if (status == NoCorruption)
            return;
        long chunk = (long)(status >> 8);
        var reason = (DFloat11ChunkStatus)(status & 255);
        string what = reason switch
        {
            DFloat11ChunkStatus.BadPositions => "its output positions are not rising or beyond the elements",
            DFloat11ChunkStatus.BadCode => "its stream holds bits that are no code",
            DFloat11ChunkStatus.BadCount => "its stream holds another number of codes than its output positions say",
            DFloat11ChunkStatus.BadGap => "a thread's first code does not start at its gap",
            _ => $"the status word 0x{status:x} is none of the decoder's",
        };
        if (chunk >= group.BlockCount)
            throw new InvalidModelException(group.File, group.Name, $"chunk {chunk} of {group.BlockCount}: {what}");
        long first = group.OutputPositions[(int)chunk];
        string matrix = group.Matrices.LastOrDefault(m => m.Offset <= first)?.Name ?? group.Name;
        throw new InvalidModelException(group.File, matrix, $"chunk {chunk} of group '{group.Name}', from element {first} on: {what}");
    }

    /// <summary>Unloads the kernels.</summary>
    public void Dispose()
    {
        _smallModule.Dispose();
        _largeModule?.Dispose();
    }

    private Kernel Prepare(KernelModule module)
    {
        Kernel kernel = module.GetKernel(DFloat11Kernel.EntryPoint);
        kernel.MaxDynamicSharedBytes = Device.Properties.SharedMemoryPerBlockOptin - kernel.StaticSharedBytes;
        return kernel;
    }

    // As many blocks as are resident, each walking over its share of the chunks.
    private (Kernel Kernel, LaunchConfig Config) Choose(DFloat11Group group)
    {
        int multiprocessors = Device.Properties.MultiprocessorCount;
        int shared = DFloat11Kernel.SharedBytes(group.MaxElementsPerBlock, DFloat11Kernel.LargeWindow);
        int resident = _large.GetResidentBlocks(ThreadsPerBlock, shared);
        bool large = ForcedWindow is { } window
            ? window == DFloat11Kernel.LargeWindow
            : resident * ThreadsPerBlock >= 1024 && group.BlockCount >= (long)multiprocessors * resident * DFloat11Kernel.LargeWindowChunks;
        if (!large)
        {
            shared = DFloat11Kernel.SharedBytes(group.MaxElementsPerBlock, DFloat11Kernel.SmallWindow);
            resident = _small.GetResidentBlocks(ThreadsPerBlock, shared);
        }

        long grid = Math.Min(group.BlockCount, Math.Max((long)multiprocessors * resident, 1));
        return (large ? _large : _small, new LaunchConfig((uint)grid, ThreadsPerBlock, (uint)shared));
    }
}
