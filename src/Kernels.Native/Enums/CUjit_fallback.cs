#pragma warning disable CS1591 // The members are those of cuda.h, which documents them.

namespace Kernels.Native;

/// <summary>What the driver prefers where a fat binary holds no exact match.</summary>
public enum CUjit_fallback
{
    CU_PREFER_PTX = 0,
    CU_PREFER_BINARY = 1,
}
