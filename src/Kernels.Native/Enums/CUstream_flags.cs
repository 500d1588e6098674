#pragma warning disable CS1591 // The members are those of cuda.h, which documents them.

namespace Kernels.Native;

/// <summary>Flags of a stream.</summary>
public enum CUstream_flags
{
    CU_STREAM_DEFAULT = 0,
    CU_STREAM_NON_BLOCKING = 1,
}
