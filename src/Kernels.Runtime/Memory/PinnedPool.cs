using System.Runtime.CompilerServices;

namespace Kernels.Runtime;

/// <summary>
/// A caching allocator for page-locked memory, which the driver allocates slowly. A buffer that was given back is given out again
/// when the copies that its stream had been given are done. Sizes are rounded up to powers of two. Safe for use by several threads.
/// </summary>
public sealed class PinnedPool : DeviceResource
{
    /// <summary>A pool on a device.</summary>
    public PinnedPool(Device device)
        : base(device) => Store = new PinnedStore(device);

    /// <summary>Bytes held from the driver.</summary>
    public long BytesReserved => Store.BytesReserved;

    /// <summary>Bytes of them that are allocated.</summary>
    public long BytesInUse => Store.BytesInUse;

    internal PinnedStore Store { get; }

    /// <summary>Allocates memory for copies on a stream. Dispose gives it back in the order of that stream.</summary>
    /// <param name="length">Elements; 0 gives an empty buffer.</param>
    /// <param name="stream">Stream whose copies use it.</param>
    public PinnedBuffer<T> Allocate<T>(long length, Stream stream)
        where T : unmanaged
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        ArgumentNullException.ThrowIfNull(stream);
        ThrowIfDisposed();
        stream.ThrowIfUnusable(Device);
        if (length == 0)
            return new PinnedBuffer<T>(this, null, 0);
        PinnedBlock block = Store.Allocate(checked(length * Unsafe.SizeOf<T>()), stream);
        try
        {
            return new PinnedBuffer<T>(this, block, length);
        }
        catch
        {
            Store.Return(block);
            throw;
        }
    }

    /// <summary>Releases what is not in use, after waiting for the copies that used it.</summary>
    /// <returns>Bytes released.</returns>
    public long Trim()
    {
        ThrowIfDisposed();
        Device.MakeCurrent();
        return Store.Trim();
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
        Store.Forget(stream);
    }

    internal void NoteUse(PinnedBlock block, Stream stream)
    {
        stream.ThrowIfUnusable(Device);
        Device.MakeCurrent();
        Store.NoteUse(block, stream);
    }

    private protected override ReleaseRecipe GetRecipe() => new(ReleaseKind.PinnedPool, 0, Store);
}
