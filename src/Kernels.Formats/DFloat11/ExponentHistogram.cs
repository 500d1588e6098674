namespace Kernels.Formats.DFloat11;

/// <summary>Counts the exponents of BF16 elements.</summary>
internal static unsafe class ExponentHistogram
{
    internal const int Length = 256;

    /// <summary>Adds the exponents of <paramref name="count"/> elements to <paramref name="counts"/>.</summary>
    internal static void Add(ushort* elements, int count, Span<uint> counts)
    {
        // Real weights have few exponents, so one table would wait for its own last store again and again: eight tables in turn.
        const int tables = 8;
        uint* partial = stackalloc uint[tables * Length];
        new Span<uint>(partial, tables * Length).Clear();
        int i = 0;
        for (; i + tables <= count; i += tables)
        {
            ulong low = *(ulong*)(elements + i);
            ulong high = *(ulong*)(elements + i + 4);
            partial[(byte)(low >> 7)]++;
            partial[Length + (byte)(low >> 23)]++;
            partial[(2 * Length) + (byte)(low >> 39)]++;
            partial[(3 * Length) + (byte)(low >> 55)]++;
            partial[(4 * Length) + (byte)(high >> 7)]++;
            partial[(5 * Length) + (byte)(high >> 23)]++;
            partial[(6 * Length) + (byte)(high >> 39)]++;
            partial[(7 * Length) + (byte)(high >> 55)]++;
        }
        for (; i < count; i++)
            partial[(byte)(elements[i] >> 7)]++;
        for (int slot = 0; slot < tables * Length; slot++)
            counts[slot % Length] += partial[slot];
    }
}
