using System.Buffers.Binary;
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
    private readonly byte* _stream = group.EncodedExponent.Pointer;
    private readonly byte* _signMantissa = group.SignMantissa.Pointer;
    private readonly long _streamBytes = group.EncodedExponent.Length;
    private readonly long _lastLoad = group.EncodedExponent.Length - sizeof(ulong);

    /// <summary>
    /// Decodes a block and the one after it, if there is one, side by side. A block is one chain of dependent table reads; two chains hide
    /// each other's latency.
    /// </summary>
    internal void DecodePair(long block)
    {
        const int stageBytes = StageLength + StepLength;
        byte* stage = stackalloc byte[2 * stageBytes];
        byte* secondStage = stage + stageBytes;
        Cursor first = Start(block);
        Cursor second = block + 1 < group.BlockCount ? Start(block + 1) : default;
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

    /// <summary>Where a block's decoding stands: next bit of the stream, next element, end of the block's elements.</summary>
    private struct Cursor
    {
        internal long Block;
        internal long Bit;
        internal long Element;
        internal long End;

        internal readonly long Remaining => End - Element;
    }

    private Cursor Start(long block) => new()
    {
        Block = block,
        Bit = StartBit(block),
        Element = group.OutputPositions[(int)block],
        End = group.OutputPositions[(int)block + 1],
    };

    private long StartBit(long block) => (8 * block * group.Layout.BytesPerBlock) + group.Gap(block * group.Layout.ThreadsPerBlock);

    private bool CanStep(in Cursor cursor) => cursor.Remaining >= StepLength && (cursor.Bit >> 3) <= _lastLoad;

    private void Finish(ref Cursor cursor, byte* stage)
    {
        while (cursor.Remaining > 0)
            Merge(ref cursor, stage, CanStep(cursor) ? StepOne(ref cursor, stage) : Walk(ref cursor, stage));
        CheckEnd(cursor);
    }

    private void CheckEnd(in Cursor cursor)
    {
        // A block in which no code starts has nothing to check.
        if (cursor.End == group.OutputPositions[(int)cursor.Block])
            return;
        bool isLast = cursor.End == group.ElementCount;
        long expected = isLast ? 8 * _streamBytes : StartBit(cursor.Block + 1);
        // Behind the last code the last byte is filled.
        if (isLast ? cursor.Bit > expected : cursor.Bit != expected)
            throw group.Invalid("encoded_exponent", $"the codes of block {cursor.Block} end at bit {cursor.Bit}, but {(isLast ? "the stream ends" : "the next block starts")} at bit {expected}");
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private int StepBoth(ref Cursor first, ref Cursor second, byte* stage, byte* secondStage, out int secondCount)
    {
        long bitA = first.Bit;
        long bitB = second.Bit;
        byte* atA = stage;
        byte* atB = secondStage;
        byte* endA = stage + Math.Min(StageLength, first.Remaining - StepLength);
        byte* endB = secondStage + Math.Min(StageLength, second.Remaining - StepLength);
        fixed (ulong* entries = _table.Entries)
        {
            do
            {
                ulong windowA = Load(bitA);
                ulong windowB = Load(bitB);
                ulong entryA = entries[windowA >> WindowShift];
                ulong entryB = entries[windowB >> WindowShift];
                ulong sumA = entryA;
                ulong sumB = entryB;
                Store(entryA, ref atA, ref windowA);
                Store(entryB, ref atB, ref windowB);
                entryA = entries[windowA >> WindowShift];
                entryB = entries[windowB >> WindowShift];
                sumA += entryA;
                sumB += entryB;
                Store(entryA, ref atA, ref windowA);
                Store(entryB, ref atB, ref windowB);
                entryA = entries[windowA >> WindowShift];
                entryB = entries[windowB >> WindowShift];
                sumA += entryA;
                sumB += entryB;
                Store(entryA, ref atA, ref windowA);
                Store(entryB, ref atB, ref windowB);
                entryA = entries[windowA >> WindowShift];
                entryB = entries[windowB >> WindowShift];
                sumA += entryA;
                sumB += entryB;
                Store(entryA, ref atA, ref windowA);
                Store(entryB, ref atB, ref windowB);
                entryA = entries[windowA >> WindowShift];
                entryB = entries[windowB >> WindowShift];
                sumA += entryA;
                sumB += entryB;
                Store(entryA, ref atA, ref windowA);
                Store(entryB, ref atB, ref windowB);
                // The bits of five entries sum up in the lowest byte: at most 55.
                bitA += (byte)sumA;
                bitB += (byte)sumB;
                // A code longer than the window stops all later lookups of its step, so the last one tells.
                if ((byte)entryA == 0)
                {
                    (*atA++, int length) = WalkOne(bitA);
                    bitA += length;
                }
                if ((byte)entryB == 0)
                {
                    (*atB++, int length) = WalkOne(bitB);
                    bitB += length;
                }
            }
            while (atA <= endA && atB <= endB && (Math.Max(bitA, bitB) >> 3) <= _lastLoad);
        }
        first.Bit = bitA;
        second.Bit = bitB;
        secondCount = (int)(atB - secondStage);
        return (int)(atA - stage);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private int StepOne(ref Cursor cursor, byte* stage)
    {
        long bit = cursor.Bit;
        byte* at = stage;
        byte* end = stage + Math.Min(StageLength, cursor.Remaining - StepLength);
        fixed (ulong* entries = _table.Entries)
        {
            do
            {
                ulong window = Load(bit);
                ulong entry = 0;
                ulong sum = 0;
                for (int lookup = 0; lookup < Lookups; lookup++)
                {
                    entry = entries[window >> WindowShift];
                    sum += entry;
                    Store(entry, ref at, ref window);
                }
                bit += (byte)sum;
                if ((byte)entry == 0)
                {
                    (*at++, int length) = WalkOne(bit);
                    bit += length;
                }
            }
            while (at <= end && (bit >> 3) <= _lastLoad);
        }
        cursor.Bit = bit;
        return (int)(at - stage);
    }

    /// <summary>The last elements of a block, and those near the end of the stream, code by code.</summary>
    private int Walk(ref Cursor cursor, byte* stage)
    {
        int count = (int)Math.Min(cursor.Remaining, StepLength);
        for (int i = 0; i < count; i++)
        {
            if (cursor.Bit >= 8 * _streamBytes)
                throw group.Invalid("encoded_exponent", $"the stream of {_streamBytes} bytes ends inside block {cursor.Block}, at element {cursor.Element + i} of {group.ElementCount}");
            (stage[i], int length) = WalkOne(cursor.Bit);
            cursor.Bit += length;
        }
        return count;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store(ulong entry, ref byte* at, ref ulong window)
    {
        window <<= (int)entry;
        Unsafe.WriteUnaligned(at, (uint)(entry >> 32));
        at += (byte)(entry >> 8);
    }

    /// <summary>The stream from a bit on; at least 57 bits are good. The bit is at most in byte <see cref="_lastLoad"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private ulong Load(long bit) => BinaryPrimitives.ReverseEndianness(Unsafe.ReadUnaligned<ulong>(_stream + (bit >> 3))) << (int)(bit & 7);

    /// <summary>Decodes one code of any length. Behind the stream there are zeros.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private (byte Exponent, int Length) WalkOne(long bit)
    {
        long at = bit >> 3;
        ulong window = 0;
        if (at <= _lastLoad)
        {
            window = Load(bit);
        }
        else
        {
            for (int i = 0; i < _streamBytes - at; i++)
                window |= (ulong)_stream[at + i] << (56 - (8 * i));
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
