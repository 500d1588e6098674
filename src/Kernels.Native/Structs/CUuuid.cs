namespace Kernels.Native;

#pragma warning disable CS1591 // The fields are those of cuda.h, which documents them.

/// <summary>A UUID as 16 bytes in the order they are written.</summary>
public unsafe struct CUuuid
{
    public fixed byte bytes[16];
}
