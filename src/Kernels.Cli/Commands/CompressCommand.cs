using System.CommandLine;
using System.Diagnostics;
using System.Text.Json.Nodes;
using Kernels.Formats.DFloat11;
using Kernels.Formats.Safetensors;

namespace Kernels.Cli.Commands;

/// <summary><c>kernels compress</c>: a safetensors model to a DF11 checkpoint.</summary>
internal static class CompressCommand
{
    public static Command Create()
    {
        var model = new Argument<string>("model") { Description = "A safetensors file, or a folder with an index." };
        var output = new Option<string>("--output", "-o") { Description = "A .safetensors file, or a new folder: a shard for each group.", Required = true };
        var tier = new Option<string>("--tier") { Description = "Compression: df11.", DefaultValueFactory = _ => "df11" };
        tier.AcceptOnlyFromAmong("df11");
        var threads = ThreadsOption.Create();
        var json = JsonOutput.CreateOption();
        var command = new Command("compress", "Compress the BF16 matrices of a model without loss.") { model, output, tier, threads, json };
        command.Runs((result, cancellation) => Run(result.GetValue(model)!, result.GetValue(output)!, ThreadsOption.ToParallelOptions(result.GetValue(threads), cancellation), result.GetValue(json)));
        return command;
    }

    private static int Run(string path, string output, ParallelOptions options, bool json)
    {
        using SafetensorsModel model = SafetensorsModel.Open(path);
        var watch = Stopwatch.StartNew();
        DFloat11CompressionReport report = LongWork.Run("compress", progress => DFloat11Compressor.Compress(model, output, options, progress));
        watch.Stop();
        if (json)
        {
            JsonOutput.Print(new JsonObject
            {
                ["output"] = output,
                ["tier"] = "df11",
                ["tensors"] = report.TensorCount,
                ["groups"] = report.Groups.Length,
                ["originalBytes"] = report.OriginalBytes,
                ["storedBytes"] = report.StoredBytes,
                ["seconds"] = watch.Elapsed.TotalSeconds,
                ["notCompressed"] = new JsonArray([.. report.Fallbacks.Select(f => (JsonNode)new JsonObject { ["tensor"] = f.Matrix.Name, ["reason"] = f.Reason })]),
            });
            return ExitCode.Success;
        }

        Console.WriteLine(
            $"{output}: {report.TensorCount} tensors, {report.Groups.Length} groups, {Figures.Bytes(report.OriginalBytes)} -> {Figures.Bytes(report.StoredBytes)} " +
            $"({Figures.Percent(report.StoredBytes, report.OriginalBytes)}) in {Figures.Time(watch.Elapsed)}, {Figures.Rate(report.OriginalBytes, watch.Elapsed)}");
        foreach (DFloat11Fallback fallback in report.Fallbacks)
            Console.WriteLine($"  not compressed: {Figures.Name(fallback.Matrix.Name)}: {fallback.Reason}");
        return ExitCode.Success;
    }
}
