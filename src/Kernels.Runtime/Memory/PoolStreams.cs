namespace Kernels.Runtime;

/// <summary>The streams a pool has met, by id: the driver reuses handles. The pool's lock protects it.</summary>
internal sealed class PoolStreams(Lock gate)
{
    private readonly Dictionary<ulong, PoolStream> _byId = [];

    public int Count => _byId.Count;

    public Dictionary<ulong, PoolStream>.ValueCollection All => _byId.Values;

    public PoolStream Get(Stream stream)
    {
        if (!_byId.TryGetValue(stream.Id, out PoolStream? known))
            _byId.Add(stream.Id, known = new PoolStream(stream, gate));
        known.Reopen(); // where it was forgotten and is used again
        stream.CloseWith(known);
        return known;
    }

    /// <summary>Marks the work that a stream was given so far as all it will be given.</summary>
    public void Forget(Stream stream)
    {
        if (_byId.TryGetValue(stream.Id, out PoolStream? known))
            known.Closing();
        DropClosed();
    }

    /// <summary>Drops streams that are gone and of which no block is left.</summary>
    public void DropClosed()
    {
        foreach ((ulong id, PoolStream stream) in _byId)
        {
            if (stream.IsClosed && stream.Blocks == 0)
            {
                stream.DestroyEvent();
                _byId.Remove(id); // allowed while enumerating
            }
        }
    }

    public void Clear()
    {
        foreach (PoolStream stream in _byId.Values)
            stream.DestroyEvent();
        _byId.Clear();
    }
}
