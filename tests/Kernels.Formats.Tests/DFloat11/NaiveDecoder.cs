using Kernels.Formats.DFloat11;

namespace Kernels.Formats.Tests.DFloat11;

/// <summary>
/// A second decoder that shares nothing with the library's: it walks the stream as the reference kernel does. Each thread owns 8 bytes
/// and decodes the codes that start there, bit by bit; phase 1 counts, a scan over the block gives each thread its place, phase 2 decodes
/// again and writes. Gaps of every thread and positions of every block are used and nothing else.
/// </summary>
internal static class NaiveDecoder
{
    internal static ushort[] Decode(DFloat11Group group)
    {
        byte[] stream = group.EncodedExponent.AsSpan().ToArray();
        byte[] signMantissa = group.SignMantissa.AsSpan().ToArray();
        byte[] luts = group.Luts.ToArray();
        byte[] gaps = group.Gaps.ToArray();
        uint[] positions = group.OutputPositions.ToArray();
        int threads = group.Layout.ThreadsPerBlock;
        int bitsPerThread = 8 * group.Layout.BytesPerThread;
        var output = new ushort[group.ElementCount];
        int blocks = (stream.Length + (threads * group.Layout.BytesPerThread) - 1) / (threads * group.Layout.BytesPerThread);
        for (int block = 0; block < blocks; block++)
        {
            int[] counts = new int[threads];
            for (int t = 0; t < threads; t++)
            {
                DecodeThread(stream, luts, gaps, (block * threads) + t, bitsPerThread, _ => counts[t]++);
            }
            long position = positions[block];
            for (int t = 0; t < threads; t++)
            {
                long at = position;
                DecodeThread(stream, luts, gaps, (block * threads) + t, bitsPerThread, exponent =>
                {
                    if (at < Math.Min(positions[block + 1], output.Length))
                        output[at] = (ushort)(((signMantissa[at] >> 7) << 15) | (exponent << 7) | (signMantissa[at] & 127));
                    at++;
                });
                position += counts[t];
            }
            // Only behind the very last code do threads find more than there is.
            if (block + 1 < blocks && positions[block + 1] != output.Length)
                Assert.That(position, Is.EqualTo(positions[block + 1]), $"elements of the blocks up to {block}");
            else
                Assert.That(position, Is.GreaterThanOrEqualTo(positions[block + 1]), "elements of the last block");
        }
        return output;
    }

    private static void DecodeThread(byte[] stream, byte[] luts, byte[] gaps, long thread, int bitsPerThread, Action<int> emit)
    {
        long start = thread * bitsPerThread;
        int gap = 0;
        for (int i = 0; i < 5; i++)
            gap = (gap << 1) | Bit(gaps, (5 * thread) + i);
        long bit = start + gap;
        while (bit < start + bitsPerThread && bit < 8L * stream.Length)
        {
            int row = 0;
            int value = 0;
            for (int level = 0; level < 4; level++)
            {
                int index = 0;
                for (int i = 0; i < 8; i++)
                    index = (index << 1) | Bit(stream, bit + (8 * level) + i);
                value = luts[(256 * row) + index];
                if (value < 240)
                    break;
                row = 256 - value;
            }
            int length = luts[luts.Length - 256 + value];
            Assert.That(length, Is.GreaterThan(0), "code length");
            emit(value);
            bit += length;
        }
    }

    private static int Bit(byte[] bytes, long bit) => bit < 8L * bytes.Length ? (bytes[bit / 8] >> (int)(7 - (bit % 8))) & 1 : 0;
}
