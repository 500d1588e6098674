using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Kernels.Native;

/// <summary>Sends this assembly's two P/Invoke library names to the libraries that the loader chose.</summary>
internal static class LibraryResolver
{
    public const string Driver = "cuda";
    public const string Nvrtc = "nvrtc";

    [ModuleInitializer]
    [SuppressMessage("Usage", "CA2255", Justification =
        "The resolver must be in place before the first P/Invoke of the assembly; a static constructor would put a check on every call.")]
    internal static void Register() => NativeLibrary.SetDllImportResolver(typeof(LibraryResolver).Assembly, Resolve);

    private static nint Resolve(string libraryName, Assembly assembly, DllImportSearchPath? searchPath) => libraryName switch
    {
        Driver => DriverLibrary.Handle,
        Nvrtc => NvrtcLibrary.Handle,
        _ => 0,
    };
}
