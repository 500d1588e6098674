#pragma warning disable CS1591 // The members are those of cuda.h, which documents them.

namespace Kernels.Native;

/// <summary>Which processes may use a device.</summary>
public enum CUcomputemode
{
    CU_COMPUTEMODE_DEFAULT = 0,
    CU_COMPUTEMODE_PROHIBITED = 2,
    CU_COMPUTEMODE_EXCLUSIVE_PROCESS = 3,
}
