using System.Diagnostics;
using Kernels.Native;

namespace Kernels.Runtime;

/// <summary>
/// Segments and blocks of a <see cref="DevicePool"/>. Callers have the device's context current. Outlives the pool as long as
/// buffers from it live, so that they can be disposed in any order.
/// </summary>
internal sealed class PoolStore
{
    private readonly Device _device;
    private readonly DevicePoolOptions _options;
    private readonly Lock _gate = new();
    private readonly PoolStreams _streams;
    private readonly HashSet<PoolSegment> _segments = [];

    // Blocks that came back and that other streams than their own may still use; neither allocated nor in a bin.
    private readonly List<PoolBlock> _awaited = [];
    private readonly List<PoolBlock> _scratch = [];
    private long _inUse;
    private long _peakInUse;
    private long _blocksInUse;
    private long _reserved;
    private long _peakReserved;
    private long _hits;
    private long _misses;
    private long _hitsFromOtherStreams;
    private long _waits;
    private long _shortages;
    private bool _closed;

    public PoolStore(Device device, DevicePoolOptions options)
    {
        _device = device;
        _options = options;
        _streams = new PoolStreams(_gate);
    }

    public DevicePoolStatistics GetStatistics()
    {
        lock (_gate)
        {
            long largest = 0;
            foreach (PoolStream stream in _streams.All)
                largest = Math.Max(largest, Math.Max(stream.Small.Largest, stream.Large.Largest));
            return new DevicePoolStatistics
            {
                BytesInUse = _inUse,
                BytesReserved = _reserved,
                PeakInUse = _peakInUse,
                PeakReserved = _peakReserved,
                LargestFree = largest,
                BlocksInUse = _blocksInUse,
                Segments = _segments.Count,
                Hits = _hits,
                Misses = _misses,
                HitsFromOtherStreams = _hitsFromOtherStreams,
                Waits = _waits,
                MemoryShortages = _shortages,
            };
        }
    }

    /// <summary>A block, or null where everything short of asking the program was tried.</summary>
    public PoolBlock? Allocate(long bytes, Stream stream)
    {
        long size = PoolSegment.BlockSize(bytes);
        bool small = size <= PoolSegment.LargestSmall;
        lock (_gate)
        {
            PoolStream own = _streams.Get(stream);
            if (own.IsCapturing())
            {
                throw new InvalidOperationException(
                    $"{bytes} bytes were asked of the pool for {stream} while it is captured. Allocate before the capture begins.");
            }

            SettleUses(wait: false);
            PoolBlock? block = FindReserved(size, small, own);
            if (block is not null)
            {
                _hits++;
                RuntimeMetrics.PoolHits.Add(1);
                return Take(block, size, own);
            }

            block = Grow(size, small, own, stream) ?? OvercomeShortage(size, small, own, stream);
            if (block is null)
                return null;
            _misses++;
            RuntimeMetrics.PoolMisses.Add(1);
            return Take(block, size, own);
        }
    }

    /// <summary>Takes a block back; its last use is what the streams it was used on were given so far.</summary>
    public void Return(PoolBlock block)
    {
        lock (_gate)
        {
            Debug.Assert(!block.IsFree);
            block.Stream.Freed();
            _inUse -= block.Size;
            _blocksInUse--;
            RuntimeMetrics.PoolInUse.Add(-block.Size);
            if (block.OtherUses is { } uses)
            {
                foreach (StreamUse use in uses)
                    use.Cover();
                _awaited.Add(block);
            }
            else
            {
                MakeFree(block);
            }

            if (_closed)
                ReleaseAll();
        }
    }

    public void NoteUse(PoolBlock block, Stream stream)
    {
        lock (_gate)
            block.AddUse(_streams.Get(stream));
    }

    public void Forget(Stream stream)
    {
        lock (_gate)
            _streams.Forget(stream);
    }

    /// <summary>Releases wholly free segments, largest first, until no more than so many bytes are held.</summary>
    public long Trim(long keep, bool wait)
    {
        lock (_gate)
        {
            MergeAcrossStreams(wait);
            CollectFree();
            _scratch.RemoveAll(block => !block.IsWholeSegment || !(wait ? block.Stream.Synchronize() : block.Stream.IsFinished()));
            _scratch.Sort((left, right) => right.Size.CompareTo(left.Size));
            long released = 0;
            foreach (PoolBlock block in _scratch)
            {
                if (_reserved <= keep)
                    break;
                released += block.Size;
                Release(block);
            }

            _scratch.Clear();
            _streams.DropClosed();
            return released;
        }
    }

