using System.Runtime.InteropServices;
using Kernels.Formats.DFloat11;
using Kernels.Formats.Safetensors;

namespace Kernels.Formats.Tests.DFloat11;

/// <summary>Matrices for tests: BF16 bits with chosen exponents.</summary>
internal static class Weights
{
    internal static ParallelOptions Threads(int count) => new() { MaxDegreeOfParallelism = count };

    internal static TensorView Matrix(string name, ushort[] bits, params long[] shape) => new(
        new TensorInfo(name, SafetensorsDtype.BF16, shape.Length == 0 ? [bits.Length] : shape),
        ByteRegion.CopyOf(MemoryMarshal.AsBytes<ushort>(bits)));

    internal static ushort[] Bits(TensorView matrix) => MemoryMarshal.Cast<byte, ushort>(matrix.Data.AsSpan()).ToArray();

    /// <summary>Elements whose exponents <paramref name="exponent"/> draws, with random sign and mantissa.</summary>
    internal static ushort[] Random(int count, int seed, Func<Random, int> exponent)
    {
        var random = new Random(seed);
        var bits = new ushort[count];
        for (int i = 0; i < count; i++)
            bits[i] = (ushort)((random.Next(2) << 15) | (exponent(random) << 7) | random.Next(128));
        return bits;
    }

    /// <summary>An exponent distribution out of the kinds that matter.</summary>
    internal static Func<Random, int> Distribution(int kind) => kind switch
    {
        0 => _ => 0,
        1 => random => random.Next(2) == 0 ? 120 : 121,
        2 => random => random.Next(1000) == 0 ? 239 : 0,
        3 => random => 100 + Geometric(random, 40),
        4 => random => random.Next(240),
        5 => random => random.Next(50) == 0 ? random.Next(240) : 122,
        6 => random => 122 - Math.Min(Geometric(random, 20), 20) + Geometric(random, 3),
        _ => random => 110 + random.Next(16),
    };

    internal const int DistributionKinds = 8;

    /// <summary>
    /// Counts that give n exponents and the end symbol a code of n bits, the longest there is: each is above the sum of the two before, so
    /// that every exponent outweighs all rarer ones but one.
    /// </summary>
    internal static long[] SteepCounts(int exponents)
    {
        long[] counts = new long[256];
        (long a, long b) = (1, 2);
        for (int i = 0; i < exponents; i++)
        {
            counts[100 + i] = a;
            (a, b) = (b, a + b + 1);
        }
        return counts;
    }

    /// <summary>Elements with the given counts of exponents, in the order of the exponents.</summary>
    internal static ushort[] WithCounts(long[] counts) =>
        [.. counts.SelectMany((count, exponent) => Enumerable.Repeat((ushort)((exponent << 7) | (exponent & 127)), (int)count))];

    internal static ushort[] Decode(DFloat11Group group, int threads = 1)
    {
        var output = new ushort[group.ElementCount];
        unsafe
        {
            fixed (ushort* pointer = output)
                DFloat11Decoder.Decode(group, pointer, output.Length, Threads(threads));
        }
        return output;
    }

    private static int Geometric(Random random, int limit)
    {
        int value = 0;
        while (value < limit && random.Next(2) == 0)
            value++;
        return value;
    }
}
