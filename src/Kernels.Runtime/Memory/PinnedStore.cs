using System.Numerics;
using Kernels.Native;

namespace Kernels.Runtime;

/// <summary>Blocks of a <see cref="PinnedPool"/>. Outlives it as long as buffers from it live.</summary>
internal sealed unsafe class PinnedStore(Device device)
{
    private const long Smallest = 4096;

    private readonly Lock _gate = new();
    private readonly Dictionary<long, List<PinnedBlock>> _free = [];
    private long _reserved;
    private long _inUse;
    private bool _closed;

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
        device.MakeCurrent();
        long size = (long)BitOperations.RoundUpToPowerOf2((ulong)Math.Max(Smallest, bytes));
        lock (_gate)
        {
            PinnedBlock block = FindFinished(size) ?? Grow(size);
            block.Stream = stream.Handle;
            _inUse += size;
            return block;
        }
    }

    public void Return(PinnedBlock block)
    {
        lock (_gate)
        {
            // Where recording fails the context is lost and no copy runs any more.
            _ = Driver.cuEventRecord(block.LastUse, block.Stream);
            _inUse -= block.Size;
            if (_closed)
            {
                Release(block);
                return;
            }

            if (!_free.TryGetValue(block.Size, out List<PinnedBlock>? sameSize))
                _free.Add(block.Size, sameSize = []);
            sameSize.Add(block);
        }
    }

    public long Trim()
    {
        lock (_gate)
        {
            long before = _reserved;
            foreach (List<PinnedBlock> blocks in _free.Values)
            {
                foreach (PinnedBlock block in blocks)
                    Release(block);
            }

            _free.Clear();
            return before - _reserved;
        }
    }

    public void Close()
    {
        lock (_gate)
        {
            _closed = true;
            Trim();
        }
    }

    private PinnedBlock? FindFinished(long size)
    {
        if (!_free.TryGetValue(size, out List<PinnedBlock>? sameSize))
            return null;
        int at = sameSize.FindIndex(block => Driver.cuEventQuery(block.LastUse) == CUresult.CUDA_SUCCESS);
        if (at < 0)
            return null;
        PinnedBlock found = sameSize[at];
        sameSize.RemoveAt(at);
        return found;
    }

    private PinnedBlock Grow(long size)
    {
        CUevent lastUse;
        CudaException.ThrowIfFailed(
            Driver.cuEventCreate(&lastUse, (uint)CUevent_flags.CU_EVENT_DISABLE_TIMING), "cuEventCreate", device.Ordinal);
        try
        {
            void* pointer = DriverMemory.AllocatePinned(device, size, writeCombined: false);
            _reserved += size;
            return new PinnedBlock(pointer, size, lastUse);
        }
        catch
        {
            _ = Driver.cuEventDestroy_v2(lastUse);
            throw;
        }
    }

    private void Release(PinnedBlock block)
    {
        _ = Driver.cuEventSynchronize(block.LastUse);
        _ = Driver.cuEventDestroy_v2(block.LastUse);
        _ = Driver.cuMemFreeHost(block.Pointer);
        _reserved -= block.Size;
    }
}
