using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Kernels.Formats.DFloat11;

/// <summary>
/// Packs elements into the stream of a group. Chunks of a group are packed independently, each from its own bit on, so that the result
/// does not depend on the number of threads.
/// </summary>
/// <remarks>
/// The stream is built in 64-bit words, which are the 8 bytes that a thread of the layout owns. So where a code fills a word, what is left
/// of it is the gap of the next thread; no further bookkeeping is needed. A word that two chunks share is stored by the chunk that owns its
/// first bit; the other hands its bits over in <see cref="SharedWord"/>.
/// </remarks>
internal sealed unsafe class ExponentPacker
{
    private const int TileLength = 4096;
    private const int ThreadsPerBlock = 512;

    /// <summary>Of each exponent the code, left-aligned, and its length in the lowest byte.</summary>
    private readonly ulong[] _codes = new ulong[256];

    private readonly ulong* _words;
    private readonly byte* _signMantissa;
    private readonly byte* _gaps;
    private readonly uint[] _positions;

    /// <summary>Prepares to pack.</summary>
    /// <param name="codebook">The code.</param>
    /// <param name="words">The stream: 64-bit words, big-endian.</param>
    /// <param name="signMantissa">One byte an element.</param>
    /// <param name="gaps">One byte a thread and one more, cleared.</param>
    /// <param name="positions">One entry a block and two more.</param>
    internal ExponentPacker(ExponentCodebook codebook, ulong* words, byte* signMantissa, byte* gaps, uint[] positions)
    {
        for (int exponent = 0; exponent < 256; exponent++)
        {
            int length = codebook.Lengths[exponent];
            _codes[exponent] = length == 0 ? 0 : ((ulong)codebook.Codes[exponent] << (64 - length)) | (uint)length;
        }
        _words = words;
        _signMantissa = signMantissa;
        _gaps = gaps;
        _positions = positions;
    }

    /// <summary>Bits of a chunk that belong into a word that another chunk stores.</summary>
    internal readonly record struct SharedWord(long Index, ulong Bits);

