using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Kernels.Formats.Safetensors;
using static Kernels.Formats.DFloat11.DFloat11Codes;

namespace Kernels.Formats.DFloat11;

/// <summary>A matrix that DF11 cannot represent or does not make smaller, and why.</summary>
/// <param name="Matrix">The matrix.</param>
/// <param name="Reason">Why it stays as it is.</param>
public sealed record DFloat11Fallback(TensorView Matrix, string Reason);

/// <summary>What became of the matrices of a group.</summary>
/// <param name="Group">The compressed group, or null where every matrix stays as it is.</param>
/// <param name="Fallbacks">The matrices that stay as they are.</param>
public sealed record DFloat11Encoding(DFloat11Group? Group, IReadOnlyList<DFloat11Fallback> Fallbacks);

/// <summary>Compresses BF16 matrices into DF11 groups. The result has the same bytes whatever the number of threads.</summary>
public static unsafe class DFloat11Encoder
{
    /// <summary>
    /// The most elements of a group that is written. The layout could count to 2^32 - 1, but the reference kernel counts with signed
    /// 32-bit integers.
    /// </summary>
    public const long MaxElements = int.MaxValue;

    /// <summary>Elements that are counted and packed as one piece of work.</summary>
    private const int ChunkLength = 1 << 18;

    /// <summary>Compresses all matrices into one group, whether that makes them smaller or not.</summary>
    /// <param name="groupName">Name of the group: the module that holds the matrices.</param>
    /// <param name="matrices">BF16 matrices, in order.</param>
    /// <param name="options">Number of threads, cancellation.</param>
    /// <exception cref="ArgumentException">A matrix is not BF16, there are no elements or more than <see cref="MaxElements"/>, or a matrix has an
    /// exponent of 240 or more (Inf, NaN, 2^113 and above), which the layout cannot represent.</exception>
    /// <exception cref="OperationCanceledException">The work was cancelled.</exception>
    public static DFloat11Group Encode(string groupName, IReadOnlyList<TensorView> matrices, ParallelOptions options)
    {
        List<Source> sources = Count(groupName, matrices, options);
        foreach (var source in sources)
        {
            if (Unrepresentable(source) is { } reason)
                throw new ArgumentException($"'{source.Matrix.Name}': {reason}", nameof(matrices));
        }
        if (sources.Sum(source => source.Matrix.ElementCount) is 0 or > MaxElements)
            throw new ArgumentException($"The group '{groupName}' has {sources.Sum(source => source.Matrix.ElementCount)} elements; 1 to {MaxElements} are possible.", nameof(matrices));
        return Pack(groupName, sources, ExponentCodebook.Build(Total(sources)), options);
    }

    /// <summary>Compresses the matrices that DF11 can represent and makes smaller, and names the others.</summary>
    /// <param name="groupName">Name of the group: the module that holds the matrices.</param>
    /// <param name="matrices">BF16 matrices, in order; at most <see cref="MaxElements"/> elements together.</param>
    /// <param name="options">Number of threads, cancellation.</param>
    /// <exception cref="ArgumentException">A matrix is not BF16, or there are too many elements.</exception>
    /// <exception cref="OperationCanceledException">The work was cancelled.</exception>
    public static DFloat11Encoding EncodeWhereSmaller(string groupName, IReadOnlyList<TensorView> matrices, ParallelOptions options)
    {
        List<Source> sources = Count(groupName, matrices, options);
        if (sources.Sum(source => source.Matrix.ElementCount) > MaxElements)
            throw new ArgumentException($"The group '{groupName}' has {sources.Sum(source => source.Matrix.ElementCount)} elements; at most {MaxElements} are possible.", nameof(matrices));
        var fallbacks = new List<DFloat11Fallback>();
        ExcludeWhere(sources, fallbacks, source => source.Matrix.ElementCount == 0 ? "it has no elements" : Unrepresentable(source));
        // A matrix that does not fit in with the others makes their code worse too, so what is left is looked at again.
        ExponentCodebook? codebook = null;
        for (int before = -1; sources.Count > 0 && sources.Count != before;)
        {
            before = sources.Count;
            codebook = ExponentCodebook.Build(Total(sources));
            ExcludeWhere(sources, fallbacks, source => NoGain(source, codebook));
        }
        if (sources.Count == 0)
            return new DFloat11Encoding(null, fallbacks);
        DFloat11Group group = Pack(groupName, sources, codebook!, options);
        if (group.StoredBytes < 2 * group.ElementCount)
            return new DFloat11Encoding(group, fallbacks);
        using var discarded = group;
        fallbacks.AddRange(sources.Select(source => new DFloat11Fallback(source.Matrix, $"its group would take {group.StoredBytes} bytes instead of {2 * group.ElementCount}")));
        return new DFloat11Encoding(null, fallbacks);
    }

