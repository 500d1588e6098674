namespace Kernels.Native;

#pragma warning disable CS1591 // The fields are those of cuda.h, which documents them.

/// <summary>One launch attribute.</summary>
public unsafe struct CUlaunchAttribute
{
    public CUlaunchAttributeID id;
    public fixed byte pad[4];
    public CUlaunchAttributeValue value;
}
