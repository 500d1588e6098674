using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using Kernels.Native;
using Kernels.Runtime;

namespace Kernels.Cli.Commands;

/// <summary><c>kernels info</c>: which driver and which NVRTC are in use and why, devices, cache, pack.</summary>
internal static class InfoCommand
{
    public static Command Create()
    {
        var json = JsonOutput.CreateOption();
        var command = new Command("info", "Show which driver and NVRTC were chosen and why, the devices, the kernel cache and the pack.") { json };
        command.Runs((result, _) => Run(result.GetValue(json)));
        return command;
    }

    private static int Run(bool json)
    {
        DriverLibrary.AnnounceSimulator = false; // the report says it
        LibraryLoadException? noDriver = null;
        try
        {
            DriverLibrary.Load();
        }
        catch (LibraryLoadException e)
        {
            noDriver = e;
        }

        NvrtcLibrary.TryLoad();
        KernelCompilerOptions options = KernelCompilerOptions.FromEnvironment();
        var stale = options.Pack?.Compare(KernelCatalog.All);
        if (json)
            JsonOutput.Print(ToJson(options, stale?.Count));
        else
            PrintText(options, stale?.Count, noDriver);
        return noDriver is null ? ExitCode.Success : ExitCode.Environment;
    }

    private static void PrintText(KernelCompilerOptions options, int? discrepancies, LibraryLoadException? noDriver)
    {
        Console.WriteLine(DriverLibrary.Report);
        if (DriverLibrary.IsLoaded)
        {
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  CUDA {Version(DriverLibrary.Version)}, executor: {DriverLibrary.Kind}, cuInit: {DriverLibrary.InitializationResult}"));
            for (int ordinal = 0; ordinal < DeviceCount(); ordinal++)
            {
                using Device device = Device.Open(ordinal);
                DeviceProperties p = device.Properties;
                Console.WriteLine($"  device {ordinal}: {p.Name}, compute capability {p.ComputeCapability}, {p.MultiprocessorCount} multiprocessors, {Figures.Bytes(p.TotalMemory)}");
            }
        }

        Console.WriteLine(NvrtcLibrary.Report);
        Console.WriteLine($"kernel cache: {options.Cache?.Folder ?? "none"}{(options.Cache?.WhyOff is { } why ? $" (off: {why})" : "")}");
        Console.WriteLine(options.Pack is { } pack
            ? $"kernel pack: {pack.Path}, {pack.Entries.Count} kernels, {(discrepancies == 0 ? "up to date" : $"{discrepancies} differ from the sources (./build.sh ptx-pack)")}"
            : "kernel pack: none");
        if (noDriver is not null)
            throw noDriver;
    }

    private static JsonObject ToJson(KernelCompilerOptions options, int? discrepancies)
    {
        var devices = new JsonArray();
        for (int ordinal = 0; DriverLibrary.IsLoaded && ordinal < DeviceCount(); ordinal++)
        {
            using Device device = Device.Open(ordinal);
            DeviceProperties p = device.Properties;
            devices.Add((JsonNode)new JsonObject
            {
                ["ordinal"] = ordinal,
                ["name"] = p.Name,
                ["computeCapability"] = p.ComputeCapability.ToString(),
                ["multiprocessors"] = p.MultiprocessorCount,
                ["memoryBytes"] = p.TotalMemory,
                ["sharedBytesPerBlock"] = p.SharedMemoryPerBlockOptin,
            });
        }

        return new JsonObject
        {
            ["driver"] = Report(DriverLibrary.Report, DriverLibrary.IsLoaded ? Version(DriverLibrary.Version) : null),
            ["executor"] = DriverLibrary.IsLoaded ? DriverLibrary.Kind.ToString() : null,
            ["devices"] = devices,
            ["nvrtc"] = Report(NvrtcLibrary.Report, NvrtcLibrary.Version?.ToString()),
            ["cache"] = options.Cache?.Folder,
            ["cacheOff"] = options.Cache?.WhyOff,
            ["pack"] = options.Pack is { } pack
                ? new JsonObject { ["path"] = pack.Path, ["kernels"] = pack.Entries.Count, ["differences"] = discrepancies }
                : null,
        };
    }

    private static JsonObject Report(LoaderReport? report, string? version)
    {
        var attempts = new JsonArray();
        foreach (LoadAttempt attempt in report?.Attempts ?? [])
        {
            attempts.Add((JsonNode)new JsonObject
            {
                ["candidate"] = attempt.Candidate,
                ["origin"] = attempt.Origin,
                ["outcome"] = attempt.Outcome.ToString(),
                ["reason"] = attempt.Reason,
            });
        }

        return new JsonObject { ["path"] = report?.Taken?.Candidate, ["version"] = version, ["attempts"] = attempts };
    }

    // A driver without a device answers cuInit with an error, and there is nothing to count.
    private static int DeviceCount() => DriverLibrary.InitializationResult == CUresult.CUDA_SUCCESS ? Device.Count : 0;

    private static string Version(int version) => string.Create(CultureInfo.InvariantCulture, $"{version / 1000}.{version % 1000 / 10}");
}
