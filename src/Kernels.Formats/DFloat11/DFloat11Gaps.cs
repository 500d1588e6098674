namespace Kernels.Formats.DFloat11;

/// <summary>The packing of <c>gaps</c>: 5-bit entries, most significant bit first.</summary>
internal static class DFloat11Gaps
{
    internal const int Bits = 5;

    /// <summary>Reads an entry. The last entry ends with the last byte, so the byte after it counts as 0.</summary>
    internal static int Read(ReadOnlySpan<byte> gaps, long thread)
    {
        long bit = thread * Bits;
        int at = (int)(bit >> 3);
        int pair = (gaps[at] << 8) | (at + 1 < gaps.Length ? gaps[at + 1] : 0);
        return (pair >> (11 - (int)(bit & 7))) & 31;
    }

    /// <summary>Packs one byte an entry to 5 bits an entry. The entries are a multiple of 8, as blocks of 512 threads are.</summary>
    internal static byte[] Pack(ReadOnlySpan<byte> entries)
    {
        byte[] packed = new byte[entries.Length / 8 * Bits];
        for (int i = 0, o = 0; i < entries.Length; i += 8, o += Bits)
        {
            ulong bits = 0;
            for (int k = 0; k < 8; k++)
                bits = (bits << Bits) | entries[i + k];
            for (int k = 0; k < Bits; k++)
                packed[o + k] = (byte)(bits >> (32 - (8 * k)));
        }
        return packed;
    }
}
