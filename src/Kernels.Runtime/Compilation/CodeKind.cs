namespace Kernels.Runtime;

/// <summary>Kinds of code that NVRTC makes.</summary>
public enum CodeKind
{
    /// <summary>Machine code of one architecture.</summary>
    Cubin,

    /// <summary>PTX text, which the driver (or the simulator) compiles when it loads it.</summary>
    Ptx,
}
