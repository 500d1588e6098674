using Kernels.Formats.DFloat11;

namespace Kernels.Formats.Tests.DFloat11;

/// <summary>
/// A second encoder that shares nothing with the library's and makes the choices that other writers make: textbook Huffman, not canonical,
/// with the lighter branch as 0, so that the end-of-stream code is all zeros and its slots are the first of the deepest row; rows filled
/// forward from whatever came last; output positions counted by the codes that start in a block, so possibly one entry short.
/// </summary>
internal static class PlainEncoder
{
    private const int EndOfStream = 256;

    internal static DFloat11Group Encode(string name, ushort[] elements)
    {
        int[] exponents = Array.ConvertAll(elements, element => (element >> 7) & 255);
        Dictionary<int, string> codes = Codes(exponents);
        var bits = new List<bool>();
        var gaps = new List<int>();
        var positions = new List<uint>();
        for (int i = 0; i < exponents.Length; i++)
        {
            while (gaps.Count <= bits.Count / 64)
                gaps.Add(bits.Count - (64 * gaps.Count));
            if (positions.Count <= bits.Count / 32768)
                positions.Add((uint)i);
            bits.AddRange(codes[exponents[i]].Select(bit => bit == '1'));
        }
        positions.Add((uint)elements.Length);
        foreach (char bit in codes[EndOfStream].PadRight(8, '0'))
        {
            if (bits.Count % 8 != 0)
                bits.Add(bit == '1');
        }
        byte[] stream = Pack(bits);
        int blocks = (stream.Length + 4095) / 4096;
        gaps.AddRange(Enumerable.Repeat(0, (512 * blocks) - gaps.Count));
        byte[] packedGaps = Pack([.. gaps.SelectMany(gap => Enumerable.Range(0, 5).Select(i => ((gap >> (4 - i)) & 1) == 1))]);
        byte[] signMantissa = Array.ConvertAll(elements, element => (byte)(((element >> 15) << 7) | (element & 127)));
        return new DFloat11Group(
            name, DFloat11Layout.Default, ByteRegion.CopyOf(stream), ByteRegion.CopyOf(signMantissa), Luts(codes), packedGaps, positions.ToArray(),
            [new DFloat11Matrix(name, 0, elements.Length)]);
    }

    private static Dictionary<int, string> Codes(int[] exponents)
    {
        var counts = exponents.GroupBy(exponent => exponent).ToDictionary(group => group.Key, group => group.Count());
        counts[EndOfStream] = 1;
        // Where codes are too long, the k rarest counts are made 1, for k = 2, 3, ...
        for (int rarest = 1; ; rarest++)
        {
            foreach (int symbol in counts.OrderBy(entry => entry.Value).Take(rarest).Select(entry => entry.Key).ToList())
                counts[symbol] = 1;
            var queue = new PriorityQueue<(long Weight, List<(int Symbol, string Code)> Leaves), (long, int)>();
            int serial = 0;
            foreach (var (symbol, count) in counts.OrderByDescending(entry => entry.Key))
                queue.Enqueue((count, [(symbol, "")]), (count, serial++));
            while (queue.Count > 1)
            {
                var light = queue.Dequeue();
                var heavy = queue.Dequeue();
                long weight = light.Weight + heavy.Weight;
                queue.Enqueue((weight, [.. light.Leaves.Select(leaf => (leaf.Symbol, "0" + leaf.Code)), .. heavy.Leaves.Select(leaf => (leaf.Symbol, "1" + leaf.Code))]), (weight, serial++));
            }
            var leaves = queue.Dequeue().Leaves;
            if (leaves.Max(leaf => leaf.Code.Length) <= 32)
                return leaves.ToDictionary(leaf => leaf.Symbol, leaf => leaf.Code);
        }
    }

    private static byte[] Luts(Dictionary<int, string> codes)
    {
        codes = codes.Where(entry => entry.Key != EndOfStream).ToDictionary();
        List<string> prefixes = [.. codes.Values.Select(code => code[..((code.Length - 1) / 8 * 8)]).Append("").SelectMany(prefix => Enumerable.Range(0, (prefix.Length / 8) + 1).Select(level => prefix[..(8 * level)])).Distinct().OrderBy(prefix => prefix.Length)];
        byte[] luts = new byte[256 * (prefixes.Count + 1)];
        byte value = 0;
        for (int row = 0; row < prefixes.Count; row++)
        {
            for (int slot = 0; slot < 256; slot++)
            {
                string path = prefixes[row] + Convert.ToString(slot, 2).PadLeft(8, '0');
                int target = prefixes.IndexOf(path);
                var leaf = codes.FirstOrDefault(entry => entry.Value.Length > prefixes[row].Length && path.StartsWith(entry.Value, StringComparison.Ordinal), new(-1, ""));
                if (target >= 0)
                    value = (byte)(256 - target);
                else if (leaf.Key >= 0)
                    value = (byte)leaf.Key;
                luts[(256 * row) + slot] = value;
            }
        }
        foreach (var (exponent, code) in codes)
            luts[(256 * prefixes.Count) + exponent] = (byte)code.Length;
        return luts;
    }

    private static byte[] Pack(List<bool> bits)
    {
        byte[] bytes = new byte[(bits.Count + 7) / 8];
        for (int i = 0; i < bits.Count; i++)
        {
            if (bits[i])
                bytes[i / 8] |= (byte)(0x80 >> (i % 8));
        }
        return bytes;
    }
}