    private sealed record Source(TensorView Matrix, Chunk[] Chunks, long[] Counts);

    private sealed class Chunk(long offset, int length)
    {
        internal long Offset => offset;

        internal int Length => length;

        internal uint[] Counts { get; } = new uint[ExponentHistogram.Length];

        internal long FirstElement { get; set; }

        internal long FirstBit { get; set; }

        internal ExponentPacker.SharedWord Shared { get; set; }
    }

    private static List<Source> Count(string groupName, IReadOnlyList<TensorView> matrices, ParallelOptions options)
    {
        ArgumentException.ThrowIfNullOrEmpty(groupName);
        ArgumentNullException.ThrowIfNull(matrices);
        ArgumentNullException.ThrowIfNull(options);
        var sources = new List<Source>(matrices.Count);
        foreach (var matrix in matrices)
        {
            if (matrix.Dtype != SafetensorsDtype.BF16)
                throw new ArgumentException($"'{matrix.Name}' is {matrix.Dtype.Name()}; DF11 holds BF16.", nameof(matrices));
            var chunks = new List<Chunk>();
            for (long at = 0; at < matrix.ElementCount; at += ChunkLength)
                chunks.Add(new Chunk(at, (int)Math.Min(ChunkLength, matrix.ElementCount - at)));
            sources.Add(new Source(matrix, [.. chunks], new long[ExponentHistogram.Length]));
        }
        Run(sources, options, (source, chunk) => ExponentHistogram.Add((ushort*)source.Matrix.Data.Pointer + chunk.Offset, chunk.Length, chunk.Counts));
        foreach (var source in sources)
        {
            foreach (var chunk in source.Chunks)
            {
                for (int exponent = 0; exponent < ExponentHistogram.Length; exponent++)
                    source.Counts[exponent] += chunk.Counts[exponent];
            }
        }
        return sources;
    }

    private static void Run(List<Source> sources, ParallelOptions options, Action<Source, Chunk> work)
    {
        (Source Source, Chunk Chunk)[] all = [.. sources.SelectMany(source => source.Chunks.Select(chunk => (source, chunk)))];
        if (options.MaxDegreeOfParallelism == 1)
        {
            foreach (var (source, chunk) in all)
            {
                options.CancellationToken.ThrowIfCancellationRequested();
                work(source, chunk);
            }
        }
        else
        {
            Parallel.ForEach(all, options, item => work(item.Source, item.Chunk));
        }
        foreach (var source in sources)
            source.Matrix.Data.KeepAlive();
    }

    private static void ExcludeWhere(List<Source> sources, List<DFloat11Fallback> fallbacks, Func<Source, string?> reason)
    {
        for (int i = 0; i < sources.Count;)
        {
            if (reason(sources[i]) is { } text)
            {
                fallbacks.Add(new DFloat11Fallback(sources[i].Matrix, text));
                sources.RemoveAt(i);
            }
            else
            {
                i++;
            }
        }
    }

    private static string? Unrepresentable(Source source)
    {
        int exponent = source.Counts.AsSpan(FirstPointer).IndexOfAnyExcept(0L);
        return exponent < 0 ? null : $"an element has the exponent {exponent + FirstPointer}; the layout represents exponents up to {FirstPointer - 1}";
    }

    private static string? NoGain(Source source, ExponentCodebook codebook)
    {
        // Gaps take 5 bits of 64, positions 32 of 32768.
        double bits = codebook.StreamBits(source.Counts) * (1 + (5.0 / 64) + (1.0 / 1024));
        double perElement = 8 + (bits / source.Matrix.ElementCount);
        return perElement < 16 ? null : FormattableString.Invariant($"it would take {perElement:F2} bits an element instead of 16");
    }

