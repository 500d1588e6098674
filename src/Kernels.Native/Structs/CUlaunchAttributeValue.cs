using System.Runtime.InteropServices;

namespace Kernels.Native;

#pragma warning disable CS1591 // The fields are those of cuda.h, which documents them.

/// <summary>Value of a launch attribute: the union of cuda.h, as far as this library has a use for it.</summary>
[StructLayout(LayoutKind.Explicit, Size = 64)]
public struct CUlaunchAttributeValue
{
    [FieldOffset(0)] public CUaccessPolicyWindow accessPolicyWindow;
    [FieldOffset(0)] public int cooperative;
    [FieldOffset(0)] public CUsynchronizationPolicy syncPolicy;
    [FieldOffset(0)] public CUlaunchClusterDimension clusterDim;
    [FieldOffset(0)] public CUclusterSchedulingPolicy clusterSchedulingPolicyPreference;
    [FieldOffset(0)] public int programmaticStreamSerializationAllowed;
    [FieldOffset(0)] public int priority;
    [FieldOffset(0)] public CUlaunchMemSyncDomainMap memSyncDomainMap;
    [FieldOffset(0)] public CUlaunchMemSyncDomain memSyncDomain;
}
