using Kernels.Native;

namespace Kernels.Runtime;

/// <summary>
/// One stream's use of one block, with an event of its own: no stream waits for another because both used the block. The pool's
/// lock protects it.
/// </summary>
internal sealed unsafe class StreamUse
{
    private CUevent _event;
    private bool _covered;
    private bool _finished;

    public StreamUse(PoolStream stream)
    {
        Stream = stream;
        stream.Blocks++;
    }

    public PoolStream Stream { get; }

    /// <summary>
    /// Sees to it that an event covers the use; false where that is not possible now: while the stream is captured, an event recorded
    /// on it would be part of the graph. First called when the block is given back.
    /// </summary>
    public bool Cover()
    {
        // Of a stream that is gone, the event recorded before it went covers everything.
        if (_covered || Stream.IsClosed)
            return _covered || Stream.Cover();
        if (Stream.IsCapturing())
            return false;
        if (_event.Value == 0)
        {
            CUevent created;
            if (Driver.cuEventCreate(&created, (uint)CUevent_flags.CU_EVENT_DISABLE_TIMING) != CUresult.CUDA_SUCCESS)
                return false;
            _event = created;
        }

        return _covered = Stream.TryRecord(_event);
    }

    /// <summary>Whether the use is done. What no event covers is not: an event that was never recorded would say that it is.</summary>
    public bool IsFinished()
    {
        if (!_finished && Cover())
            _finished = _covered ? Driver.cuEventQuery(_event) == CUresult.CUDA_SUCCESS : Stream.IsFinished();
        return _finished;
    }

    /// <summary>Makes later work of another stream wait for the use; false where that cannot be said.</summary>
    public bool TryMakeWait(PoolStream other) =>
        Cover() && (_covered ? other.TryWait(_event) : Stream.TryMakeWait(other));

    /// <summary>Waits on the host until the use is done; false where that cannot be said.</summary>
    public bool Synchronize()
    {
        if (!_finished)
        {
            Cover();
            _finished = _covered ? Driver.cuEventSynchronize(_event) == CUresult.CUDA_SUCCESS
                : Stream.IsClosed ? Stream.Synchronize()
                : Stream.TrySynchronizeContext();
        }

        return _finished;
    }

    /// <summary>The use is over, or another's order covers it.</summary>
    public void Retire()
    {
        if (_event.Value != 0)
            _ = Driver.cuEventDestroy_v2(_event);
        _event = default;
        Stream.Blocks--;
    }
}