    /// <summary>The pool was disposed: releases what is free now, and the rest when its last block comes back.</summary>
    public void Close()
    {
        lock (_gate)
        {
            _closed = true;
            ReleaseAll();
        }
    }

    /// <summary>Releases every segment that nothing is allocated in, after waiting for its last use.</summary>
    private void ReleaseAll()
    {
        MergeAcrossStreams(wait: true);
        CollectFree();
        foreach (PoolBlock block in _scratch)
        {
            // After a failed kernel no event is ever done, but then nothing runs any more either.
            if (block.IsWholeSegment)
            {
                block.Stream.Synchronize();
                Release(block);
            }
        }

        _scratch.Clear();
        if (_segments.Count == 0)
            _streams.Clear();
    }

    /// <summary>Frees the awaited blocks that no stream uses any more; in a pool that was disposed, all of them.</summary>
    private void SettleUses(bool wait)
    {
        for (int i = _awaited.Count - 1; i >= 0; i--)
        {
            PoolBlock block = _awaited[i];
            bool finished = true;
            foreach (StreamUse use in block.OtherUses!)
                finished &= wait ? use.Synchronize() : use.IsFinished();
            if (!finished && !_closed)
                continue;
            _awaited.RemoveAt(i);
            block.RetireUses();
            MakeFree(block);
        }
    }

    /// <summary>An awaited block for all of whose uses the requesting stream is made to wait; from then on its order covers them.</summary>
    private PoolBlock? TakeOverAwaited(long size, bool small, PoolStream own)
    {
        foreach (PoolBlock block in _awaited)
        {
            if (block.Segment.IsSmall != small || block.Size < size || !block.OtherUses!.TrueForAll(use => use.Cover()) ||
                (block.Stream != own && !block.Stream.TryMakeWait(own)) || !block.OtherUses.TrueForAll(use => use.TryMakeWait(own)))
                continue;
            _awaited.Remove(block);
            block.RetireUses();
            block.Stream = own;
            own.Freed();
            return MakeFree(block);
        }

        return null;
    }

    /// <summary>Same stream; a block that another stream is done with; one that it will be done with; small ones merged.</summary>
    private PoolBlock? FindReserved(long size, bool small, PoolStream own)
    {
        if (own.Bins(small).Find(size) is { } block)
            return block;

        foreach (PoolStream other in _streams.All)
        {
            if (other != own && other.Bins(small).Find(size) is { } finished && other.IsFinished())
            {
                _hitsFromOtherStreams++;
                return finished;
            }
        }

        foreach (PoolStream other in _streams.All)
        {
            if (other != own && other.Bins(small).Find(size) is { } awaited && other.TryMakeWait(own))
            {
                _waits++;
                return awaited;
            }
        }

        if (TakeOverAwaited(size, small, own) is { } takenOver)
        {
            _waits++;
            return takenOver;
        }

        return _streams.Count > 1 && MergeAcrossStreams(wait: false) ? FindAnywhere(size, small) : null;
    }

    /// <summary>A block of any stream that is done with it.</summary>
    private PoolBlock? FindAnywhere(long size, bool small)
    {
        foreach (PoolStream stream in _streams.All)
        {
            if (stream.Bins(small).Find(size) is { } block && stream.IsFinished())
                return block;
        }

        return null;
    }

    private PoolBlock? OvercomeShortage(long size, bool small, PoolStream own, Stream stream)
    {
        _shortages++;
        Trim(0, wait: false);
        if (Grow(size, small, own, stream) is { } block)
            return block;
        // Last, wait for everything. Merging may make a block that fits; failing that, releasing may make room for one.
        MergeAcrossStreams(wait: true);
        if (own.Bins(small).Find(size) is { } ownBlock)
            return ownBlock;
        if (FindAnywhere(size, small) is { } merged)
            return merged;
        Trim(0, wait: true);
        return Grow(size, small, own, stream);
    }

