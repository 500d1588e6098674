using System.Runtime.CompilerServices;

namespace Kernels.Formats;

/// <summary>
/// Read-only bytes at a fixed address, of any length: a part of a mapped file or of unmanaged memory.
/// A span ends at 2 GiB; this does not, and hands out spans of its parts.
/// </summary>
/// <remarks>
/// The region holds a reference to its owner, so memory that the library allocated stays alive as long as the region does.
/// A region of a mapped file is valid until the file is disposed.
/// </remarks>
public readonly unsafe struct ByteRegion
{
    private readonly byte* _pointer;
    private readonly object? _owner;

    /// <summary>Describes <paramref name="length"/> bytes at <paramref name="pointer"/>, kept alive by <paramref name="owner"/>.</summary>
    public ByteRegion(byte* pointer, long length, object? owner)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        if (pointer is null && length != 0)
            throw new ArgumentNullException(nameof(pointer));
        _pointer = pointer;
        _owner = owner;
        Length = length;
    }

    /// <summary>Length in bytes.</summary>
    public long Length { get; }

    /// <summary>Address of the first byte. The caller keeps this region reachable (<see cref="KeepAlive"/>) while it uses the address.</summary>
    public byte* Pointer => _pointer;

    /// <summary>The byte at <paramref name="index"/>.</summary>
    public byte this[long index]
    {
        get
        {
            if ((ulong)index >= (ulong)Length)
                throw new ArgumentOutOfRangeException(nameof(index), index, $"The region has {Length} bytes.");
            return _pointer[index];
        }
    }

    /// <summary>Copies <paramref name="bytes"/> into unmanaged memory of a new region.</summary>
    public static ByteRegion CopyOf(ReadOnlySpan<byte> bytes)
    {
        var buffer = new NativeBuffer(bytes.Length);
        bytes.CopyTo(new Span<byte>(buffer.Pointer, bytes.Length));
        return buffer.AsRegion();
    }

    /// <summary>The part of <paramref name="length"/> bytes that starts at <paramref name="offset"/>.</summary>
    public ByteRegion Slice(long offset, long length)
    {
        CheckRange(offset, length);
        return new ByteRegion(_pointer + offset, length, _owner);
    }

    /// <summary>A span of <paramref name="length"/> bytes that starts at <paramref name="offset"/>.</summary>
    public ReadOnlySpan<byte> Span(long offset, int length)
    {
        CheckRange(offset, length);
        return new ReadOnlySpan<byte>(_pointer + offset, length);
    }

    /// <summary>The whole region as a span.</summary>
    /// <exception cref="InvalidOperationException">The region is longer than a span can be.</exception>
    public ReadOnlySpan<byte> AsSpan() => Length <= int.MaxValue
        ? new ReadOnlySpan<byte>(_pointer, (int)Length)
        : throw new InvalidOperationException($"The region has {Length} bytes; a span holds at most {int.MaxValue}. Take parts with Span(offset, length).");

    /// <summary>Copies the whole region to <paramref name="destination"/>.</summary>
    public void CopyTo(Stream destination)
    {
        ArgumentNullException.ThrowIfNull(destination);
        const int step = 1 << 24;
        for (long at = 0; at < Length; at += step)
            destination.Write(Span(at, (int)Math.Min(step, Length - at)));
        KeepAlive();
    }

    /// <summary>Whether both regions hold the same bytes.</summary>
    public bool ContentEquals(ByteRegion other)
    {
        if (Length != other.Length)
            return false;
        const int step = 1 << 24;
        for (long at = 0; at < Length; at += step)
        {
            int length = (int)Math.Min(step, Length - at);
            if (!Span(at, length).SequenceEqual(other.Span(at, length)))
                return false;
        }
        KeepAlive();
        other.KeepAlive();
        return true;
    }

    /// <summary>Keeps the owner of the memory reachable up to this call.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public void KeepAlive() => GC.KeepAlive(_owner);

    private void CheckRange(long offset, long length)
    {
        if (offset < 0 || length < 0 || offset > Length - length)
            throw new ArgumentOutOfRangeException(nameof(offset), $"Bytes {offset} to {offset + length} are outside the region of {Length} bytes.");
    }
}
