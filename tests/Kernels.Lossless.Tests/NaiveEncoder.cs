using System.Numerics;
using Kernels.Formats;
using Kernels.Formats.DFloat11;

namespace Kernels.Lossless.Tests;

/// <summary>
/// Writes a group with codes of given lengths, a bit at a time: for codes that an optimal encoder would need billions of elements
/// to choose.
/// </summary>
internal static class NaiveEncoder
{
    /// <param name="bits">BF16 elements with exponents below <paramref name="lengths"/>' length.</param>
    /// <param name="lengths">Code length of each exponent, rising, filling the code space (sum of 2^-length is 1).</param>
    public static DFloat11Group Encode(ReadOnlySpan<ushort> bits, int[] lengths)
    {
        DFloat11Layout layout = DFloat11Layout.Default;
        uint[] codes = CanonicalCodes(lengths);
        var stream = new List<bool>();
        var starts = new List<long>();
        var signMantissa = new byte[bits.Length];
        for (int i = 0; i < bits.Length; i++)
        {
            int exponent = bits[i] >> 7 & 255;
            signMantissa[i] = (byte)(bits[i] >> 8 & 0x80 | bits[i] & 0x7f);
            starts.Add(stream.Count);
            for (int bit = lengths[exponent] - 1; bit >= 0; bit--)
                stream.Add((codes[exponent] >> bit & 1) != 0);
        }

        var encoded = Pack(stream);
        long chunks = layout.BlockCount(encoded.Length);
        var gaps = new List<bool>();
        var positions = new uint[chunks + 1];
        Array.Fill(positions, (uint)bits.Length);
        int at = 0;
        for (long thread = 0; thread < chunks * layout.ThreadsPerBlock; thread++)
        {
            long firstBit = thread * layout.BytesPerThread * 8;
            while (at < starts.Count && starts[at] < firstBit)
                at++;
            if (thread % layout.ThreadsPerBlock == 0)
                positions[thread / layout.ThreadsPerBlock] = (uint)at;
            long gap = at < starts.Count ? Math.Min(starts[at] - firstBit, 31) : 0;
            for (int bit = 4; bit >= 0; bit--)
                gaps.Add((gap >> bit & 1) != 0);
        }

        return new DFloat11Group("naive", layout, ByteRegion.CopyOf(encoded), ByteRegion.CopyOf(signMantissa), BuildLuts(codes, lengths), Pack(gaps), positions,
            [new DFloat11Matrix("naive.weight", 0, bits.Length)]);
    }

    private static uint[] CanonicalCodes(int[] lengths)
    {
        var codes = new uint[lengths.Length];
        ulong code = 0;
        for (int i = 0; i < lengths.Length; i++)
        {
            if (i > 0)
                code = (code + 1) << (lengths[i] - lengths[i - 1]);
            codes[i] = (uint)code;
        }

        if (BigInteger.Parse($"{code + 1}", System.Globalization.CultureInfo.InvariantCulture) != BigInteger.One << lengths[^1])
            throw new ArgumentException("The lengths do not fill the code space.", nameof(lengths));
        return codes;
    }

    private static byte[] BuildLuts(uint[] codes, int[] lengths)
    {
        // Each prefix of whole bytes that some code continues beyond has a row.
        var rows = new Dictionary<(int Bytes, uint Prefix), int> { [(0, 0)] = 0 };
        for (int i = 0; i < codes.Length; i++)
        {
            for (int bytes = 1; bytes * 8 < lengths[i]; bytes++)
                rows.TryAdd((bytes, codes[i] >> (lengths[i] - (bytes * 8))), rows.Count);
        }

        var luts = new byte[(rows.Count + 1) * 256];
        foreach (((int bytes, uint prefix), int row) in rows)
        {
            for (uint slot = 0; slot < 256; slot++)
            {
                uint value = prefix << 8 | slot;
                int depth = (bytes + 1) * 8;
                if (rows.TryGetValue((bytes + 1, value), out int target))
                    luts[(row * 256) + slot] = (byte)(256 - target);
                else
                    luts[(row * 256) + slot] = (byte)Array.FindIndex(codes, code => lengths[Array.IndexOf(codes, code)] is var length && length <= depth && value >> (depth - length) == code);
            }
        }

        for (int i = 0; i < lengths.Length; i++)
            luts[(rows.Count * 256) + i] = (byte)lengths[i];
        return luts;
    }

    private static byte[] Pack(List<bool> bits)
    {
        var bytes = new byte[(bits.Count + 7) / 8];
        for (int i = 0; i < bits.Count; i++)
        {
            if (bits[i])
                bytes[i / 8] |= (byte)(0x80 >> i % 8);
        }

        return bytes;
    }
}
