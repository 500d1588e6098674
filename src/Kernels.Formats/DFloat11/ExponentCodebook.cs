using static Kernels.Formats.DFloat11.DFloat11Codes;

namespace Kernels.Formats.DFloat11;

/// <summary>
/// The Huffman code of a group: canonical, at most 32 bits, with the end-of-stream symbol that the layout demands, in the form of both
/// codes (to write) and <c>luts</c> (to read).
/// </summary>
internal sealed class ExponentCodebook
{
    /// <summary>The symbol behind the exponents. It has the count 1, the longest code, and all ones as its bits.</summary>
    private const int EndOfStream = 256;

    private readonly byte[] _lengths = new byte[EndOfStream + 1];
    private readonly uint[] _codes = new uint[EndOfStream + 1];
    private readonly int[] _canonicalOrder;

    private ExponentCodebook(int[] symbolsByCount, byte[] lengths)
    {
        for (int i = 0; i < lengths.Length; i++)
            _lengths[symbolsByCount[i]] = lengths[i];
        _canonicalOrder = [.. symbolsByCount.OrderBy(symbol => _lengths[symbol]).ThenBy(symbol => symbol)];
        ulong code = 0;
        int length = _lengths[_canonicalOrder[0]];
        foreach (int symbol in _canonicalOrder)
        {
            code <<= _lengths[symbol] - length;
            length = _lengths[symbol];
            _codes[symbol] = (uint)code++;
        }
    }

    /// <summary>Bits of the code of each exponent; 0 where the exponent does not occur.</summary>
    internal ReadOnlySpan<byte> Lengths => _lengths.AsSpan(0, EndOfStream);

    /// <summary>The code of each exponent, right-aligned.</summary>
    internal ReadOnlySpan<uint> Codes => _codes.AsSpan(0, EndOfStream);

    internal byte EndLength => _lengths[EndOfStream];

    internal uint EndCode => _codes[EndOfStream];

    /// <summary>
    /// The best code for the counts of exponents 0 to 239: of at most 32 bits, or shorter where the rows that its long codes need are more
    /// than pointers can name. (With at most 8 bits there is one row, and 241 symbols fit, so an answer always exists.)
    /// </summary>
    internal static ExponentCodebook Build(ReadOnlySpan<long> counts)
    {
        var symbols = new List<(long Count, int Symbol)> { (1, EndOfStream) };
        for (int exponent = 0; exponent < counts.Length; exponent++)
        {
            if (counts[exponent] == 0)
                continue;
            if (exponent >= FirstPointer)
                throw new ArgumentException($"Exponent {exponent} occurs; exponents from {FirstPointer} on cannot be coded.", nameof(counts));
            symbols.Add((counts[exponent], exponent));
        }
        if (symbols.Count < 2)
            throw new ArgumentException("There are no exponents to code.", nameof(counts));
        // The end symbol first among equals: it gets the longest code.
        symbols.Sort(static (a, b) => a.Count != b.Count ? a.Count.CompareTo(b.Count) : b.Symbol.CompareTo(a.Symbol));
        long[] weights = [.. symbols.Select(entry => entry.Count)];
        int[] order = [.. symbols.Select(entry => entry.Symbol)];
        for (int limit = MaxCodeLength; ; limit--)
        {
            byte[] lengths = PackageMerge.CodeLengths(weights, limit);
            if (CountRows(lengths) <= MaxDecodeRows)
                return new ExponentCodebook(order, lengths);
            limit = Math.Min(limit, lengths.Max());
        }
    }

    /// <summary>Bits of the codes of all elements with the given counts.</summary>
    internal long StreamBits(ReadOnlySpan<long> counts)
    {
        long bits = 0;
        for (int exponent = 0; exponent < counts.Length; exponent++)
            bits += counts[exponent] * _lengths[exponent];
        return bits;
    }

    /// <summary>
    /// Decode rows, then the row of lengths. Codes are ascending in canonical order, so rows are found in the order of their prefixes, and
    /// the end symbol, whose slots are never read before the end, fills the last slots of its row with the exponent before it.
    /// </summary>
    internal byte[] BuildLuts()
    {
        var rows = new Dictionary<(int Level, uint Prefix), int> { [(0, 0)] = 0 };
        int deepest = (_lengths[EndOfStream] - 1) / 8;
        for (int level = 1; level <= deepest; level++)
        {
            foreach (int symbol in _canonicalOrder)
            {
                if (_lengths[symbol] > 8 * level)
                    rows.TryAdd((level, _codes[symbol] >> (_lengths[symbol] - (8 * level))), rows.Count);
            }
        }
        byte[] luts = new byte[(rows.Count + 1) * RowLength];
        foreach (var ((level, prefix), row) in rows)
        {
            if (level > 0)
                luts[(rows[(level - 1, prefix >> 8)] * RowLength) + (byte)prefix] = (byte)(RowLength - row);
        }
        int lengthRow = rows.Count * RowLength;
        byte filler = 0;
        foreach (int symbol in _canonicalOrder)
        {
            int length = _lengths[symbol];
            int level = (length - 1) / 8;
            int free = (8 * (level + 1)) - length;
            // A code may have 32 bits, and at level 0 there is no prefix.
            int row = rows[(level, level == 0 ? 0 : _codes[symbol] >> (length - (8 * level)))];
            if (symbol != EndOfStream)
            {
                filler = (byte)symbol;
                luts[lengthRow + symbol] = (byte)length;
            }
            luts.AsSpan((row * RowLength) + (byte)(_codes[symbol] << free), 1 << free).Fill(filler);
        }
        return luts;
    }

    // The number of inner nodes at depths 8, 16 and 24 follows from the lengths alone, because the code is complete.
    private static long CountRows(ReadOnlySpan<byte> lengths)
    {
        long rows = 1;
        for (int depth = 8; depth < MaxCodeLength; depth += 8)
        {
            UInt128 leaves = 0;
            foreach (byte length in lengths)
            {
                if (length <= depth)
                    leaves += UInt128.One << (depth - length);
            }
            rows += (long)((UInt128.One << depth) - leaves);
        }
        return rows;
    }
}
