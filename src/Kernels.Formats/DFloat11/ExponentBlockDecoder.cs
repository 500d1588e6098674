using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Kernels.Formats.DFloat11;

/// <summary>Decodes the blocks of a group into its output.</summary>
/// <remarks>
/// Exponents go into a small stage first and are merged with their sign and mantissa bytes from there, by vectors. Safe for any stream:
/// loads end with the stream, and what a block writes ends with its last element.
/// </remarks>
internal sealed unsafe class ExponentBlockDecoder(DFloat11Group group, ushort* output)
{
    /// <summary>Exponents of a stage; small, so that it stays in the first-level cache with the table.</summary>
    private const int StageLength = 2048;

    /// <summary>Table lookups from one load of 8 bytes: 5 windows of 11 bits are in the 57 bits that are good at any bit offset.</summary>
    private const int Lookups = 5;

    /// <summary>The most exponents that a step of <see cref="Lookups"/> adds.</summary>
    private const int StepLength = Lookups * ExponentDecodeTable.MaxSymbols;

    private const int WindowShift = 64 - ExponentDecodeTable.WindowBits;

    private readonly ExponentDecodeTable _table = new(group.Luts);
    private readonly byte* _signMantissa = group.SignMantissa.Pointer;
    private readonly long _streamBytes = group.EncodedExponent.Length;
    private readonly byte* _streamEnd = group.EncodedExponent.Pointer + group.EncodedExponent.Length;
    private readonly int _blockBits = 8 * group.Layout.BytesPerBlock;

    /// <summary>Words of the map of a block's code starts, and two that a step may write behind it.</summary>
    private readonly int _mapWords = ((group.Layout.BytesPerBlock + 7) / 8) + 2;

    /// <summary>
    /// Decodes a block and the one after it, if there is one, side by side. A block is one chain of dependent table reads; two chains hide
    /// each other's latency.
    /// </summary>
    [SkipLocalsInit]
    internal void DecodePair(long block)
    {
        const int stageBytes = StageLength + StepLength;
        byte* stage = stackalloc byte[2 * stageBytes];
        byte* secondStage = stage + stageBytes;
        ulong* maps = stackalloc ulong[2 * _mapWords];
        new Span<ulong>(maps, 2 * _mapWords).Clear();
        Cursor first = Start(block, maps);
        Cursor second = block + 1 < group.BlockCount ? Start(block + 1, maps + _mapWords) : default;
        while (CanStep(first) && CanStep(second))
        {
            int count = StepBoth(ref first, ref second, stage, secondStage, out int secondCount);
            Merge(ref first, stage, count);
            Merge(ref second, secondStage, secondCount);
        }
        Finish(ref first, stage);
        if (block + 1 < group.BlockCount)
            Finish(ref second, stage);
    }

    /// <summary>Where a block's decoding stands. Bits count from the start of the block.</summary>
    private struct Cursor
    {
        internal long Block;
        internal byte* Stream;
        internal long Bit;

        /// <summary>A step may start before this bit: in the block, and with 8 bytes of the stream to load.</summary>
        internal long StepLimit;

        /// <summary>Next element, and the end of the block's elements.</summary>
        internal long Element;
        internal long End;

        /// <summary>One bit for each bit of the block, lowest first: set where a code starts.</summary>
        internal ulong* Map;

        internal readonly long Remaining => End - Element;
    }

    private Cursor Start(long block, ulong* map)
    {
        long at = block * group.Layout.BytesPerBlock;
        var cursor = new Cursor
        {
            Block = block,
            Stream = group.EncodedExponent.Pointer + at,
            Bit = FirstGap(block),
            StepLimit = Math.Min(_blockBits, 8 * (_streamBytes - at - sizeof(ulong) + 1)),
            Element = group.OutputPositions[(int)block],
            End = group.OutputPositions[(int)block + 1],
            Map = map,
        };
        // A thread has at least as many bits as a code, so one starts in every thread until the last is read.
        if (cursor.Remaining == 0 && cursor.End != group.ElementCount)
            throw group.Invalid("output_positions", $"entries {block} and {block + 1} give block {block} no elements, but {group.ElementCount - cursor.End} elements follow it");
        return cursor;
    }

    private int FirstGap(long block) => group.Gap(block * group.Layout.ThreadsPerBlock);

    private static bool CanStep(in Cursor cursor) => cursor.Remaining >= StepLength && cursor.Bit < cursor.StepLimit;

    private void Finish(ref Cursor cursor, byte* stage)
    {
        // A block in which no code starts has nothing to check.
        if (cursor.End == group.OutputPositions[(int)cursor.Block])
            return;
        while (cursor.Remaining > 0)
            Merge(ref cursor, stage, CanStep(cursor) ? StepOne(ref cursor, stage) : Walk(ref cursor, stage));
        CheckEnd(cursor);
        CheckGaps(cursor);
    }

