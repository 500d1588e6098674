namespace Kernels.Formats.DFloat11;

/// <summary>Counts the exponents of BF16 elements.</summary>
internal static unsafe class ExponentHistogram
{
    internal const int Length = 256;

    /// <summary>Adds the exponents of <paramref name="count"/> elements to <paramref name="counts"/>.</summary>
    internal static void Add(ushort* elements, int count, Span<uint> counts)
    {
        // Real weights have few exponents, so one table would wait for its own last store again and again: four tables in turn.
        const int tables = 4;
        uint* partial = stackalloc uint[tables * Length];
        new Span<uint>(partial, tables * Length).Clear();
        int i = 0;
        for (; i + tables <= count; i += tables)
        {
            ulong four = *(ulong*)(elements + i);
            partial[(byte)(four >> 7)]++;
            partial[Length + (byte)(four >> 23)]++;
            partial[(2 * Length) + (byte)(four >> 39)]++;
            partial[(3 * Length) + (byte)(four >> 55)]++;
        }
        for (; i < count; i++)
            partial[(byte)(elements[i] >> 7)]++;
        for (int exponent = 0; exponent < Length; exponent++)
            counts[exponent] += partial[exponent] + partial[Length + exponent] + partial[(2 * Length) + exponent] + partial[(3 * Length) + exponent];
    }
}
