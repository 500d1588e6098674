using System.Runtime.CompilerServices;
using Kernels.Native;

namespace Kernels.Runtime;

/// <summary>
/// A borrowed view of device memory: an address and a length in elements. Nothing keeps the memory alive. As a kernel's argument
/// it is passed as its pointer.
/// </summary>
/// <typeparam name="T">Element type, as the kernel sees it.</typeparam>
public readonly unsafe struct DeviceSpan<T> : IPassedAsPointer, IEquatable<DeviceSpan<T>>
    where T : unmanaged
{
    // The pointer must stay the first field: launches hand the struct's address to the driver.
    private readonly CUdeviceptr _pointer;
    private readonly long _length;

    /// <summary>A view of memory of somebody else's.</summary>
    /// <param name="pointer">Address, aligned for <typeparamref name="T"/>.</param>
    /// <param name="length">Elements.</param>
    public DeviceSpan(CUdeviceptr pointer, long length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        _pointer = pointer;
        _length = length;
    }

    /// <summary>Address of the first element.</summary>
    public CUdeviceptr Pointer => _pointer;

    /// <summary>Elements.</summary>
    public long Length => _length;

    /// <summary>Bytes.</summary>
    public long ByteLength => _length * Unsafe.SizeOf<T>();

    /// <summary>Whether there are no elements.</summary>
    public bool IsEmpty => _length == 0;

    /// <summary>The elements from <paramref name="start"/> on.</summary>
    public DeviceSpan<T> Slice(long start) => Slice(start, _length - start);

    /// <summary><paramref name="length"/> elements from <paramref name="start"/> on.</summary>
    /// <exception cref="ArgumentOutOfRangeException">They are not all inside the view.</exception>
    public DeviceSpan<T> Slice(long start, long length)
    {
        if (start < 0 || start > _length)
            throw new ArgumentOutOfRangeException(nameof(start), start, $"The view has {_length} elements.");
        if (length < 0 || length > _length - start)
            throw new ArgumentOutOfRangeException(nameof(length), length, $"The view has {_length - start} elements from {start} on.");
        return new DeviceSpan<T>(_pointer + start * Unsafe.SizeOf<T>(), length);
    }

    /// <summary>The same bytes as elements of another type; bytes that do not fill an element are left out.</summary>
    public DeviceSpan<TTo> Cast<TTo>()
        where TTo : unmanaged => new(_pointer, ByteLength / Unsafe.SizeOf<TTo>());

    /// <summary>
    /// Copies from host memory that may move or be paged, in order of the stream; returns when the copy is done, so that the
    /// source may be reused. Use <see cref="CopyFrom(PinnedBuffer{T}, Stream)"/> to go on at once.
    /// </summary>
    /// <exception cref="ArgumentException">The source is longer than the view.</exception>
    public void CopyFrom(ReadOnlySpan<T> source, Stream stream)
    {
        fixed (T* host = source)
            CopyFromHost(host, source.Length, stream);
    }

    /// <summary>As <see cref="CopyFrom(ReadOnlySpan{T}, Stream)"/>, from an address of any length, such as a mapped file.</summary>
    /// <param name="source">Host address.</param>
    /// <param name="length">Elements.</param>
    /// <param name="stream">Stream in whose order the copy runs.</param>
    public void CopyFromHost(void* source, long length, Stream stream)
    {
        if (DeviceCopy.Begin(length, _length, "source", stream))
        {
            DeviceCopy.HostToDevice(_pointer, source, length * Unsafe.SizeOf<T>(), stream);
            stream.Synchronize();
        }
    }

    /// <summary>Copies from page-locked memory in order of the stream; returns at once, and the source must stay as it is until then.</summary>
    /// <exception cref="ArgumentException">The source is longer than the view.</exception>
    public void CopyFrom(PinnedBuffer<T> source, Stream stream)
    {
        ArgumentNullException.ThrowIfNull(source);
        CopyFromPinned(source.Pointer, source.Length, stream);
    }

    /// <summary>As <see cref="CopyFrom(PinnedBuffer{T}, Stream)"/>, from an address inside page-locked memory.</summary>
    /// <param name="source">Host address in page-locked memory.</param>
    /// <param name="length">Elements.</param>
    /// <param name="stream">Stream in whose order the copy runs.</param>
    public void CopyFromPinned(void* source, long length, Stream stream)
    {
        if (DeviceCopy.Begin(length, _length, "source", stream))
            DeviceCopy.HostToDevice(_pointer, source, length * Unsafe.SizeOf<T>(), stream);
    }

    /// <summary>Copies from device memory in order of the stream; returns at once.</summary>
    /// <exception cref="ArgumentException">The source is longer than the view.</exception>
    public void CopyFrom(DeviceSpan<T> source, Stream stream)
    {
        if (DeviceCopy.Begin(source._length, _length, "source", stream))
            DeviceCopy.DeviceToDevice(_pointer, source._pointer, source.ByteLength, stream);
    }

    /// <summary>
    /// Copies to host memory that may move or be paged, in order of the stream; returns when the copy is done. Use
    /// <see cref="CopyTo(PinnedBuffer{T}, Stream)"/> to go on at once.
    /// </summary>
    /// <exception cref="ArgumentException">The view is longer than the destination.</exception>
    public void CopyTo(Span<T> destination, Stream stream)
    {
        if (!DeviceCopy.Begin(_length, destination.Length, "view", stream))
            return;
        fixed (T* host = destination)
        {
            DeviceCopy.DeviceToHost(host, _pointer, ByteLength, stream);
            stream.Synchronize();
        }
    }

    /// <summary>As <see cref="CopyTo(Span{T}, Stream)"/>, to an address with room for <see cref="Length"/> elements.</summary>
    public void CopyToHost(void* destination, Stream stream)
    {
        if (!DeviceCopy.Begin(_length, _length, "view", stream))
            return;
        DeviceCopy.DeviceToHost(destination, _pointer, ByteLength, stream);
        stream.Synchronize();
    }

    /// <summary>Copies to page-locked memory in order of the stream; returns at once.</summary>
    /// <exception cref="ArgumentException">The view is longer than the destination.</exception>
    public void CopyTo(PinnedBuffer<T> destination, Stream stream)
    {
        ArgumentNullException.ThrowIfNull(destination);
        if (DeviceCopy.Begin(_length, destination.Length, "view", stream))
            DeviceCopy.DeviceToHost(destination.Pointer, _pointer, ByteLength, stream);
    }

    /// <summary>Copies to a new array, in order of the stream; returns when that is done.</summary>
    public T[] ToArray(Stream stream)
    {
        var elements = new T[_length];
        CopyTo(elements, stream);
        return elements;
    }

    /// <summary>Sets all bytes to 0 in order of the stream; returns at once.</summary>
    public void Clear(Stream stream) => FillBytes(0, stream);

    /// <summary>Sets all bytes in order of the stream; returns at once.</summary>
    public void FillBytes(byte value, Stream stream)
    {
        if (DeviceCopy.Begin(_length, _length, "view", stream))
            DeviceCopy.Fill(_pointer, value, ByteLength, stream);
    }

    /// <summary>Sets all elements in order of the stream; returns at once. For elements of 1, 2 and 4 bytes.</summary>
    /// <exception cref="NotSupportedException">Elements of another size.</exception>
    public void Fill(T value, Stream stream)
    {
        if (DeviceCopy.Begin(_length, _length, "view", stream))
            DeviceCopy.Fill(_pointer, &value, Unsafe.SizeOf<T>(), _length, stream);
    }

    /// <inheritdoc/>
    public bool Equals(DeviceSpan<T> other) => _pointer == other._pointer && _length == other._length;

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is DeviceSpan<T> other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(_pointer, _length);

    /// <summary>Same address and length.</summary>
    public static bool operator ==(DeviceSpan<T> left, DeviceSpan<T> right) => left.Equals(right);

    /// <summary>Other address or length.</summary>
    public static bool operator !=(DeviceSpan<T> left, DeviceSpan<T> right) => !left.Equals(right);

    /// <summary>Element type, length and address.</summary>
    public override string ToString() => $"{typeof(T).Name}[{_length}] at {_pointer}";
}
