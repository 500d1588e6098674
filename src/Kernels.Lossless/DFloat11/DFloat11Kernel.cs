using Kernels.Formats.DFloat11;
using Kernels.Runtime;

namespace Kernels.Lossless;

/// <summary>What host and kernel agree on: <c>native/kernels/lossless/df11_decode.cu</c>.</summary>
internal static class DFloat11Kernel
{
    public const string EntryPoint = "df11_decode";

    /// <summary>Bits of the lookup where a block decodes few chunks: its table is a third of the large one's work to build.</summary>
    public const int SmallWindow = 10;

    /// <summary>Bits of the lookup where the table's cost is spread over many chunks.</summary>
    public const int LargeWindow = 12;

    /// <summary>Chunks a block from which the large window is the cheaper one (docs/kernels/df11_decode.md).</summary>
    public const int LargeWindowChunks = 4;

    /// <summary>The kernel walks 64 bits a thread.</summary>
    public const int BytesPerThread = 8;

    /// <summary>Alignment in bytes of the encoded exponents and of sign and mantissa, which are loaded eight bytes at a time.</summary>
    public const int InputAlignment = 8;

    /// <summary>Alignment in bytes of the output, which is stored sixteen bytes at a time.</summary>
    public const int OutputAlignment = 16;

    private static readonly KernelSource Source = KernelSource.FromResource(typeof(DFloat11Kernel).Assembly, "kernels/lossless/df11_decode.cu");

    public static KernelDefinition Define(int threads, int window) => new()
    {
        Name = $"lossless/df11_decode<{threads}, {window}>",
        Source = Source,
        Options = CompileOptions.Default.Define("THREADS", threads).Define("WINDOW", window),
        EntryPoints = [EntryPoint],
        MinimumArchitecture = ComputeCapability.Ampere,
    };

    /// <summary>Dynamic shared memory of a block: the staging buffer, in which the table is prepared.</summary>
    public static int SharedBytes(int maxElementsPerChunk, int window) =>
        Math.Max(16 * ((maxElementsPerChunk / 16) + 6), sizeof(ushort) << window);

    /// <exception cref="NotSupportedException">The layout is not one the kernel decodes.</exception>
    public static void ThrowIfUnsupported(DFloat11Group group)
    {
        DFloat11Layout layout = group.Layout;
        if (layout.BytesPerThread != BytesPerThread || layout.ThreadsPerBlock % 32 != 0 || layout.ThreadsPerBlock is < 96 or > 1024)
        {
            throw new NotSupportedException(
                $"Group '{group.Name}' has {layout.ThreadsPerBlock} threads a block and {layout.BytesPerThread} bytes a thread; the device " +
                $"decoder takes multiples of 32 from 96 to 1024 threads with {BytesPerThread} bytes. Decode it on the CPU (DFloat11Decoder).");
        }
    }
}
