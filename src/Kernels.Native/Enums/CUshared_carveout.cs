#pragma warning disable CS1591 // The members are those of cuda.h, which documents them.

namespace Kernels.Native;

/// <summary>Shares of shared memory that a kernel can prefer.</summary>
public enum CUshared_carveout
{
    CU_SHAREDMEM_CARVEOUT_DEFAULT = -1,
    CU_SHAREDMEM_CARVEOUT_MAX_L1 = 0,
    CU_SHAREDMEM_CARVEOUT_MAX_SHARED = 100,
}
