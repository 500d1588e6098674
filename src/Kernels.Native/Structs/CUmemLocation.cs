namespace Kernels.Native;

#pragma warning disable CS1591 // The fields are those of cuda.h, which documents them.

/// <summary>Where an allocation lives.</summary>
public unsafe struct CUmemLocation
{
    public CUmemLocationType type;
    public int id;
}
