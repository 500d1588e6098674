using System.Runtime.InteropServices;

namespace Kernels.Formats;

/// <summary>Unmanaged memory of any length, 64-byte aligned, freed by <see cref="Dispose"/> or by the finalizer.</summary>
public sealed unsafe class NativeBuffer : IDisposable
{
    private const int Alignment = 64;
    private byte* _pointer;

    /// <summary>Allocates <paramref name="length"/> bytes, not cleared.</summary>
    public NativeBuffer(long length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        Length = length;
        _pointer = (byte*)NativeMemory.AlignedAlloc((nuint)Math.Max(length, 1), Alignment);
        GC.AddMemoryPressure(Math.Max(length, 1));
    }

    /// <summary>Frees what <see cref="Dispose"/> was not called for.</summary>
    ~NativeBuffer() => Free();

    /// <summary>Length in bytes.</summary>
    public long Length { get; }

    /// <summary>Address of the first byte.</summary>
    public byte* Pointer => _pointer is not null ? _pointer : throw new ObjectDisposedException(nameof(NativeBuffer));

    /// <summary>The memory as a region that keeps this buffer alive.</summary>
    public ByteRegion AsRegion() => new(Pointer, Length, this);

    /// <summary>The first <paramref name="length"/> bytes as a region that keeps this buffer alive.</summary>
    public ByteRegion AsRegion(long length) => AsRegion().Slice(0, length);

    /// <inheritdoc/>
    public void Dispose()
    {
        Free();
        GC.SuppressFinalize(this);
    }

    private void Free()
    {
        byte* pointer = _pointer;
        _pointer = null;
        if (pointer is null)
            return;
        NativeMemory.AlignedFree(pointer);
        GC.RemoveMemoryPressure(Math.Max(Length, 1));
    }
}
