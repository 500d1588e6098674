using System.Runtime.CompilerServices;
using Kernels.Native;

namespace Kernels.Runtime;

/// <summary>Device memory that is owned: from the driver, or from a <see cref="DevicePool"/>, to which it goes back.</summary>
/// <typeparam name="T">Element type, as the kernel sees it.</typeparam>
public sealed unsafe class DeviceBuffer<T> : DeviceResource
    where T : unmanaged
{
    private readonly CUdeviceptr _pointer;
    private readonly DevicePool? _pool;
    private readonly PoolBlock? _block;

    internal DeviceBuffer(Device device, long length)
        : base(device)
    {
        try
        {
            ArgumentOutOfRangeException.ThrowIfNegative(length);
            Length = length;
            if (length > 0)
                _pointer = DriverMemory.Allocate(device, checked(length * Unsafe.SizeOf<T>()));
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    internal DeviceBuffer(DevicePool pool, PoolBlock? block, long length)
        : base(pool.Device)
    {
        Length = length;
        _pool = pool;
        _block = block;
        _pointer = block?.Pointer ?? default;
    }

    /// <summary>Elements.</summary>
    public long Length { get; }

    /// <summary>Bytes.</summary>
    public long ByteLength => Length * Unsafe.SizeOf<T>();

    /// <summary>Raw address of the first element; 0 where there are no elements.</summary>
    /// <exception cref="ObjectDisposedException">The buffer was disposed.</exception>
    public CUdeviceptr Pointer
    {
        get
        {
            ThrowIfDisposed();
            return _pointer;
        }
    }

    /// <summary>View of all elements.</summary>
    public DeviceSpan<T> Span => new(Pointer, Length);

    /// <summary>View of all elements.</summary>
    public static implicit operator DeviceSpan<T>(DeviceBuffer<T> buffer)
    {
        ArgumentNullException.ThrowIfNull(buffer);
        return buffer.Span;
    }

    /// <summary>As the conversion operator.</summary>
    public DeviceSpan<T> ToDeviceSpan() => Span;

    /// <summary>View of some elements.</summary>
    public DeviceSpan<T> Slice(long start, long length) => Span.Slice(start, length);

    /// <summary>
    /// Tells the pool that another stream than the one the buffer was allocated on uses it: the memory is given out again only
    /// when the work that stream was given before <see cref="IDisposable.Dispose"/> is done. Neither stream waits for
    /// the other because of it: that the last reader follows the writer is the program's to say. Without effect for buffers from the
    /// driver, which frees only when no work is left.
    /// </summary>
    public void UsedOn(Stream stream)
    {
        ArgumentNullException.ThrowIfNull(stream);
        ThrowIfDisposed();
        if (_block is not null)
            _pool!.NoteUse(_block, stream);
    }

    private protected override ReleaseRecipe GetRecipe() =>
        _block is not null ? new ReleaseRecipe(ReleaseKind.PoolBlock, 0, _pool!.Store, _block)
        : _pool is null && _pointer.Value != 0 ? new ReleaseRecipe(ReleaseKind.DeviceMemory, _pointer.Value)
        : default;
}
