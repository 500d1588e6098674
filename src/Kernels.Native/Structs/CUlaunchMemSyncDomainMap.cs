namespace Kernels.Native;

#pragma warning disable CS1591 // The fields are those of cuda.h, which documents them.

/// <summary>Which synchronisation domains a launch maps to.</summary>
public unsafe struct CUlaunchMemSyncDomainMap
{
    public byte default_;
    public byte remote;
}
