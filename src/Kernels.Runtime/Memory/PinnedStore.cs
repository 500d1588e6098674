using System.Numerics;
using Kernels.Native;

namespace Kernels.Runtime;

/// <summary>Blocks of a <see cref="PinnedPool"/>. Outlives it as long as buffers from it live.</summary>
internal sealed unsafe class PinnedStore
{
    private const long Smallest = 4096;

    private readonly Device _device;
    private readonly Lock _gate = new();
    private readonly PoolStreams _streams;
    private readonly Dictionary<long, List<PinnedBlock>> _free = [];
    private long _reserved;
    private long _inUse;
    private bool _closed;

    public PinnedStore(Device device)
    {
        _device = device;
        _streams = new PoolStreams(_gate);
    }

    public long BytesReserved
    {
        get
        {
            lock (_gate)
                return _reserved;
        }
    }

    public long BytesInUse
    {
        get
        {
            lock (_gate)
                return _inUse;
        }
    }

    public PinnedBlock Allocate(long bytes, Stream stream)
    {
        Reclamation.Drain();
        _device.MakeCurrent();
        long size = (long)BitOperations.RoundUpToPowerOf2((ulong)Math.Max(Smallest, bytes));
        lock (_gate)
        {
            PinnedBlock block = FindFinished(size) ?? Grow(size);
            try
            {
                block.AddUse(_streams.Get(stream));
            }
            catch
            {
                PutBack(block);
                throw;
            }

            _inUse += size;
            return block;
        }
    }

    public void Return(PinnedBlock block)
    {
        lock (_gate)
        {
            block.Uses.ForEach(use => use.Cover());
            _inUse -= block.Size;
            if (_closed)
            {
                Release(block);
                DropStreams();
                return;
            }

            PutBack(block);
        }
    }

    public void NoteUse(PinnedBlock block, Stream stream)
    {
        lock (_gate)
            block.AddUse(_streams.Get(stream));
    }

    public void Forget(Stream stream)
    {
        lock (_gate)
            _streams.Forget(stream);
    }

    public long Trim()
    {
        lock (_gate)
        {
            long before = _reserved;
            foreach (List<PinnedBlock> blocks in _free.Values)
            {
                for (int i = blocks.Count - 1; i >= 0; i--)
                {
                    // What no event covers stays, unless the pool was disposed: then the driver waits before it frees.
                    if (Release(blocks[i]))
                        blocks.RemoveAt(i);
                }
            }

            _streams.DropClosed();
            return before - _reserved;
        }
    }

    public void Close()
    {
        lock (_gate)
        {
            _closed = true;
            Trim();
            DropStreams();
        }
    }

    private void DropStreams()
    {
        if (_reserved == 0)
            _streams.Clear();
    }

    private void PutBack(PinnedBlock block)
    {
        if (!_free.TryGetValue(block.Size, out List<PinnedBlock>? sameSize))
            _free.Add(block.Size, sameSize = []);
        sameSize.Add(block);
    }

    private PinnedBlock? FindFinished(long size)
    {
        if (!_free.TryGetValue(size, out List<PinnedBlock>? sameSize))
            return null;
        int at = sameSize.FindIndex(block => block.Uses.TrueForAll(use => use.IsFinished()));
        if (at < 0)
            return null;
        PinnedBlock found = sameSize[at];
        sameSize.RemoveAt(at);
        found.RetireUses();
        return found;
    }

    private PinnedBlock Grow(long size)
    {
        void* pointer = DriverMemory.AllocatePinned(_device, size, writeCombined: false);
        _reserved += size;
        return new PinnedBlock(pointer, size);
    }

    private bool Release(PinnedBlock block)
    {
        bool finished = true;
        foreach (StreamUse use in block.Uses)
            finished &= use.Synchronize();
        if (!finished && !_closed)
            return false;
        block.RetireUses();
        _ = Driver.cuMemFreeHost(block.Pointer);
        _reserved -= block.Size;
        return true;
    }
}
