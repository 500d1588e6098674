using System.Globalization;
using System.Runtime.CompilerServices;

namespace Kernels.Runtime;

/// <summary>
/// A caching, stream-ordered allocator. Memory that was freed on a stream is given out again on the same stream at once, without
/// waiting: the stream's order protects it. Another stream gets it when its last use is done, or is made to wait for that. The pool
/// grows from its source when nothing fits. Safe for use by several threads.
/// </summary>
/// <remarks>
/// Where memory is short, in this order: what finalizers left is drained, free segments are released, the device is waited for and
/// everything free is merged and released, <see cref="DevicePoolOptions.OnShortage"/> is asked, and only then
/// <see cref="CudaOutOfMemoryException"/> is thrown. Buffers must not be allocated while their stream is captured: a graph that is
/// replayed would write to memory that the pool has meanwhile given to others.
/// </remarks>
public sealed class DevicePool : DeviceResource
{
    private readonly PoolStore _store;

    /// <summary>A pool on a device.</summary>
    public DevicePool(Device device, DevicePoolOptions? options = null)
        : base(device)
    {
        Options = options ?? new DevicePoolOptions();
        _store = new PoolStore(device, Options);
    }

    /// <summary>How it behaves.</summary>
    public DevicePoolOptions Options { get; }

    /// <summary>State and counters at this moment.</summary>
    public DevicePoolStatistics Statistics => _store.GetStatistics();

    /// <summary>
    /// Allocates memory to be used on a stream. Dispose gives it back in the order of that stream; tell the pool of other streams by
    /// <see cref="DeviceBuffer{T}.UsedOn"/>. Contents are whatever the last user left.
    /// </summary>
    /// <param name="length">Elements; 0 gives an empty buffer.</param>
    /// <param name="stream">Stream that the memory is used on.</param>
    /// <exception cref="CudaOutOfMemoryException">There is not enough memory; the exception has the figures.</exception>
    /// <exception cref="InvalidOperationException">The stream is being captured.</exception>
    public DeviceBuffer<T> Allocate<T>(long length, Stream stream)
        where T : unmanaged
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        ArgumentNullException.ThrowIfNull(stream);
        ThrowIfDisposed();
        stream.ThrowIfUnusable(Device);
        if (length == 0)
            return new DeviceBuffer<T>(this, null, 0);

        long bytes = checked(length * Unsafe.SizeOf<T>());
        PoolBlock block = AllocateBlock(bytes, stream);
        try
        {
            return new DeviceBuffer<T>(this, block, length);
        }
        catch
        {
            _store.Return(block);
            throw;
        }
    }

    /// <summary>
    /// Releases free segments to the source, largest first, until no more than <paramref name="keep"/> bytes are held or none is
    /// wholly free. Waits for the work that used them.
    /// </summary>
    /// <returns>Bytes released.</returns>
    public long Trim(long keep = 0)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(keep);
        ThrowIfDisposed();
        Reclamation.Drain();
        Device.MakeCurrent();
        return _store.Trim(keep, wait: true);
    }

    /// <summary>
    /// Says that the pool is given no more work of a stream. Wanted before a borrowed stream (<see cref="Stream.FromHandle"/>) is
    /// destroyed by its owner: what it was given so far is marked, which later is not possible. Streams of one's own are forgotten when
    /// they are disposed.
    /// </summary>
    public void Forget(Stream stream)
    {
        ArgumentNullException.ThrowIfNull(stream);
        ThrowIfDisposed();
        stream.ThrowIfUnusable(Device);
        Device.MakeCurrent();
        _store.Forget(stream);
    }

    /// <summary>Statistics in a line.</summary>
    public override string ToString()
    {
        DevicePoolStatistics now = Statistics;
        return string.Create(CultureInfo.InvariantCulture,
            $"pool on device {Device.Ordinal}: {now.BytesInUse:N0} of {now.BytesReserved:N0} bytes in use");
    }

    internal PoolStore Store => _store;

    internal void NoteUse(PoolBlock block, Stream stream)
    {
        stream.ThrowIfUnusable(Device);
        Device.MakeCurrent();
        _store.NoteUse(block, stream);
    }

    private protected override ReleaseRecipe GetRecipe() => new(ReleaseKind.Pool, 0, _store);

    private PoolBlock AllocateBlock(long bytes, Stream stream)
    {
        Reclamation.Drain();
        Device.MakeCurrent();
        do
        {
            if (_store.Allocate(bytes, stream) is { } block)
                return block;
        }
        while (Options.OnShortage?.Invoke(this, bytes) == true);

        string? limit = Options.Limit is { } most ? string.Create(CultureInfo.InvariantCulture, $"the pool's limit is {most:N0}") : null;
        throw new CudaOutOfMemoryException("DevicePool.Allocate", Device.Ordinal, bytes, Statistics, limit, stream);
    }
}
