namespace Kernels.Native;

/// <summary>Which kind of driver library is in use.</summary>
public enum DriverKind
{
    /// <summary>NVIDIA's driver, or what stands in its place on the dynamic loader's path.</summary>
    Cuda,

    /// <summary>This project's simulator.</summary>
    Simulator,

    /// <summary>A library named by path.</summary>
    Path,
}
