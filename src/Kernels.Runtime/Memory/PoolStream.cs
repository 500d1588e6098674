using Kernels.Native;

namespace Kernels.Runtime;

/// <summary>
/// What a pool knows of a stream: the blocks freed on it, and an event that covers the last use of all of them. Keyed by the stream's
/// id. The pool's lock protects it.
/// </summary>
internal sealed unsafe class PoolStream
{
    private readonly Lock _gate;
    private readonly CUstream _handle;
    private CUevent _event;

    // Whether the event covers every free so far. Not while the stream is captured: an event recorded then is part of the graph.
    private bool _covered = true;
    private bool _finished = true;

    public PoolStream(Stream stream, Lock gate)
    {
        _gate = gate;
        Id = stream.Id;
        _handle = stream.Handle;
        CUevent created;
        CudaException.ThrowIfFailed(
            Driver.cuEventCreate(&created, (uint)CUevent_flags.CU_EVENT_DISABLE_TIMING), "cuEventCreate", stream.Device.Ordinal);
        _event = created;
    }

    public ulong Id { get; }

    public FreeBins Small { get; } = new();

    public FreeBins Large { get; } = new();

    /// <summary>Blocks and uses of blocks that name this stream.</summary>
    public int Blocks { get; set; }

    /// <summary>Whether the stream is gone; its event covers all that it did.</summary>
    public bool IsClosed { get; private set; }

    public FreeBins Bins(bool small) => small ? Small : Large;

    /// <summary>Notes that a block was freed: what the stream was given so far is its last use.</summary>
    public void Freed()
    {
        if (IsClosed)
            return;
        _finished = false;
        _covered = !IsCapturing() && TryRecord(_event);
    }

    /// <summary>A stream that was forgotten, but is not gone, is used again.</summary>
    public void Reopen() => IsClosed = false;

    /// <summary>Called with the context current before the stream is destroyed: the last moment at which its work can be marked.</summary>
    public void Closing()
    {
        lock (_gate)
        {
            if (IsClosed || _event.Value == 0)
                return;
            _finished = false;
            _covered = !IsCapturing() && TryRecord(_event);
            IsClosed = true;
        }
    }

    /// <summary>Whether all uses of the free blocks are done.</summary>
    public bool IsFinished()
    {
        if (!_finished && Cover())
            _finished = Driver.cuEventQuery(_event) == CUresult.CUDA_SUCCESS;
        return _finished;
    }

    /// <summary>Makes later work of another stream wait for all uses of the free blocks; false where that cannot be said.</summary>
    public bool TryMakeWait(PoolStream other) =>
        Cover() && other.TryWait(_event);

    /// <summary>Marks what the stream was given so far.</summary>
    public bool TryRecord(CUevent @event) => Driver.cuEventRecord(@event, _handle) == CUresult.CUDA_SUCCESS;

    /// <summary>Makes later work of this stream wait.</summary>
    public bool TryWait(CUevent @event) => Driver.cuStreamWaitEvent(_handle, @event, 0) == CUresult.CUDA_SUCCESS;

    /// <summary>Waits on the host until all uses of the free blocks are done; false where that cannot be said.</summary>
    public bool Synchronize()
    {
        if (!_finished)
            _finished = Cover() ? Driver.cuEventSynchronize(_event) == CUresult.CUDA_SUCCESS : TrySynchronizeContext();
        return _finished;
    }

    /// <summary>Waits for all work there is, for uses that no event could be made to cover.</summary>
    public bool TrySynchronizeContext() => !IsCapturing() && Driver.cuCtxSynchronize() == CUresult.CUDA_SUCCESS;

    public void DestroyEvent()
    {
        if (_event.Value != 0)
            _ = Driver.cuEventDestroy_v2(_event);
        _event = default;
    }

    /// <summary>Whether the stream's work is being captured into a graph.</summary>
    public bool IsCapturing()
    {
        CUstreamCaptureStatus status;
        if (IsClosed)
            return false;
        CUresult result = Driver.cuStreamIsCapturing(_handle, &status);
        // The legacy default stream must not be touched while a stream that orders itself with it is captured.
        return result == CUresult.CUDA_ERROR_STREAM_CAPTURE_IMPLICIT ||
            (result == CUresult.CUDA_SUCCESS && status != CUstreamCaptureStatus.CU_STREAM_CAPTURE_STATUS_NONE);
    }

    /// <summary>Sees to it that the event covers every free; not possible while the stream is captured.</summary>
    public bool Cover()
    {
        if (!_covered && !IsClosed && !IsCapturing())
            _covered = TryRecord(_event);
        return _covered;
    }
}
