using System.Collections.Immutable;
using Kernels.Formats.Safetensors;

namespace Kernels.Formats.DFloat11;

/// <summary>How well a group is compressed, against what its exponents allow.</summary>
public sealed class DFloat11Statistics
{
    private DFloat11Statistics(DFloat11Group group, ImmutableArray<long> counts)
    {
        ElementCount = group.ElementCount;
        StoredBytes = group.StoredBytes;
        DecodeRowCount = group.DecodeRowCount;
        ExponentCounts = counts;
        ReadOnlySpan<byte> lengths = group.Luts[^DFloat11Codes.RowLength..];
        var histogram = new int[DFloat11Codes.MaxCodeLength + 1];
        double bits = 0;
        for (int exponent = 0; exponent < counts.Length; exponent++)
        {
            if (counts[exponent] == 0)
                continue;
            double share = (double)counts[exponent] / ElementCount;
            bits += share * lengths[exponent];
            histogram[lengths[exponent]]++;
            LongestCode = Math.Max(LongestCode, lengths[exponent]);
            DistinctExponents++;
        }
        ExponentEntropy = Entropy(counts, ElementCount);
        MeanCodeLength = bits;
        CodeLengthHistogram = [.. histogram];
    }

    /// <summary>Number of elements.</summary>
    public long ElementCount { get; }

    /// <summary>Bytes of all fields.</summary>
    public long StoredBytes { get; }

    /// <summary>Decode rows of the code tables.</summary>
    public int DecodeRowCount { get; }

    /// <summary>How often each of the 256 exponents occurs.</summary>
    public ImmutableArray<long> ExponentCounts { get; }

    /// <summary>Number of exponents that occur.</summary>
    public int DistinctExponents { get; }

    /// <summary>Entropy of the exponents in bits an element.</summary>
    public double ExponentEntropy { get; }

    /// <summary>Mean bits of the codes an element; at least <see cref="ExponentEntropy"/>.</summary>
    public double MeanCodeLength { get; }

    /// <summary>Longest code of an exponent that occurs, in bits.</summary>
    public int LongestCode { get; }

    /// <summary>Entry n: number of exponents with a code of n bits, 0 to 32.</summary>
    public ImmutableArray<int> CodeLengthHistogram { get; }

    /// <summary>Bits an element, all fields included.</summary>
    public double BitsPerElement => 8.0 * StoredBytes / ElementCount;

    /// <summary>The least bits an element that a code of single exponents allows beside 8 raw bits of sign and mantissa.</summary>
    public double BoundPerElement => ExponentEntropy + 8;

    /// <summary>Decodes a group and counts its exponents.</summary>
    /// <exception cref="InvalidModelException">The stream is corrupt.</exception>
    public static unsafe DFloat11Statistics Measure(DFloat11Group group, ParallelOptions options)
    {
        ArgumentNullException.ThrowIfNull(group);
        using var output = new NativeBuffer(2 * group.ElementCount);
        DFloat11Decoder.Decode(group, (ushort*)output.Pointer, group.ElementCount, options);
        return new DFloat11Statistics(group, Count((ushort*)output.Pointer, group.ElementCount));
    }

    /// <summary>Entropy of the exponents of a BF16 tensor in bits an element; 0 where it has no elements.</summary>
    /// <exception cref="ArgumentException">The tensor is not BF16.</exception>
    public static unsafe double EntropyOf(TensorView tensor)
    {
        ArgumentNullException.ThrowIfNull(tensor);
        if (tensor.Dtype != SafetensorsDtype.BF16)
            throw new ArgumentException($"'{tensor.Name}' is {tensor.Dtype.Name()}, and exponents of BF16 are counted.", nameof(tensor));
        double entropy = Entropy(Count((ushort*)tensor.Data.Pointer, tensor.ElementCount), tensor.ElementCount);
        tensor.Data.KeepAlive();
        return entropy;
    }

    private static double Entropy(ImmutableArray<long> counts, long elements) => counts.Where(count => count > 0).Sum(count =>
    {
        double share = (double)count / elements;
        return -share * Math.Log2(share);
    });

    private static unsafe ImmutableArray<long> Count(ushort* elements, long length)
    {
        long[] total = new long[ExponentHistogram.Length];
        uint[] counts = new uint[ExponentHistogram.Length];
        const int step = 1 << 24;
        for (long at = 0; at < length; at += step)
        {
            Array.Clear(counts);
            ExponentHistogram.Add(elements + at, (int)Math.Min(step, length - at), counts);
            for (int exponent = 0; exponent < total.Length; exponent++)
                total[exponent] += counts[exponent];
        }

        return [.. total];
    }
}
