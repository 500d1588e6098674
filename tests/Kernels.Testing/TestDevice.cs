using Kernels.Native;
using Kernels.Runtime;

namespace Kernels.Testing;

/// <summary>
/// The device under test, opened once for the process: device 0 of the driver that <c>KERNELS_DRIVER</c> chooses, as the library
/// itself chooses it. Tests that break a context (an illegal address is sticky) run in a process of their own.
/// </summary>
public static class TestDevice
{
    private static readonly Lazy<(Device? Device, string Reason)> Opened = new(Open);

    /// <summary>The device. Use <see cref="RequiresDeviceAttribute"/> on tests that need it.</summary>
    public static Device Device => Opened.Value.Device ?? throw new InvalidOperationException(Opened.Value.Reason);

    /// <summary>Why there is no device; empty where there is one.</summary>
    public static string WhyUnavailable => Opened.Value.Reason;

    /// <summary>Who executes kernels: device name, capability and driver library.</summary>
    public static string Executor => Opened.Value.Device is { } device
        ? $"{device.Properties.Name}, compute capability {device.ComputeCapability}, driver {DriverLibrary.Path}"
        : $"none ({Opened.Value.Reason})";

    /// <summary>Compiler of the tests: NVRTC or the pack as in the library, and the cache folder of the environment.</summary>
    public static KernelCompiler Compiler => KernelCompiler.Default;

    private static (Device?, string) Open()
    {
        try
        {
            if (Device.Count == 0)
                return (null, $"The driver {DriverLibrary.Path} reports no device.");
            return (Device.Open(), "");
        }
        catch (LibraryLoadException error)
        {
            return (null, error.Message);
        }
    }
}
