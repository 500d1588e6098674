using System.Globalization;
using System.Runtime.InteropServices;

namespace Kernels.Native;

/// <summary>
/// Finds the CUDA driver library once for the process, at the first driver call or at <see cref="Load"/>. In this order:
/// <see cref="Choice"/>; the environment variable <c>KERNELS_DRIVER</c> (<c>cuda</c>, <c>simulator</c> or a path); with neither,
/// CUDA where it loads and reports a device, else the simulator, with one line on standard error that says so.
/// </summary>
public static unsafe class DriverLibrary
{
    /// <summary>Name of the environment variable that chooses the driver.</summary>
    public const string EnvironmentVariable = "KERNELS_DRIVER";

    /// <summary>Name of the environment variable that holds the path of the simulator's library.</summary>
    public const string SimulatorVariable = "KERNELS_SIMULATOR";

    private const string Advice =
        "Install NVIDIA's driver, or build the simulator (`./build.sh demo` does) and set KERNELS_DRIVER=simulator, or set " +
        "KERNELS_DRIVER to the path of a CUDA driver library.";

    private static readonly Lock Gate = new();
    private static nint _handle;
    private static string? _choice;
    private static LoaderReport? _report;
    private static LibraryLoadException? _failure;

    /// <summary>
    /// <c>cuda</c>, <c>simulator</c> or a path; goes before the environment. Null for none. Set it before the first driver call.
    /// </summary>
    /// <exception cref="InvalidOperationException">A driver is already in use.</exception>
    public static string? Choice
    {
        get => _choice;
        set
        {
            lock (Gate)
            {
                if (_handle != 0)
                    throw new InvalidOperationException(
                        $"The driver cannot be changed to '{value}': {_report!.Taken!.Candidate} is already in use in this process.");
                _choice = value;
                _failure = null;
            }
        }
    }

    /// <summary>Whether choosing the simulator by default is said on standard error. True unless set.</summary>
    public static bool AnnounceSimulator { get; set; } = true;

    /// <summary>Whether a driver is in use.</summary>
    public static bool IsLoaded => _handle != 0;

    /// <summary>Kind of the driver in use; valid after <see cref="Load"/>.</summary>
    public static DriverKind Kind { get; private set; }

    /// <summary>File or name of the driver in use; null before <see cref="Load"/>.</summary>
    public static string? Path => _report?.Taken?.Candidate;

    /// <summary>Newest CUDA version of the driver as 1000 x major + 10 x minor; valid after <see cref="Load"/>.</summary>
    public static int Version { get; private set; }

    /// <summary>What <c>cuInit</c> answered; valid after <see cref="Load"/>.</summary>
    public static CUresult InitializationResult { get; private set; }

    /// <summary>Every candidate and what became of it; null before the first attempt.</summary>
    public static LoaderReport? Report => _report;

    /// <summary>The library for the dynamic loader (<see cref="NativeLibrary"/>). Loads it at first use.</summary>
    public static nint Handle
    {
        get
        {
            Load();
            return _handle;
        }
    }

