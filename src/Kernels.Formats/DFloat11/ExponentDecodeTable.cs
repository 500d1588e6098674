using static Kernels.Formats.DFloat11.DFloat11Codes;

namespace Kernels.Formats.DFloat11;

/// <summary>
/// A group's code tables as the CPU decoder reads them: a window of the stream gives up to four exponents at once, and a walk through the
/// rows of <c>luts</c> serves the codes that are longer than the window.
/// </summary>
internal sealed class ExponentDecodeTable
{
    /// <summary>
    /// Bits of a window. 11 and not 12: the 16 KiB of entries leave room for the data in a 32 KiB cache, and five lookups (55 bits) fit
    /// the 57 bits that one unaligned 8-byte load is good for.
    /// </summary>
    internal const int WindowBits = 11;

    /// <summary>Exponents an entry.</summary>
    internal const int MaxSymbols = 4;

    private readonly byte[] _luts;
    private readonly int _lengthRow;

    /// <summary>Builds the tables of validated <c>luts</c>.</summary>
    internal ExponentDecodeTable(ReadOnlySpan<byte> luts)
    {
        _luts = luts.ToArray();
        _lengthRow = luts.Length - RowLength;
        Entries = GC.AllocateUninitializedArray<ulong>(1 << WindowBits, pinned: true);
        Fill(BuildPrefixes(), prefix: 0, depth: 0, start: 0, codes: 0, count: 0);
    }

    /// <summary>
    /// An entry: bits taken in byte 0, number of exponents in byte 1, the bits of the window at which these codes start in bytes 2 and 3
    /// (the window's first bit lowest), the exponents from byte 4 up. Both counts are 0 where the window does not hold a whole code; that
    /// code starts at its first bit all the same.
    /// </summary>
    internal ulong[] Entries { get; }

    /// <summary>Decodes one code from 32 bits of the stream by walking the rows.</summary>
    internal byte Walk(uint window, out int length)
    {
        int row = 0;
        for (int shift = 24; ; shift -= 8)
        {
            byte value = _luts[(row * RowLength) + (byte)(window >> shift)];
            if (value < FirstPointer)
            {
                length = _luts[_lengthRow + value];
                return value;
            }
            row = RowLength - value; // ends: validation has followed every pointer for four levels at most
        }
    }

    /// <summary>
    /// Walks the tree of all windows bit by bit and fills the entries below a prefix as soon as it holds <see cref="MaxSymbols"/> codes, or
    /// the whole window is known.
    /// </summary>
    private void Fill(short[] prefixes, uint prefix, int depth, int start, ulong codes, int count)
    {
        while (count < MaxSymbols && start < depth)
        {
            int known = depth - start;
            int symbol = Resolve(prefixes, prefix & ((1u << known) - 1), known);
            if (symbol < 0 || _luts[_lengthRow + symbol] > known)
                break;
            codes |= ((ulong)symbol << (32 + (8 * count++))) | (1UL << (16 + start));
            start += _luts[_lengthRow + symbol];
        }
        if (count == MaxSymbols || depth == WindowBits)
        {
            int free = WindowBits - depth;
            Entries.AsSpan((int)prefix << free, 1 << free).Fill(codes | (1UL << 16) | ((uint)count << 8) | (uint)start);
            return;
        }
        Fill(prefixes, prefix << 1, depth + 1, start, codes, count);
        Fill(prefixes, (prefix << 1) | 1, depth + 1, start, codes, count);
    }

    /// <summary>
    /// For each row and each prefix of n &lt; 8 bits, at index 2^n + prefix: the exponent that all slots below it hold, or -1 where they
    /// differ or point to a row.
    /// </summary>
    private short[] BuildPrefixes()
    {
        short[] prefixes = new short[_lengthRow];
        for (int row = 0; row < _lengthRow; row += RowLength)
        {
            for (int i = RowLength - 1; i > 0; i--)
            {
                int left = 2 * i < RowLength ? prefixes[row + (2 * i)] : Exponent(_luts[row + (2 * i) - RowLength]);
                int right = 2 * i < RowLength ? prefixes[row + (2 * i) + 1] : Exponent(_luts[row + (2 * i) + 1 - RowLength]);
                prefixes[row + i] = (short)(left == right ? left : -1);
            }
        }
        return prefixes;

        static int Exponent(byte value) => value < FirstPointer ? value : -1;
    }

    /// <summary>The exponent that every continuation of <paramref name="known"/> bits leads to, or -1 where that depends on bits to come.</summary>
    private int Resolve(short[] prefixes, uint bits, int known)
    {
        int row = 0;
        while (known >= 8)
        {
            known -= 8;
            byte value = _luts[(row * RowLength) + (int)(bits >> known)];
            if (value < FirstPointer)
                return value;
            row = RowLength - value;
            bits &= (1u << known) - 1;
        }
        return known == 0 ? -1 : prefixes[(row * RowLength) + (1 << known) + (int)bits];
    }
}
