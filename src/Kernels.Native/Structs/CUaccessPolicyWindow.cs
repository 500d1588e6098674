namespace Kernels.Native;

#pragma warning disable CS1591 // The fields are those of cuda.h, which documents them.

/// <summary>A window of addresses and how its accesses treat the L2 cache.</summary>
public unsafe struct CUaccessPolicyWindow
{
    public void* base_ptr;
    public nuint num_bytes;
    public float hitRatio;
    public CUaccessProperty hitProp;
    public CUaccessProperty missProp;
}
