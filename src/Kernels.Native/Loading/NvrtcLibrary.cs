using System.Runtime.InteropServices;

namespace Kernels.Native;

/// <summary>
/// Finds NVRTC once for the process, at the first NVRTC call or at <see cref="TryLoad"/>. In this order: <see cref="Choice"/>;
/// the environment variable <c>KERNELS_NVRTC</c> (a path, or <c>none</c> to hide NVRTC); with neither, <c>CUDA_PATH</c> and
/// <c>CUDA_HOME</c>, the dynamic loader's own search by versioned name, the usual toolkit folders, and what
/// <c>./build.sh nvrtc</c> fetched. Never one of a higher major version than the driver's, whose code it would not load.
/// </summary>
public static unsafe class NvrtcLibrary
{
    /// <summary>Name of the environment variable that chooses NVRTC.</summary>
    public const string EnvironmentVariable = "KERNELS_NVRTC";

    private const string Advice =
        "Install a CUDA toolkit and set CUDA_PATH, or set KERNELS_NVRTC to the path of libnvrtc, or run `./build.sh nvrtc`, which " +
        "fetches it.";

    private static readonly Lock Gate = new();
    private static nint _handle;
    private static string? _choice;
    private static LoaderReport? _report;

    /// <summary>A path, or <c>none</c>; goes before the environment. Null for neither. Set it before the first NVRTC call.</summary>
    /// <exception cref="InvalidOperationException">NVRTC is already in use.</exception>
    public static string? Choice
    {
        get => _choice;
        set
        {
            lock (Gate)
            {
                if (_handle != 0)
                    throw new InvalidOperationException(
                        $"NVRTC cannot be changed to '{value}': {_report!.Taken!.Candidate} is already in use in this process.");
                _choice = value;
                _report = null;
            }
        }
    }

    /// <summary>File or name of the library in use, or null.</summary>
    public static string? Path => _report?.Taken?.Candidate;

    /// <summary>Version of the library in use; null before <see cref="TryLoad"/> succeeded.</summary>
    public static Version? Version { get; private set; }

    /// <summary>Every candidate and what became of it; null before the first attempt.</summary>
    public static LoaderReport? Report => _report;

    /// <summary>The library for the dynamic loader (<see cref="NativeLibrary"/>). Loads it at first use.</summary>
    /// <exception cref="LibraryLoadException">There is none.</exception>
    public static nint Handle => TryLoad() ? _handle : throw new LibraryLoadException(_report!, Advice);

    /// <summary>Finds and loads NVRTC unless that was done; false where there is none (see <see cref="Report"/>).</summary>
    public static bool TryLoad()
    {
        if (Volatile.Read(ref _handle) != 0)
            return true;
        lock (Gate)
        {
            if (_handle != 0 || _report is not null)
                return _handle != 0;
            var probe = new LibraryProbe("NVRTC");
            nint handle = Find(probe);
            _report = probe.Report;
            Volatile.Write(ref _handle, handle);
            return handle != 0;
        }
    }

    private static nint Find(LibraryProbe probe)
    {
        string? choice = _choice, origin = "chosen through the API";
        if (string.IsNullOrEmpty(choice))
        {
            choice = Environment.GetEnvironmentVariable(EnvironmentVariable);
            origin = EnvironmentVariable;
        }

        if (choice == "none")
        {
            probe.Note("none", origin, LoadOutcome.NotLoaded, "NVRTC is hidden");
            return 0;
        }

        if (!string.IsNullOrEmpty(choice))
            return probe.Try(SearchFolders.Resolve(choice), $"{origin}={choice}", Judge);

        return NvrtcCandidates.All(DriverMajor())
            .Select(candidate => probe.Try(candidate.File, candidate.Origin, Judge))
            .FirstOrDefault(handle => handle != 0);
    }

    private static bool Judge(nint handle, string candidate, out string reason)
    {
        if (!NativeLibrary.TryGetExport(handle, "nvrtcVersion", out nint getVersion) ||
            !NativeLibrary.TryGetExport(handle, "nvrtcGetCUBIN", out _))
        {
            reason = "not NVRTC 11.2 or later: it does not export nvrtcVersion and nvrtcGetCUBIN";
            return false;
        }

        int major, minor;
        nvrtcResult result = ((delegate* unmanaged<int*, int*, nvrtcResult>)getVersion)(&major, &minor);
        if (result != nvrtcResult.NVRTC_SUCCESS)
        {
            reason = $"nvrtcVersion answered {result}";
            return false;
        }

        if (DriverMajor() is int driver && major > driver)
        {
            reason = $"version {major}.{minor} is newer than the driver's CUDA {driver}, which would not load its code";
            return false;
        }

        Version = new Version(major, minor);
        reason = $"version {major}.{minor}{PreloadBuiltins(candidate, major, minor)}";
        return true;
    }

    /// <summary>
    /// NVRTC opens its builtins by name when it compiles, and finds them only on the dynamic loader's path. Loaded beforehand by
    /// path, they are found by that name wherever they lie.
    /// </summary>
    private static string PreloadBuiltins(string candidate, int major, int minor)
    {
        if (OperatingSystem.IsWindows() || !File.Exists(candidate))
            return "";
        string file = $"libnvrtc-builtins.so.{major}.{minor}";
        string target = File.ResolveLinkTarget(candidate, returnFinalTarget: true)?.FullName ?? candidate;
        foreach (string? folder in (string?[])[System.IO.Path.GetDirectoryName(candidate), System.IO.Path.GetDirectoryName(target)])
        {
            if (folder is not null && NativeLibrary.TryLoad(System.IO.Path.Combine(folder, file), out _))
                return $", with {file} beside it";
        }

        return "";
    }

    /// <summary>Major CUDA version of the driver, or null where there is no driver (compiling alone needs none).</summary>
    private static int? DriverMajor()
    {
        try
        {
            DriverLibrary.Load();
            return DriverLibrary.Version / 1000;
        }
        catch (LibraryLoadException)
        {
            return null;
        }
    }
}
