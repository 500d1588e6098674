#pragma warning disable CS1591 // The members are those of cuda.h, which documents them.

namespace Kernels.Native;

/// <summary>What a kernel prefers of the memory that L1 cache and shared memory divide.</summary>
public enum CUfunc_cache
{
    CU_FUNC_CACHE_PREFER_NONE = 0,
    CU_FUNC_CACHE_PREFER_SHARED = 1,
    CU_FUNC_CACHE_PREFER_L1 = 2,
    CU_FUNC_CACHE_PREFER_EQUAL = 3,
}