    /// <summary>Finds, loads and initialises the driver unless that was done.</summary>
    /// <exception cref="LibraryLoadException">There is none.</exception>
    public static void Load()
    {
        if (Volatile.Read(ref _handle) != 0)
            return;
        lock (Gate)
        {
            if (_handle != 0)
                return;
            if (_failure is not null)
                throw _failure;
            var probe = new LibraryProbe("CUDA driver");
            nint handle = Find(probe);
            _report = probe.Report;
            if (handle == 0)
                throw _failure = new LibraryLoadException(_report, Advice);
            int version = 0;
            ((delegate* unmanaged<int*, CUresult>)NativeLibrary.GetExport(handle, "cuDriverGetVersion"))(&version);
            Version = version;
            Volatile.Write(ref _handle, handle);
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

        switch (choice)
        {
            case null or "":
                nint cuda = FindCuda(probe, "NVIDIA's driver", JudgeWithDevice);
                if (cuda != 0)
                    return cuda;
                nint simulator = FindSimulator(probe, "no CUDA device");
                if (simulator != 0 && AnnounceSimulator)
                {
                    string reason = probe.Report.Attempts.FirstOrDefault(attempt => attempt.Outcome == LoadOutcome.Refused)?.Reason
                        ?? "NVIDIA's driver is not there";
                    Console.Error.WriteLine($"kernels: no CUDA device ({reason}): kernels run on the simulator (KERNELS_DRIVER chooses).");
                }

                return simulator;
            case "cuda":
                return FindCuda(probe, $"{origin}=cuda", Judge);
            case "simulator":
                return FindSimulator(probe, $"{origin}=simulator");
            default:
                Kind = DriverKind.Path;
                return probe.Try(SearchFolders.Resolve(choice), $"{origin}={choice}", Judge);
        }
    }

    private static nint FindCuda(LibraryProbe probe, string origin, LibraryProbe.Judge judge)
    {
        Kind = DriverKind.Cuda;
        string[] names = OperatingSystem.IsWindows() ? ["nvcuda.dll"] : ["libcuda.so.1", "/usr/lib/wsl/lib/libcuda.so.1"];
        return names.Select(name => probe.Try(name, origin, judge)).FirstOrDefault(handle => handle != 0);
    }

    private static nint FindSimulator(LibraryProbe probe, string origin)
    {
        Kind = DriverKind.Simulator;
        string? named = Environment.GetEnvironmentVariable(SimulatorVariable);
        if (!string.IsNullOrEmpty(named))
            return probe.Try(SearchFolders.Resolve(named), $"{origin}, {SimulatorVariable}", Judge);

        string file = OperatingSystem.IsWindows() ? "kernels_simulator.dll" : "libkernels_simulator.so";
        string platform = OperatingSystem.IsWindows() ? "win-x64" : "linux-x64";
        string application = SearchFolders.Application;
        IEnumerable<string> built = SearchFolders.ApplicationAndAncestors()
            .Select(folder => System.IO.Path.Combine(folder, "artifacts", "native", file));
        string[] candidates =
        [
            System.IO.Path.Combine(application, file),
            System.IO.Path.Combine(application, "runtimes", platform, "native", file),
            built.FirstOrDefault(File.Exists) ?? System.IO.Path.Combine("artifacts", "native", file),
        ];
        return candidates.Select(path => probe.Try(path, origin, Judge)).FirstOrDefault(handle => handle != 0);
    }

    /// <summary>Initialises the candidate; takes it whatever it answers, because it was asked for.</summary>
    private static bool Judge(nint handle, string candidate, out string reason)
    {
        if (!NativeLibrary.TryGetExport(handle, "cuInit", out nint init) ||
            !NativeLibrary.TryGetExport(handle, "cuDeviceGetCount", out nint getCount) ||
            !NativeLibrary.TryGetExport(handle, "cuDriverGetVersion", out _))
        {
            reason = "not a CUDA driver: it does not export cuInit, cuDeviceGetCount and cuDriverGetVersion";
            return false;
        }

        InitializationResult = ((delegate* unmanaged<uint, CUresult>)init)(0);
        if (InitializationResult != CUresult.CUDA_SUCCESS)
        {
            reason = $"cuInit answered {InitializationResult} ({(int)InitializationResult})";
            return true;
        }

        int count = 0;
        CUresult counted = ((delegate* unmanaged<int*, CUresult>)getCount)(&count);
        reason = counted == CUresult.CUDA_SUCCESS
            ? string.Create(CultureInfo.InvariantCulture, $"reports {count} device{(count == 1 ? "" : "s")}")
            : $"cuDeviceGetCount answered {counted} ({(int)counted})";
        return true;
    }

    private static bool JudgeWithDevice(nint handle, string candidate, out string reason) =>
        Judge(handle, candidate, out reason) &&
        reason.StartsWith("reports", StringComparison.Ordinal) && reason != "reports 0 devices";
}