    private void CheckEnd(in Cursor cursor)
    {
        long start = cursor.Block * _blockBits;
        bool isLast = cursor.End == group.ElementCount;
        long expected = isLast ? 8 * _streamBytes : start + _blockBits + FirstGap(cursor.Block + 1);
        // Behind the last code the last byte is filled.
        if (isLast ? start + cursor.Bit > expected : start + cursor.Bit != expected)
            throw group.Invalid("encoded_exponent", $"the codes of block {cursor.Block} end at bit {start + cursor.Bit}, but {(isLast ? "the stream ends" : "the next block starts")} at bit {expected}");
    }

    /// <summary>
    /// Holds every thread's gap against the first code that starts in its bytes. This decoder needs only the first gap of a block, but the
    /// threads of a device start at their own. Threads behind the last code are exempt.
    /// </summary>
    private void CheckGaps(in Cursor cursor)
    {
        const int batch = 8;
        int threads = group.Layout.ThreadsPerBlock;
        int bytesPerThread = group.Layout.BytesPerThread;
        long firstThread = cursor.Block * threads;
        byte* map = (byte*)cursor.Map;
        fixed (byte* gaps = group.PaddedGaps)
        {
            for (int from = 0; from < threads; from += batch)
            {
                // Eight entries take 40 of the 57 bits that a load is good for.
                ulong entries = Load(gaps, (firstThread + from) * DFloat11Gaps.Bits);
                int to = Math.Min(from + batch, threads);
                for (int thread = from; thread < to; thread++)
                {
                    uint starts = Unsafe.ReadUnaligned<uint>(map + (thread * bytesPerThread));
                    uint gap = (uint)(entries >> (64 - DFloat11Gaps.Bits));
                    entries <<= DFloat11Gaps.Bits;
                    if (starts != 0 && (uint)BitOperations.TrailingZeroCount(starts) != gap)
                        throw group.Invalid("gaps", $"entry {firstThread + thread} (thread {thread} of block {cursor.Block}) is {gap}, but the first code that starts in the thread's bytes is at bit {BitOperations.TrailingZeroCount(starts)}");
                }
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private int StepBoth(ref Cursor first, ref Cursor second, byte* stage, byte* secondStage, out int secondCount)
    {
        var a = new Chain(first, stage);
        var b = new Chain(second, secondStage);
        fixed (ulong* entries = _table.Entries)
        {
            do
            {
                ulong windowA = Load(a.Stream, a.Bit);
                ulong windowB = Load(b.Stream, b.Bit);
                ulong entryA = 0;
                ulong entryB = 0;
                ulong sumA = 0;
                ulong sumB = 0;
                ulong startsA = 0;
                ulong startsB = 0;
                for (int lookup = 0; lookup < Lookups; lookup++)
                {
                    entryA = Take(entries, ref windowA, ref sumA, ref startsA, ref a.At);
                    entryB = Take(entries, ref windowB, ref sumB, ref startsB, ref b.At);
                }
                Advance(ref a, entryA, sumA, startsA);
                Advance(ref b, entryB, sumB, startsB);
            }
            while (a.CanGoOn && b.CanGoOn);
        }
        first.Bit = a.Bit;
        second.Bit = b.Bit;
        secondCount = (int)(b.At - secondStage);
        return (int)(a.At - stage);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private int StepOne(ref Cursor cursor, byte* stage)
    {
        var chain = new Chain(cursor, stage);
        fixed (ulong* entries = _table.Entries)
        {
            do
            {
                ulong window = Load(chain.Stream, chain.Bit);
                ulong entry = 0;
                ulong sum = 0;
                ulong starts = 0;
                for (int lookup = 0; lookup < Lookups; lookup++)
                    entry = Take(entries, ref window, ref sum, ref starts, ref chain.At);
                Advance(ref chain, entry, sum, starts);
            }
            while (chain.CanGoOn);
        }
        cursor.Bit = chain.Bit;
        return (int)(chain.At - stage);
    }

    /// <summary>What the steps of one block keep in registers.</summary>
    private struct Chain
    {
        internal readonly byte* Stream;
        internal readonly ulong* Map;
        private readonly byte* _end;
        private readonly long _limit;
        internal long Bit;
        internal byte* At;

        /// <summary>The word of the map that <see cref="Bit"/> is in, as far as it is known.</summary>
        internal ulong Word;

        internal Chain(in Cursor cursor, byte* stage)
        {
            Stream = cursor.Stream;
            Map = cursor.Map;
            _end = stage + Math.Min(StageLength, cursor.Remaining - StepLength);
            _limit = cursor.StepLimit;
            Bit = cursor.Bit;
            At = stage;
            Word = cursor.Map[cursor.Bit >> 6];
        }

        internal readonly bool CanGoOn => At <= _end && Bit < _limit;
    }

    /// <summary>One lookup: stores its exponents, notes where their codes start, and moves the window on.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Take(ulong* entries, ref ulong window, ref ulong sum, ref ulong starts, ref byte* at)
    {
        ulong entry = entries[window >> WindowShift];
        window <<= (int)entry;
        starts |= (ulong)(ushort)(entry >> 16) << (int)sum;
        // The bits of five entries sum up in the lowest byte: at most 55.
        sum += entry;
        Unsafe.WriteUnaligned(at, (uint)(entry >> 32));
        at += (byte)(entry >> 8);
        return entry;
    }

    /// <summary>Moves a chain behind a step, and adds the step's code starts to the map: at most 55 bits, in two words.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Advance(ref Chain chain, ulong lastEntry, ulong sum, ulong starts)
    {
        int shift = (int)chain.Bit & 63;
        long word = chain.Bit >> 6;
        ulong low = chain.Word | (starts << shift);
        ulong high = starts >> 1 >> (63 - shift);
        chain.Map[word] = low;
        chain.Map[word + 1] = high;
        chain.Bit += (byte)sum;
        chain.Word = chain.Bit >> 6 == word ? low : high;
        // A code longer than the window stops all later lookups of its step, so the last one tells.
        if ((byte)lastEntry == 0)
        {
            (*chain.At++, int length) = WalkOne(chain.Stream, chain.Bit);
            chain.Bit += length;
            // 55 bits and a code of 32 may lead two words on, where no start is known yet.
            chain.Word = chain.Bit >> 6 == word ? low : chain.Bit >> 6 == word + 1 ? high : 0;
        }
    }

    /// <summary>The last elements of a block, and those near the end of the stream, code by code.</summary>
    private int Walk(ref Cursor cursor, byte* stage)
    {
        int count = (int)Math.Min(cursor.Remaining, StepLength);
        long bytesLeft = _streamBytes - (cursor.Block * group.Layout.BytesPerBlock);
        for (int i = 0; i < count; i++)
        {
            if (cursor.Bit >= 8 * bytesLeft)
                throw group.Invalid("encoded_exponent", $"the stream of {_streamBytes} bytes ends inside block {cursor.Block}, at element {cursor.Element + i} of {group.ElementCount}");
            if (cursor.Bit >= _blockBits)
                throw group.Invalid("encoded_exponent", $"block {cursor.Block} ends at element {cursor.Element + i}, but output_positions gives it the elements up to {cursor.End}");
            ((byte*)cursor.Map)[cursor.Bit >> 3] |= (byte)(1 << (int)(cursor.Bit & 7));
            (stage[i], int length) = WalkOne(cursor.Stream, cursor.Bit);
            cursor.Bit += length;
        }
        return count;
    }

    /// <summary>8 bytes from a bit on, most significant first; at least 57 bits are good.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Load(byte* bytes, long bit) => BinaryPrimitives.ReverseEndianness(Unsafe.ReadUnaligned<ulong>(bytes + (bit >> 3))) << (int)(bit & 7);

    /// <summary>Decodes one code of any length. Behind the stream there are zeros.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private (byte Exponent, int Length) WalkOne(byte* stream, long bit)
    {
        long bytesLeft = _streamEnd - (stream + (bit >> 3));
        ulong window = 0;
        if (bytesLeft >= sizeof(ulong))
        {
            window = Load(stream, bit);
        }
        else
        {
            for (int i = 0; i < bytesLeft; i++)
                window |= (ulong)stream[(bit >> 3) + i] << (56 - (8 * i));
            window <<= (int)(bit & 7);
        }
        byte exponent = _table.Walk((uint)(window >> 32), out int length);
        return (exponent, length);
    }

    /// <summary>Puts sign, exponent and mantissa of staged elements together.</summary>
    private void Merge(ref Cursor cursor, byte* exponents, int count)
    {
        byte* signMantissa = _signMantissa + cursor.Element;
        ushort* to = output + cursor.Element;
        cursor.Element += count;
        int i = 0;
        if (Vector256.IsHardwareAccelerated)
        {
            var sign = Vector256.Create((ushort)0x8000);
            var mantissa = Vector256.Create((ushort)0x7F);
            for (; i <= count - Vector256<ushort>.Count; i += Vector256<ushort>.Count)
            {
                Vector256<ushort> e = Widen(exponents + i);
                Vector256<ushort> s = Widen(signMantissa + i);
                (((s << 8) & sign) | (e << 7) | (s & mantissa)).Store(to + i);
            }
        }
        for (; i < count; i++)
            to[i] = (ushort)(((signMantissa[i] & 0x80) << 8) | (exponents[i] << 7) | (signMantissa[i] & 0x7F));
    }

    private static Vector256<ushort> Widen(byte* bytes)
    {
        Vector128<byte> vector = Vector128.Load(bytes);
        return Vector256.Create(Vector128.WidenLower(vector), Vector128.WidenUpper(vector));
    }
}
