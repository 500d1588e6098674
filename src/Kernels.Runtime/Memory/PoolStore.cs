using System.Diagnostics;
using Kernels.Native;

namespace Kernels.Runtime;

/// <summary>
/// Segments and blocks of a <see cref="DevicePool"/>. Callers have the device's context current. Outlives the pool as long as
/// buffers from it live, so that they can be disposed in any order.
/// </summary>
internal sealed class PoolStore(Device device, DevicePoolOptions options)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<ulong, PoolStream> _streams = [];
    private readonly HashSet<PoolSegment> _segments = [];
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

    public DevicePoolStatistics GetStatistics()
    {
        lock (_gate)
        {
            long largest = 0;
            foreach (PoolStream stream in _streams.Values)
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
            PoolStream own = GetStream(stream);
            if (own.IsCapturing())
            {
                throw new InvalidOperationException(
                    $"{bytes} bytes were asked of the pool for {stream} while it is captured. Allocate before the capture begins.");
            }

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
            if (block.OtherUses is not null)
                OrderUses(block);
            block.Stream.Freed();
            _inUse -= block.Size;
            _blocksInUse--;
            RuntimeMetrics.PoolInUse.Add(-block.Size);
            PoolBlock merged = MakeFree(block);
            if (_closed && merged.IsWholeSegment)
            {
                merged.Stream.Synchronize();
                Release(merged);
                if (_segments.Count == 0)
                    DestroyEvents();
            }
        }
    }

    public void NoteUse(PoolBlock block, Stream stream)
    {
        lock (_gate)
        {
            PoolStream other = GetStream(stream);
            if (other != block.Stream && block.OtherUses?.Contains(other) != true)
                (block.OtherUses ??= []).Add(other);
        }
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
            ForgetClosedStreams();
            return released;
        }
    }

    /// <summary>The pool was disposed: releases what is free now, and the rest when its last block comes back.</summary>
    public void Close()
    {
        lock (_gate)
        {
            _closed = true;
            Trim(0, wait: true);
            // After a failed kernel no event is ever done, but then nothing runs any more either.
            CollectFree();
            foreach (PoolBlock block in _scratch)
            {
                if (block.IsWholeSegment)
                    Release(block);
            }

            _scratch.Clear();
            if (_segments.Count == 0)
                DestroyEvents();
        }
    }

    /// <summary>One event must cover all uses: each stream waits for the one before it, and the last stands for them all.</summary>
    private static void OrderUses(PoolBlock block)
    {
        PoolStream last = block.Stream;
        foreach (PoolStream other in block.OtherUses!)
        {
            if (other.IsClosed)
            {
                other.Synchronize();
                continue;
            }

            last.Freed();
            if (!last.TryMakeWait(other))
                last.Synchronize();
            last = other;
        }

        block.OtherUses = null;
        block.Stream = last;
    }

    private PoolStream GetStream(Stream stream)
    {
        if (!_streams.TryGetValue(stream.Id, out PoolStream? known))
            _streams.Add(stream.Id, known = new PoolStream(stream, _gate));
        stream.CloseWith(known);
        return known;
    }

    /// <summary>Same stream; a block that another stream is done with; one that it will be done with; small ones merged.</summary>
    private PoolBlock? FindReserved(long size, bool small, PoolStream own)
    {
        if (own.Bins(small).Find(size) is { } block)
            return block;

        foreach (PoolStream other in _streams.Values)
        {
            if (other != own && other.Bins(small).Find(size) is { } finished && other.IsFinished())
            {
                _hitsFromOtherStreams++;
                return finished;
            }
        }

        foreach (PoolStream other in _streams.Values)
        {
            if (other != own && other.Bins(small).Find(size) is { } awaited && other.TryMakeWait(own))
            {
                _waits++;
                return awaited;
            }
        }

        return _streams.Count > 1 && MergeAcrossStreams(wait: false) ? FindAnywhere(size, small) : null;
    }

    /// <summary>A block of any stream that is done with it.</summary>
    private PoolBlock? FindAnywhere(long size, bool small)
    {
        foreach (PoolStream stream in _streams.Values)
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
            if (options.Limit is { } limit && segmentSize > limit - _reserved)
                return null;
            if (!options.Source.TryAllocate(device, segmentSize, stream, out CUdeviceptr pointer))
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
        PoolStream? common = null;
        bool merged = false;
        foreach (PoolStream stream in _streams.Values)
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
        options.Source.Free(device, block.Segment.Pointer, block.Segment.Size);
    }

    private void CollectFree()
    {
        _scratch.Clear();
        foreach (PoolStream stream in _streams.Values)
        {
            stream.Small.CopyTo(_scratch);
            stream.Large.CopyTo(_scratch);
        }
    }

    private void ForgetClosedStreams()
    {
        foreach ((ulong id, PoolStream stream) in _streams)
        {
            if (stream.IsClosed && stream.Blocks == 0)
            {
                stream.DestroyEvent();
                _streams.Remove(id); // allowed while enumerating
            }
        }
    }

    private void DestroyEvents()
    {
        foreach (PoolStream stream in _streams.Values)
            stream.DestroyEvent();
        _streams.Clear();
    }
}