    /// <summary>A new segment as one free block, or null where limit or source do not allow it.</summary>
    private PoolBlock? Grow(long size, bool small, PoolStream own, Stream stream)
    {
        // First with room for more of the kind; where that is too much, just what is needed.
        return TryGrow(PoolSegment.SizeFor(size)) ?? (PoolSegment.SizeFor(size) != size ? TryGrow(size) : null);

        PoolBlock? TryGrow(long segmentSize)
        {
            if (_options.Limit is { } limit && segmentSize > limit - _reserved)
                return null;
            if (!_options.Source.TryAllocate(_device, segmentSize, stream, out CUdeviceptr pointer))
                return null;
            var segment = new PoolSegment(pointer, segmentSize, small);
            _segments.Add(segment);
            _reserved += segmentSize;
            _peakReserved = Math.Max(_reserved, _peakReserved);
            RuntimeMetrics.PoolReserved.Add(segmentSize);
            var block = new PoolBlock(segment, pointer, segmentSize, own) { IsFree = true };
            own.Bins(small).Add(block);
            // The source gives memory in order of this stream: others must not have the rest of it before the stream is there.
            own.Freed();
            return block;
        }
    }

    /// <summary>Marks a free block allocated; what is too much of it stays free on the stream it was free on.</summary>
    private PoolBlock Take(PoolBlock block, long size, PoolStream own)
    {
        FreeBins bins = block.Stream.Bins(block.Segment.IsSmall);
        bins.Remove(block);
        if (block.Size > size)
        {
            var rest = new PoolBlock(block.Segment, block.Pointer + size, block.Size - size, block.Stream)
            {
                IsFree = true,
                Previous = block,
                Next = block.Next,
            };
            if (block.Next is not null)
                block.Next.Previous = rest;
            block.Next = rest;
            block.Size = size;
            bins.Add(rest);
        }

        block.IsFree = false;
        block.Stream = own;
        _inUse += size;
        _peakInUse = Math.Max(_inUse, _peakInUse);
        _blocksInUse++;
        RuntimeMetrics.PoolInUse.Add(size);
        return block;
    }

    /// <summary>Puts a block into its stream's bins, merged with free neighbours of the same stream.</summary>
    private static PoolBlock MakeFree(PoolBlock block)
    {
        FreeBins bins = block.Stream.Bins(block.Segment.IsSmall);
        if (block.Previous is { IsFree: true } previous && previous.Stream == block.Stream)
        {
            bins.Remove(previous);
            block = Join(previous, block);
        }

        if (block.Next is { IsFree: true } next && next.Stream == block.Stream)
        {
            bins.Remove(next);
            block = Join(block, next);
        }

        block.IsFree = true;
        bins.Add(block);
        return block;
    }

    private static PoolBlock Join(PoolBlock first, PoolBlock second)
    {
        Debug.Assert(first.Next == second && second.Pointer == first.Pointer + first.Size);
        first.Size += second.Size;
        first.Next = second.Next;
        if (second.Next is not null)
            second.Next.Previous = first;
        second.IsFree = false;
        second.Retire();
        return first;
    }

    /// <summary>
    /// Gives all blocks whose uses are done to one stream, so that neighbours merge which were freed on different ones; true where
    /// some did.
    /// </summary>
    private bool MergeAcrossStreams(bool wait)
    {
        SettleUses(wait);
        PoolStream? common = null;
        bool merged = false;
        foreach (PoolStream stream in _streams.All)
        {
            if (!(wait ? stream.Synchronize() : stream.IsFinished()))
                continue;
            if (common is null)
            {
                common = stream;
                continue;
            }

            stream.Small.CopyTo(_scratch);
            stream.Large.CopyTo(_scratch);
            foreach (PoolBlock block in _scratch)
            {
                // A merge with a neighbour that is also in the list retires one of the two; the other stays as it is.
                if (!block.IsFree || block.Stream != stream)
                    continue;
                block.Stream.Bins(block.Segment.IsSmall).Remove(block);
                block.IsFree = false;
                block.Stream = common;
                long before = block.Size;
                merged |= MakeFree(block).Size != before;
            }

            _scratch.Clear();
        }

        return merged;
    }

    private void Release(PoolBlock block)
    {
        block.Stream.Bins(block.Segment.IsSmall).Remove(block);
        block.IsFree = false;
        block.Retire();
        _segments.Remove(block.Segment);
        _reserved -= block.Segment.Size;
        RuntimeMetrics.PoolReserved.Add(-block.Segment.Size);
        _options.Source.Free(_device, block.Segment.Pointer, block.Segment.Size);
    }

    private void CollectFree()
    {
        _scratch.Clear();
        foreach (PoolStream stream in _streams.All)
        {
            stream.Small.CopyTo(_scratch);
            stream.Large.CopyTo(_scratch);
        }
    }
}
