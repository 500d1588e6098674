namespace Kernels.Runtime;

/// <summary>A piece of page-locked memory of a <see cref="PinnedPool"/>, with the streams whose work uses it.</summary>
internal sealed unsafe class PinnedBlock(void* pointer, long size)
{
    public void* Pointer { get; } = pointer;

    public long Size { get; } = size;

    public List<StreamUse> Uses { get; } = [];

    public void AddUse(PoolStream stream)
    {
        if (!Uses.Exists(use => use.Stream == stream))
            Uses.Add(new StreamUse(stream));
    }

    public void RetireUses()
    {
        Uses.ForEach(use => use.Retire());
        Uses.Clear();
    }
}
