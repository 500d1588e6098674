namespace Kernels.Native;

#pragma warning disable CS1591 // The fields are those of cuda.h, which documents them.

/// <summary>Properties of a driver memory pool.</summary>
public unsafe struct CUmemPoolProps
{
    public CUmemAllocationType allocType;
    public CUmemAllocationHandleType handleTypes;
    public CUmemLocation location;
    public void* win32SecurityAttributes;
    public nuint maxSize;
    public fixed byte reserved[56];
}
