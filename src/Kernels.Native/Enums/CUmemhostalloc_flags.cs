#pragma warning disable CS1591 // The members are the macros of cuda.h, which documents them.

namespace Kernels.Native;

/// <summary>Flags of <see cref="Driver.cuMemHostAlloc"/>; macros (<c>CU_MEMHOSTALLOC_...</c>) in cuda.h.</summary>
[Flags]
public enum CUmemhostalloc_flags
{
    CU_MEMHOSTALLOC_PORTABLE = 1,
    CU_MEMHOSTALLOC_DEVICEMAP = 2,
    CU_MEMHOSTALLOC_WRITECOMBINED = 4,
}
