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

    private readonly ulong[] _codes = GC.AllocateArray<ulong>(256, pinned: true);
    private readonly byte[] _lengths = GC.AllocateArray<byte>(256, pinned: true);
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
            _lengths[exponent] = (byte)length;
            _codes[exponent] = length == 0 ? 0 : (ulong)codebook.Codes[exponent] << (64 - length);
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
                byte exponent = exponents[done];
                state.Accumulator |= _codes[exponent] >> state.Used;
                state.Used += _lengths[exponent];
                if (state.Used < 64)
                    continue;
                shared = new SharedWord(state.Word, state.Accumulator);
                NextWord(ref state, _codes[exponent], _lengths[exponent], firstElement + at + done + 1);
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
        State current = state;
        fixed (ulong* codes = _codes)
        fixed (byte* lengths = _lengths)
        {
            for (int i = 0; i < count; i++)
            {
                int exponent = exponents[i];
                ulong code = codes[exponent];
                int length = lengths[exponent];
                current.Accumulator |= code >> current.Used;
                current.Used += length;
                if (current.Used < 64)
                    continue;
                _words[current.Word] = BinaryPrimitives.ReverseEndianness(current.Accumulator);
                NextWord(ref current, code, length, firstElement + i + 1);
            }
        }
        state = current;
    }

    // The word is full: what is left of the code starts the next word, and is the gap of the thread that owns it.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void NextWord(ref State state, ulong code, int length, long nextElement)
    {
        state.Word++;
        state.Used -= 64;
        state.Accumulator = code << (length - state.Used);
        _gaps[state.Word] = (byte)state.Used;
        if (state.Word % ThreadsPerBlock == 0)
            _positions[state.Word / ThreadsPerBlock] = (uint)nextElement;
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

    private struct State
    {
        internal long Word;
        internal ulong Accumulator;
        internal int Used;
    }
}