    private static long[] Total(List<Source> sources)
    {
        long[] total = new long[ExponentHistogram.Length];
        foreach (var source in sources)
        {
            for (int exponent = 0; exponent < total.Length; exponent++)
                total[exponent] += source.Counts[exponent];
        }
        return total;
    }

    private static DFloat11Group Pack(string groupName, List<Source> sources, ExponentCodebook codebook, ParallelOptions options)
    {
        long elements = 0;
        long bits = 0;
        int lastLength = 0;
        foreach (var source in sources)
        {
            foreach (var chunk in source.Chunks)
            {
                chunk.FirstElement = elements;
                chunk.FirstBit = bits;
                elements += chunk.Length;
                for (int exponent = 0; exponent < ExponentHistogram.Length; exponent++)
                    bits += (long)chunk.Counts[exponent] * codebook.Lengths[exponent];
                ushort last = ((ushort*)source.Matrix.Data.Pointer)[chunk.Offset + chunk.Length - 1];
                lastLength = codebook.Lengths[(byte)(last >> 7)];
            }
        }

        var layout = DFloat11Layout.Default;
        long bytes = (bits + 7) / 8;
        long blocks = layout.BlockCount(bytes);
        long threads = blocks * layout.ThreadsPerBlock;
        var stream = new NativeBuffer((bits + 63) / 64 * sizeof(ulong));
        var signMantissa = new NativeBuffer(elements);
        using var gaps = new NativeBuffer(threads + 1);
        NativeMemory.Clear(gaps.Pointer, (nuint)gaps.Length);
        var positions = new uint[blocks + 2];
        var packer = new ExponentPacker(codebook, (ulong*)stream.Pointer, signMantissa.Pointer, gaps.Pointer, positions);
        Run(sources, options, (source, chunk) =>
            chunk.Shared = packer.Pack((ushort*)source.Matrix.Data.Pointer + chunk.Offset, chunk.Length, chunk.FirstElement, chunk.FirstBit));
        foreach (var chunk in sources.SelectMany(source => source.Chunks))
        {
            if (chunk.Shared.Bits != 0)
                ((ulong*)stream.Pointer)[chunk.Shared.Index] |= BinaryPrimitives.ReverseEndianness(chunk.Shared.Bits);
        }
        FillLastByte(stream.Pointer, bits, codebook);
        // No code starts where the last one only ends.
        if ((bits - lastLength) / 64 != bits / 64)
            gaps.Pointer[bits / 64] = 0;
        for (long block = ((bits - lastLength) / (8 * layout.BytesPerBlock)) + 1; block <= blocks; block++)
            positions[block] = (uint)elements;
        byte[] packedGaps = DFloat11Gaps.Pack(new ReadOnlySpan<byte>(gaps.Pointer, checked((int)threads)));
        return new DFloat11Group(
            groupName, layout, stream.AsRegion(bytes), signMantissa.AsRegion(), codebook.BuildLuts(), packedGaps, positions.AsSpan(0, (int)blocks + 1), Describe(sources))
        {
            Owned = [stream, signMantissa],
        };
    }

    // The layout wants the leading bits of the end-of-stream code behind the last code, up to the end of the byte.
    private static void FillLastByte(byte* stream, long bits, ExponentCodebook codebook)
    {
        int used = (int)(bits & 7);
        if (used == 0)
            return;
        uint leading = codebook.EndCode << (32 - codebook.EndLength);
        stream[bits >> 3] |= (byte)(leading >> (24 + used));
    }

    private static List<DFloat11Matrix> Describe(List<Source> sources)
    {
        var matrices = new List<DFloat11Matrix>(sources.Count);
        long offset = 0;
        foreach (var source in sources)
        {
            matrices.Add(new DFloat11Matrix(source.Matrix.Name, offset, source.Matrix.ElementCount, source.Matrix.Shape));
            offset += source.Matrix.ElementCount;
        }
        return matrices;
    }
}
