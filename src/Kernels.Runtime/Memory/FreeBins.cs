using System.Numerics;

namespace Kernels.Runtime;

/// <summary>
/// Free blocks by size: four bins for each power of two, each a linked list through the blocks themselves, so that neither taking nor
/// returning allocates.
/// </summary>
internal sealed class FreeBins
{
    private const int BinCount = 4 * 44;

    private readonly PoolBlock?[] _bins = new PoolBlock?[BinCount];

    /// <summary>Size of the largest block, or 0.</summary>
    public long Largest
    {
        get
        {
            for (int bin = BinCount - 1; bin >= 0; bin--)
            {
                long largest = 0;
                for (PoolBlock? block = _bins[bin]; block is not null; block = block.NextInBin)
                    largest = Math.Max(largest, block.Size);
                if (largest > 0)
                    return largest;
            }

            return 0;
        }
    }

    /// <summary>The smallest block of the first bin that has one of at least this size, or null. It stays in its bin.</summary>
    public PoolBlock? Find(long size)
    {
        for (int bin = BinOf(size); bin < BinCount; bin++)
        {
            PoolBlock? best = null;
            for (PoolBlock? block = _bins[bin]; block is not null; block = block.NextInBin)
            {
                if (block.Size >= size && (best is null || block.Size < best.Size))
                    best = block;
            }

            if (best is not null)
                return best;
        }

        return null;
    }

    public void Add(PoolBlock block)
    {
        ref PoolBlock? head = ref _bins[BinOf(block.Size)];
        block.PreviousInBin = null;
        block.NextInBin = head;
        if (head is not null)
            head.PreviousInBin = block;
        head = block;
    }

    public void Remove(PoolBlock block)
    {
        if (block.PreviousInBin is null)
            _bins[BinOf(block.Size)] = block.NextInBin;
        else
            block.PreviousInBin.NextInBin = block.NextInBin;
        if (block.NextInBin is not null)
            block.NextInBin.PreviousInBin = block.PreviousInBin;
        block.PreviousInBin = block.NextInBin = null;
    }

    /// <summary>All blocks, for walks that change the bins.</summary>
    public void CopyTo(List<PoolBlock> blocks)
    {
        foreach (PoolBlock? head in _bins)
        {
            for (PoolBlock? block = head; block is not null; block = block.NextInBin)
                blocks.Add(block);
        }
    }

    private static int BinOf(long size)
    {
        ulong units = (ulong)(size / PoolSegment.Granularity);
        if (units < 4)
            return (int)units;
        int exponent = BitOperations.Log2(units);
        return Math.Min(BinCount - 1, (exponent - 1) * 4 + (int)((units >> (exponent - 2)) & 3));
    }
}
