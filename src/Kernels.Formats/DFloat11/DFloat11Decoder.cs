using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Kernels.Formats.DFloat11;

/// <summary>Decodes DF11 groups on the CPU, bit for bit.</summary>
/// <remarks>
/// Blocks are independent, because the gaps tell where the first code of a block starts and the output positions where its elements go.
/// So they are decoded in parallel, and each block's end is held against the start of the next one: a stream that does not fit its
/// positions is an error and not a wrong result.
/// </remarks>
public static unsafe class DFloat11Decoder
{
    /// <summary>Exponents that are decoded before they are merged with their sign and mantissa bytes; small, so that they stay in the first-level cache.</summary>
    private const int StageLength = 2048;

    /// <summary>The most that one step of the fast loop adds: five lookups of four exponents.</summary>
    private const int StepLength = 5 * ExponentDecodeTable.MaxSymbols;

    private static readonly ParallelOptions AllCores = new();

    /// <summary>Decodes a whole group on all cores.</summary>
    /// <param name="group">The group.</param>
    /// <param name="output">BF16 bits of the group's elements; at least <see cref="DFloat11Group.ElementCount"/>. Nothing behind these is written.</param>
    /// <exception cref="InvalidModelException">The stream does not hold the codes that the positions promise.</exception>
    public static void Decode(DFloat11Group group, Span<ushort> output)
    {
        fixed (ushort* pointer = output)
            Decode(group, pointer, output.Length, AllCores);
    }

    /// <summary>Decodes a whole group.</summary>
    /// <param name="group">The group.</param>
    /// <param name="output">BF16 bits of the group's elements.</param>
    /// <param name="length">Elements that fit; at least <see cref="DFloat11Group.ElementCount"/>. Nothing behind these is written.</param>
    /// <param name="options">Number of threads, cancellation.</param>
    /// <exception cref="InvalidModelException">The stream does not hold the codes that the positions promise.</exception>
    /// <exception cref="OperationCanceledException">The work was cancelled; the output is incomplete.</exception>
    public static void Decode(DFloat11Group group, ushort* output, long length, ParallelOptions options)
    {
        ArgumentNullException.ThrowIfNull(group);
        ArgumentNullException.ThrowIfNull(output);
        ArgumentNullException.ThrowIfNull(options);
        if (length < group.ElementCount)
            throw new ArgumentException($"'{group.Name}' has {group.ElementCount} elements, but the output takes {length}.", nameof(length));
        var table = new ExponentDecodeTable(group.Luts);
        if (options.MaxDegreeOfParallelism == 1)
        {
            for (long block = 0; block < group.BlockCount; block++)
            {
                options.CancellationToken.ThrowIfCancellationRequested();
                DecodeBlock(group, table, block, output);
            }
        }
        else
        {
            try
            {
                Parallel.For(0, group.BlockCount, options, block => DecodeBlock(group, table, block, output));
            }
            catch (AggregateException e) when (e.InnerExceptions.OfType<InvalidModelException>().FirstOrDefault() is { } invalid)
            {
                throw invalid;
            }
        }
        group.EncodedExponent.KeepAlive();
        group.SignMantissa.KeepAlive();
    }

    private static void DecodeBlock(DFloat11Group group, ExponentDecodeTable table, long block, ushort* output)
    {
        uint first = group.OutputPositions[(int)block];
        uint end = group.OutputPositions[(int)block + 1];
        if (first == end)
            return;
        byte* stream = group.EncodedExponent.Pointer;
        long bytes = group.EncodedExponent.Length;
        long bit = BlockStart(group, block);
        byte* stage = stackalloc byte[StageLength + StepLength];
        for (long at = first; at < end;)
        {
            int count = DecodeStage(table, stream, bytes, ref bit, stage, end - at);
            if (count < 0)
                throw group.Invalid("encoded_exponent", $"the stream of {bytes} bytes ends inside block {block}, at element {at - count - 1} of {group.ElementCount}");
            Merge(stage, group.SignMantissa.Pointer + at, output + at, count);
            at += count;
        }
        CheckEnd(group, block, bit);
    }

    private static long BlockStart(DFloat11Group group, long block) =>
        (8 * block * group.Layout.BytesPerBlock) + DFloat11Gaps.Read(group.PaddedGaps, block * group.Layout.ThreadsPerBlock);

    private static void CheckEnd(DFloat11Group group, long block, long bit)
    {
        bool isLast = group.OutputPositions[(int)block + 1] == group.ElementCount;
        long expected = isLast ? 8 * group.EncodedExponent.Length : BlockStart(group, block + 1);
        // Behind the last code the last byte is filled.
        if (isLast ? bit > expected : bit != expected)
            throw group.Invalid("encoded_exponent", $"the codes of block {block} end at bit {bit}, but {(isLast ? "the stream ends" : "the next block starts")} at bit {expected}");
    }

