namespace Kernels.Native;

#pragma warning disable CS1591 // The fields are those of cuda.h, which documents them.

/// <summary>Blocks of a cluster in each direction (an unnamed struct of cuda.h's <c>CUlaunchAttributeValue</c>).</summary>
public struct CUlaunchClusterDimension
{
    public uint x;
    public uint y;
    public uint z;
}
