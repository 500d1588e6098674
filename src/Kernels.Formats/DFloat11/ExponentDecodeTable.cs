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
        for (int window = 0; window < Entries.Length; window++)
            Entries[window] = BuildEntry((uint)window);
    }

    /// <summary>
    /// An entry: bits taken in byte 0, number of exponents in byte 1, the exponents from byte 4 up. Both counts are 0 where the window
    /// does not hold a whole code.
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

    private ulong BuildEntry(uint window)
    {
        ulong symbols = 0;
        int count = 0;
        int used = 0;
        while (count < MaxSymbols && used < WindowBits)
        {
            int known = WindowBits - used;
            int symbol = Resolve(window & ((1u << known) - 1), known);
            if (symbol < 0)
                break;
            int length = _luts[_lengthRow + symbol];
            if (length > known)
                break;
            symbols |= (ulong)symbol << (32 + (8 * count));
            used += length;
            count++;
        }
        return symbols | ((uint)count << 8) | (uint)used;
    }

    /// <summary>The exponent that every continuation of <paramref name="known"/> bits leads to, or -1 where that depends on bits to come.</summary>
    private int Resolve(uint bits, int known)
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
        if (known == 0)
            return -1;
        ReadOnlySpan<byte> slots = _luts.AsSpan((row * RowLength) + (int)(bits << (8 - known)), 1 << (8 - known));
        return slots[0] < FirstPointer && slots.IndexOfAnyExcept(slots[0]) < 0 ? slots[0] : -1;
    }
}