    /// <summary>Packs a chunk.</summary>
    /// <param name="elements">BF16 bits.</param>
    /// <param name="count">Elements of the chunk.</param>
    /// <param name="firstElement">Index of its first element in the group.</param>
    /// <param name="firstBit">Position of its first code in the stream.</param>
    /// <returns>The bits that belong into a word whose start belongs to a chunk before; none where the chunk starts a word.</returns>
    internal SharedWord Pack(ushort* elements, int count, long firstElement, long firstBit)
    {
        var state = new State { Word = firstBit >> 6, Used = (int)(firstBit & 63) };
        SharedWord shared = default;
        bool inSharedWord = state.Used != 0;
        byte* exponents = stackalloc byte[TileLength];
        for (int at = 0; at < count; at += TileLength)
        {
            int length = Math.Min(TileLength, count - at);
            Split(elements + at, exponents, _signMantissa + firstElement + at, length);
            int done = 0;
            for (; inSharedWord && done < length; done++)
            {
                // Code by code up to the end of the shared word; what follows is the chunk's own.
                if (!state.Add(_codes[exponents[done]], out ulong full))
                    continue;
                shared = new SharedWord(state.Word - 1, full);
                StartWord(state.Word, state.Used, firstElement + at + done + 1);
                inSharedWord = false;
            }
            PackTile(exponents + done, length - done, firstElement + at + done, ref state);
        }
        if (state.Used == 0)
            return shared;
        if (inSharedWord)
            return new SharedWord(state.Word, state.Accumulator);
        _words[state.Word] = BinaryPrimitives.ReverseEndianness(state.Accumulator);
        return shared;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void PackTile(byte* exponents, int count, long firstElement, ref State state)
    {
        const int together = 4;
        int i = 0;
        fixed (ulong* codes = _codes)
        {
            while (true)
            {
                i = PackFours(codes, exponents, i, count, firstElement, ref state);
                if (i == count)
                    return;
                // The rest of the tile, or four codes of more than 56 bits.
                for (int end = Math.Min(i + together, count); i < end; i++)
                {
                    if (!state.Add(codes[exponents[i]], out ulong full))
                        continue;
                    _words[state.Word - 1] = BinaryPrimitives.ReverseEndianness(full);
                    StartWord(state.Word, state.Used, firstElement + i + 1);
                }
            }
        }
    }

    /// <summary>
    /// Puts four codes together before it appends them: one step of the accumulator, and one branch that cannot be predicted, instead of
    /// four. Stops where less than four are left or where they have more than 56 bits. Returns the number of codes done.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private int PackFours(ulong* codes, byte* exponents, int i, int count, long firstElement, ref State state)
    {
        long word = state.Word;
        ulong accumulator = state.Accumulator;
        int used = state.Used;
        for (; i <= count - 4; i += 4)
        {
            ulong code0 = codes[exponents[i]];
            ulong code1 = codes[exponents[i + 1]];
            ulong code2 = codes[exponents[i + 2]];
            ulong code3 = codes[exponents[i + 3]];
            int end0 = (byte)code0;
            int end1 = end0 + (byte)code1;
            int end2 = end1 + (byte)code2;
            int end3 = end2 + (byte)code3;
            if (end3 > 56)
                break;
            // The lengths in the lowest bytes are shifted along, but stay in the lowest byte.
            ulong code = (code0 | (code1 >> end0) | ((code2 | (code3 >> (byte)code2)) >> end1)) & ~0xFFUL;
            accumulator |= code >> used;
            int next = used + end3;
            if (next < 64)
            {
                used = next;
                continue;
            }
            _words[word] = BinaryPrimitives.ReverseEndianness(accumulator);
            // Each code that ends inside the word, -1; the one after them fills it.
            int inside0 = (used + end0 - 64) >> 31;
            int inside1 = (used + end1 - 64) >> 31;
            int inside2 = (used + end2 - 64) >> 31;
            int gap = used + end0 + (inside0 & (byte)code1) + (inside1 & (byte)code2) + (inside2 & (byte)code3) - 64;
            // With used = 0 a code of at most 56 bits does not get here, so the shift is below 64.
            accumulator = code << (64 - used);
            used = next - 64;
            StartWord(++word, gap, firstElement + i + 1 - inside0 - inside1 - inside2);
        }
        state.Word = word;
        state.Accumulator = accumulator;
        state.Used = used;
        return i;
    }

    // Where a code leaves its word, the next one starts: that is the gap of the thread that owns the next word.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void StartWord(long word, int gap, long nextElement)
    {
        _gaps[word] = (byte)gap;
        if ((word & (ThreadsPerBlock - 1)) == 0)
            _positions[word / ThreadsPerBlock] = (uint)nextElement;
    }

    private static void Split(ushort* elements, byte* exponents, byte* signMantissa, int count)
    {
        int i = 0;
        if (Vector256.IsHardwareAccelerated)
        {
            var low = Vector256.Create((ushort)0xFF);
            var mantissa = Vector256.Create((ushort)0x7F);
            var sign = Vector256.Create((ushort)0x80);
            for (; i <= count - Vector256<byte>.Count; i += Vector256<byte>.Count)
            {
                Vector256<ushort> a = Vector256.Load(elements + i);
                Vector256<ushort> b = Vector256.Load(elements + i + Vector256<ushort>.Count);
                Vector256.Narrow((a >> 7) & low, (b >> 7) & low).Store(exponents + i);
                Vector256.Narrow(((a >> 8) & sign) | (a & mantissa), ((b >> 8) & sign) | (b & mantissa)).Store(signMantissa + i);
            }
        }
        for (; i < count; i++)
        {
            exponents[i] = (byte)(elements[i] >> 7);
            signMantissa[i] = (byte)(((elements[i] >> 8) & 0x80) | (elements[i] & 0x7F));
        }
    }

    /// <summary>The word that is being filled, from its most significant bit on.</summary>
    private struct State
    {
        internal long Word;
        internal ulong Accumulator;
        internal int Used;

        /// <summary>Appends a code. True where that fills the word, which then is <paramref name="full"/>, and the rest starts the next.</summary>
        internal bool Add(ulong code, out ulong full)
        {
            int length = (byte)code;
            code &= ~0xFFUL;
            full = Accumulator | (code >> Used);
            Used += length;
            if (Used < 64)
            {
                Accumulator = full;
                return false;
            }
            Used -= 64;
            Accumulator = code << (length - Used);
            Word++;
            return true;
        }
    }
}
