using Kernels.Native;

namespace Kernels.Runtime;

/// <summary>
/// A piece of a segment: allocated, or free and in one of the bins of the stream it was freed on. Blocks of a segment form a list
/// by address without gaps; two free neighbours of the same stream are merged at once.
/// </summary>
internal sealed class PoolBlock
{
    private PoolStream _stream;

    public PoolBlock(PoolSegment segment, CUdeviceptr pointer, long size, PoolStream stream)
    {
        Segment = segment;
        Pointer = pointer;
        Size = size;
        _stream = stream;
        stream.Blocks++;
    }

    public PoolSegment Segment { get; }

    public CUdeviceptr Pointer { get; }

    public long Size { get; set; }

    public bool IsFree { get; set; }

    /// <summary>Stream the block was allocated on; while it is free, the one whose event covers its last use.</summary>
    public PoolStream Stream
    {
        get => _stream;
        set
        {
            _stream.Blocks--;
            _stream = value;
            value.Blocks++;
        }
    }

    /// <summary>Uses by other streams. A block that came back with some waits for them apart from the free ones.</summary>
    public List<StreamUse>? OtherUses { get; private set; }

    public PoolBlock? Previous { get; set; }

    public PoolBlock? Next { get; set; }

    public PoolBlock? PreviousInBin { get; set; }

    public PoolBlock? NextInBin { get; set; }

    /// <summary>Whether the block is all there is of its segment.</summary>
    public bool IsWholeSegment => Previous is null && Next is null;

    public void AddUse(PoolStream stream)
    {
        if (stream != _stream && OtherUses?.Exists(use => use.Stream == stream) != true)
            (OtherUses ??= []).Add(new StreamUse(stream));
    }

    public void RetireUses()
    {
        OtherUses?.ForEach(use => use.Retire());
        OtherUses = null;
    }

    /// <summary>The block goes: it was merged into a neighbour or its segment was released.</summary>
    public void Retire() => _stream.Blocks--;
}
