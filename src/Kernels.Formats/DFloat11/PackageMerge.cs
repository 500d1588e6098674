namespace Kernels.Formats.DFloat11;

/// <summary>
/// Optimal prefix code lengths under a limit: package-merge (Larmore and Hirschberg 1990).
/// </summary>
/// <remarks>
/// Each of the <c>limit</c> lists holds the leaves by weight, merged with the pairs of the list before. From the first 2n - 2 entries of
/// the last list on, the leaves among the chosen entries of a list each lengthen their code by one bit. Chosen entries are always a
/// prefix of a list, so it suffices to know which entries are leaves.
/// </remarks>
internal static class PackageMerge
{
    /// <summary>Code lengths of symbols of the given weights, in the same order.</summary>
    /// <param name="ascendingWeights">At least two weights, from small to large, none negative.</param>
    /// <param name="limit">Longest code in bits; 2^limit is at least the number of symbols.</param>
    internal static byte[] CodeLengths(ReadOnlySpan<long> ascendingWeights, int limit)
    {
        int n = ascendingWeights.Length;
        if (n < 2 || limit is < 1 or > 62 || n > 1L << limit)
            throw new ArgumentOutOfRangeException(nameof(limit), limit, $"{n} symbols have no prefix code of at most {limit} bits.");
        var isLeaf = new bool[limit][];
        long[] previous = [];
        for (int level = 0; level < limit; level++)
        {
            int pairs = previous.Length / 2;
            var weights = new long[n + pairs];
            isLeaf[level] = new bool[n + pairs];
            int leaf = 0;
            int pair = 0;
            for (int i = 0; i < weights.Length; i++)
            {
                bool takeLeaf = pair == pairs || (leaf < n && ascendingWeights[leaf] <= previous[2 * pair] + previous[(2 * pair) + 1]);
                isLeaf[level][i] = takeLeaf;
                weights[i] = takeLeaf ? ascendingWeights[leaf++] : previous[2 * pair] + previous[(2 * pair++) + 1];
            }
            previous = weights;
        }

        var lengths = new byte[n];
        int chosen = (2 * n) - 2;
        for (int level = limit - 1; level >= 0; level--)
        {
            int leaves = isLeaf[level].AsSpan(0, chosen).Count(true);
            for (int i = 0; i < leaves; i++)
                lengths[i]++;
            chosen = 2 * (chosen - leaves);
        }
        return lengths;
    }
}
