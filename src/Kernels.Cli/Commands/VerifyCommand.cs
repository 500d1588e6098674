using System.CommandLine;
using System.Text.Json.Nodes;
using Kernels.Formats;
using Kernels.Formats.DFloat11;
using Kernels.Formats.Safetensors;
using Kernels.Runtime;

namespace Kernels.Cli.Commands;

/// <summary><c>kernels verify</c>: whether two models hold the same bits.</summary>
internal static class VerifyCommand
{
    public static Command Create()
    {
        var original = new Argument<string>("original") { Description = "The original model." };
        var other = new Argument<string>("other") { Description = "A compressed checkpoint, or another model." };
        var device = new Option<bool>("--device") { Description = "Decode on the device instead of the CPU." };
        var threads = ThreadsOption.Create();
        var json = JsonOutput.CreateOption();
        var command = new Command("verify", "Compare every bit of two models; exit code 1 where they differ.") { original, other, device, threads, json };
        command.Runs((result, cancellation) => Run(result.GetValue(original)!, result.GetValue(other)!, result.GetValue(device),
            ThreadsOption.ToParallelOptions(result.GetValue(threads), cancellation), result.GetValue(json)));
        return command;
    }

    private static int Run(string originalPath, string otherPath, bool onDevice, ParallelOptions options, bool json)
    {
        using SafetensorsModel original = SafetensorsModel.Open(originalPath);
        ModelComparison comparison = Compare(original, otherPath, onDevice, options);
        if (json)
        {
            JsonOutput.Print(new JsonObject
            {
                ["equal"] = comparison.AreEqual,
                ["tensors"] = comparison.TensorCount,
                ["bytes"] = comparison.ByteCount,
                ["differences"] = new JsonArray([.. comparison.Differences.Select(d => (JsonNode)new JsonObject
                {
                    ["tensor"] = d.Tensor, ["reason"] = d.Reason, ["index"] = d.Index, ["expected"] = d.Expected, ["actual"] = d.Actual,
                })]),
            });
        }
        else
        {
            foreach (TensorDifference difference in comparison.Differences)
                Console.WriteLine($"{Figures.Name(difference.Tensor)}: {difference.Reason}");
            Console.WriteLine(comparison.AreEqual
                ? $"equal: {comparison.TensorCount} tensors, {Figures.Bytes(comparison.ByteCount)}, every bit"
                : $"different: {comparison.Differences.Length} of {comparison.TensorCount} tensors");
        }

        return comparison.AreEqual ? ExitCode.Success : ExitCode.CheckFailed;
    }

    private static ModelComparison Compare(SafetensorsModel original, string otherPath, bool onDevice, ParallelOptions options)
    {
        // A folder of DF11 shards has no index, so the plain reader is asked only where there are no groups.
        using DFloat11Checkpoint checkpoint = DFloat11Checkpoint.Open(otherPath);
        if (!onDevice)
            return LongWork.Run("verify", progress => ModelComparison.Compare(original, checkpoint, options, progress));
        using Device device = Device.Open();
        using var decoder = new DeviceGroupDecoder(device, KernelCompiler.Default);
        return LongWork.Run("verify", progress => ModelComparison.Compare(original, checkpoint, (group, output) =>
        {
            options.CancellationToken.ThrowIfCancellationRequested();
            decoder.Decode(group, output);
        }, progress));
    }
}
