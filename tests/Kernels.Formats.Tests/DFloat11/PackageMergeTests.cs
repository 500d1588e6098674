using CsCheck;
using Kernels.Formats.DFloat11;

namespace Kernels.Formats.Tests.DFloat11;

public sealed class PackageMergeTests
{
    private static readonly Gen<long[]> AscendingWeights = Gen.Long[0, 1_000_000].Array[2, 241].Select(weights => weights.Order().ToArray());

    [Test]
    public void Code_is_complete_and_within_the_limit() =>
        Gen.Select(AscendingWeights, Gen.Int[8, 32]).Sample((weights, limit) =>
        {
            byte[] lengths = PackageMerge.CodeLengths(weights, limit);
            Assert.That(lengths.Max(), Is.LessThanOrEqualTo(limit));
            Assert.That(lengths.Sum(length => 1L << (32 - length)), Is.EqualTo(1L << 32), "Kraft sum x 2^32");
            Assert.That(lengths, Is.Ordered.Descending, "rare symbols have the longer codes");
        });

    [Test]
    public void Cost_is_that_of_plain_Huffman_where_the_limit_does_not_bind() =>
        AscendingWeights.Sample(weights =>
        {
            long[] huffman = HuffmanLengths(weights);
            Assume.That(huffman.Max(), Is.LessThanOrEqualTo(32));
            byte[] lengths = PackageMerge.CodeLengths(weights, 32);
            Assert.That(Cost(weights, lengths), Is.EqualTo(weights.Zip(huffman, (weight, length) => weight * length).Sum()));
        });

    [Test]
    public void Cost_is_the_least_of_all_complete_codes_within_a_limit_that_binds() =>
        Gen.Select(Gen.Long[0, 100_000].Array[2, 8], Gen.Int[3, 6]).Sample((unordered, limit) =>
        {
            long[] weights = [.. unordered.Order()];
            Assert.That(Cost(weights, PackageMerge.CodeLengths(weights, limit)), Is.EqualTo(LeastCost(weights, limit)));
        }, iter: 500);

    [Test]
    public void Fibonacci_weights_of_45_symbols_fit_32_bits()
    {
        long[] weights = new long[45];
        (weights[0], weights[1]) = (1, 1);
        for (int i = 2; i < weights.Length; i++)
            weights[i] = weights[i - 1] + weights[i - 2];
        Assert.That(HuffmanLengths(weights).Max(), Is.EqualTo(44));
        Assert.That(PackageMerge.CodeLengths(weights, 32).Max(), Is.EqualTo(32));
    }

    private static long Cost(long[] weights, byte[] lengths) => weights.Zip(lengths, (weight, length) => weight * length).Sum();

    /// <summary>Plain Huffman by merging the two lightest nodes, as in the textbook.</summary>
    private static long[] HuffmanLengths(long[] weights)
    {
        var nodes = new PriorityQueue<int[], (long, int)>();
        for (int i = 0; i < weights.Length; i++)
            nodes.Enqueue([i], (weights[i], i));
        var lengths = new long[weights.Length];
        int serial = weights.Length;
        while (nodes.Count > 1)
        {
            nodes.TryDequeue(out int[]? a, out var first);
            nodes.TryDequeue(out int[]? b, out var second);
            int[] merged = [.. a!, .. b!];
            foreach (int symbol in merged)
                lengths[symbol]++;
            nodes.Enqueue(merged, (first.Item1 + second.Item1, serial++));
        }
        return lengths;
    }

    /// <summary>Tries every non-increasing sequence of lengths with a Kraft sum of exactly 1.</summary>
    private static long LeastCost(long[] ascending, int limit)
    {
        long least = long.MaxValue;
        Try(0, limit, 0, 0);
        return least;

        void Try(int index, int longest, long kraft, long cost)
        {
            if (kraft > 1L << limit || cost >= least)
                return;
            if (index == ascending.Length)
            {
                if (kraft == 1L << limit)
                    least = cost;
                return;
            }
            for (int length = 1; length <= longest; length++)
                Try(index + 1, length, kraft + (1L << (limit - length)), cost + (ascending[index] * length));
        }
    }
}