    /// <summary>
    /// Decodes up to a stage of exponents, at most <paramref name="remaining"/>. Returns their number, or where the stream ends before,
    /// -1 minus the number that it held.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static int DecodeStage(ExponentDecodeTable table, byte* stream, long bytes, ref long position, byte* stage, long remaining)
    {
        long bit = position;
        int count = 0;
        // A step of the fast loop may add StepLength exponents, and loads 8 bytes.
        int fastEnd = (int)Math.Min(StageLength, remaining - StepLength);
        long lastLoad = bytes - sizeof(ulong);
        fixed (ulong* entries = table.Entries)
        {
            const int shift = 64 - ExponentDecodeTable.WindowBits;
            while (count <= fastEnd && (bit >> 3) <= lastLoad)
            {
                ulong window = BinaryPrimitives.ReverseEndianness(Unsafe.ReadUnaligned<ulong>(stream + (bit >> 3))) << (int)(bit & 7);
                ulong e0 = entries[window >> shift];
                window <<= (int)e0;
                ulong e1 = entries[window >> shift];
                window <<= (int)e1;
                ulong e2 = entries[window >> shift];
                window <<= (int)e2;
                ulong e3 = entries[window >> shift];
                window <<= (int)e3;
                ulong e4 = entries[window >> shift];
                byte* at = stage + count;
                Unsafe.WriteUnaligned(at, (uint)(e0 >> 32));
                at += (byte)(e0 >> 8);
                Unsafe.WriteUnaligned(at, (uint)(e1 >> 32));
                at += (byte)(e1 >> 8);
                Unsafe.WriteUnaligned(at, (uint)(e2 >> 32));
                at += (byte)(e2 >> 8);
                Unsafe.WriteUnaligned(at, (uint)(e3 >> 32));
                at += (byte)(e3 >> 8);
                Unsafe.WriteUnaligned(at, (uint)(e4 >> 32));
                at += (byte)(e4 >> 8);
                count = (int)(at - stage);
                // The bits of five entries sum up in byte 0: at most 55.
                bit += (byte)(e0 + e1 + e2 + e3 + e4);
                // A code longer than the window stops all later lookups of the step, so the last one tells.
                if ((byte)e4 == 0)
                {
                    if (!DecodeOne(table, stream, bytes, ref bit, stage + count))
                        return -1 - count;
                    count++;
                }
            }
        }
        int end = (int)Math.Min(StageLength, remaining);
        for (; count < end; count++)
        {
            if (!DecodeOne(table, stream, bytes, ref bit, stage + count))
                return -1 - count;
        }
        position = bit;
        return count;
    }

    private static bool DecodeOne(ExponentDecodeTable table, byte* stream, long bytes, ref long bit, byte* exponent)
    {
        long at = bit >> 3;
        if (at >= bytes)
            return false;
        ulong window = 0;
        if (at <= bytes - sizeof(ulong))
        {
            window = BinaryPrimitives.ReverseEndianness(Unsafe.ReadUnaligned<ulong>(stream + at));
        }
        else
        {
            // Behind the stream there are zeros.
            for (int i = 0; i < bytes - at; i++)
                window |= (ulong)stream[at + i] << (56 - (8 * i));
        }
        *exponent = table.Walk((uint)((window << (int)(bit & 7)) >> 32), out int length);
        bit += length;
        return true;
    }

    /// <summary>Puts sign, exponent and mantissa together.</summary>
    private static void Merge(byte* exponents, byte* signMantissa, ushort* output, int count)
    {
        int i = 0;
        if (Vector256.IsHardwareAccelerated)
        {
            var sign = Vector256.Create((ushort)0x8000);
            var mantissa = Vector256.Create((ushort)0x7F);
            for (; i <= count - Vector256<ushort>.Count; i += Vector256<ushort>.Count)
            {
                Vector256<ushort> e = Widen(exponents + i);
                Vector256<ushort> s = Widen(signMantissa + i);
                (((s << 8) & sign) | (e << 7) | (s & mantissa)).Store(output + i);
            }
        }
        for (; i < count; i++)
            output[i] = (ushort)(((signMantissa[i] & 0x80) << 8) | (exponents[i] << 7) | (signMantissa[i] & 0x7F));
    }

    private static Vector256<ushort> Widen(byte* bytes)
    {
        Vector128<byte> vector = Vector128.Load(bytes);
        return Vector256.Create(Vector128.WidenLower(vector), Vector128.WidenUpper(vector));
    }
}
