#pragma warning disable CS1591 // The members are those of cuda.h, which documents them.

namespace Kernels.Native;

/// <summary>Who may use managed memory.</summary>
[Flags]
public enum CUmemAttach_flags
{
    CU_MEM_ATTACH_GLOBAL = 1,
    CU_MEM_ATTACH_HOST = 2,
    CU_MEM_ATTACH_SINGLE = 4,
}
