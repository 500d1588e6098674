using System.Runtime.CompilerServices;
using Kernels.Native;

namespace Kernels.Runtime;

/// <summary>
/// Page-locked host memory, which the device reads and writes beside the host: copies from and to it are asynchronous. Dispose it
/// only when no such copy is under way.
/// </summary>
public sealed unsafe class PinnedBuffer<T> : DeviceResource
    where T : unmanaged
{
    private readonly void* _pointer;
    private readonly PinnedPool? _pool;
    private readonly PinnedBlock? _block;

    internal PinnedBuffer(Device device, long length, bool writeCombined)
        : base(device)
    {
        try
        {
            ArgumentOutOfRangeException.ThrowIfNegative(length);
            Length = length;
            if (length > 0)
                _pointer = DriverMemory.AllocatePinned(device, checked(length * Unsafe.SizeOf<T>()), writeCombined);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    internal PinnedBuffer(PinnedPool pool, PinnedBlock? block, long length)
        : base(pool.Device)
    {
        Length = length;
        _pool = pool;
        _block = block;
        _pointer = block is null ? null : block.Pointer;
    }

    /// <summary>Elements.</summary>
    public long Length { get; }

    /// <summary>Bytes.</summary>
    public long ByteLength => Length * Unsafe.SizeOf<T>();

    /// <summary>Raw host address.</summary>
    public void* Pointer
    {
        get
        {
            ThrowIfDisposed();
            return _pointer;
        }
    }

    /// <summary>All elements.</summary>
    /// <exception cref="OverflowException">There are more than a span holds; see <see cref="AsSpan"/>.</exception>
    public Span<T> Span => new(Pointer, checked((int)Length));

    /// <summary>The memory as the device sees it, for kernels that read or write it directly.</summary>
    public DeviceSpan<T> DeviceSpan
    {
        get
        {
            ThrowIfDisposed();
            if (_pointer is null)
                return default;
            Device.MakeCurrent();
            CUdeviceptr pointer;
            CUresult result = Driver.cuMemHostGetDevicePointer_v2(&pointer, _pointer, 0);
            return result == CUresult.CUDA_SUCCESS
                ? new DeviceSpan<T>(pointer, Length)
                : throw Error(result, "cuMemHostGetDevicePointer_v2", $"host 0x{(nuint)_pointer:x}");
        }
    }

    /// <summary><paramref name="length"/> elements from <paramref name="start"/> on.</summary>
    public Span<T> AsSpan(long start, int length)
    {
        if (start < 0 || length < 0 || start > Length - length)
        {
            throw new ArgumentOutOfRangeException(nameof(start), start,
                $"The buffer has {Length} elements, and {length} from there on are not inside it.");
        }

        return new Span<T>((T*)Pointer + start, length);
    }

    /// <summary>
    /// Tells the pool that another stream than the one the buffer was allocated for uses it: the memory is given out again only when
    /// the work that stream was given before <see cref="IDisposable.Dispose"/> is done. Without effect for buffers from the driver.
    /// </summary>
    public void UsedOn(Stream stream)
    {
        ArgumentNullException.ThrowIfNull(stream);
        ThrowIfDisposed();
        if (_block is not null)
            _pool!.NoteUse(_block, stream);
    }

    private protected override ReleaseRecipe GetRecipe() =>
        _block is not null ? new ReleaseRecipe(ReleaseKind.PinnedPoolBlock, 0, _pool!.Store, _block)
        : _pool is null && _pointer is not null ? new ReleaseRecipe(ReleaseKind.PinnedMemory, (ulong)_pointer)
        : default;
}
