using System.CommandLine;
using System.Diagnostics;
using System.Text.Json.Nodes;
using Kernels.Formats.DFloat11;

namespace Kernels.Cli.Commands;

/// <summary><c>kernels decompress</c>: a DF11 checkpoint back to the model it was made of.</summary>
internal static class DecompressCommand
{
    public static Command Create()
    {
        var checkpoint = new Argument<string>("checkpoint") { Description = "A compressed file or folder." };
        var output = new Option<string>("--output", "-o") { Description = "A .safetensors file, or a new folder.", Required = true };
        var threads = ThreadsOption.Create();
        var json = JsonOutput.CreateOption();
        var command = new Command("decompress", "Restore the model of a checkpoint, bit for bit, on the CPU.") { checkpoint, output, threads, json };
        command.Runs((result, cancellation) => Run(result.GetValue(checkpoint)!, result.GetValue(output)!, ThreadsOption.ToParallelOptions(result.GetValue(threads), cancellation), result.GetValue(json)));
        return command;
    }

    private static int Run(string path, string output, ParallelOptions options, bool json)
    {
        using DFloat11Checkpoint checkpoint = DFloat11Checkpoint.Open(path);
        long bytes = checkpoint.Groups.Sum(group => 2 * group.ElementCount) + checkpoint.RawTensors.Sum(tensor => tensor.ByteLength);
        var watch = Stopwatch.StartNew();
        LongWork.Run("decompress", progress =>
        {
            DFloat11Decompressor.Decompress(checkpoint, output, options, progress: progress);
            return true;
        });
        watch.Stop();
        if (json)
            JsonOutput.Print(new JsonObject { ["output"] = output, ["groups"] = checkpoint.Groups.Count, ["bytes"] = bytes, ["seconds"] = watch.Elapsed.TotalSeconds });
        else
            Console.WriteLine($"{output}: {checkpoint.Groups.Count} groups decoded, {Figures.Bytes(bytes)} in {Figures.Time(watch.Elapsed)}, {Figures.Rate(bytes, watch.Elapsed)}");
        return ExitCode.Success;
    }
}
