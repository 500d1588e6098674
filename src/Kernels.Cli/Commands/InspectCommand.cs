using System.CommandLine;
using System.Text.Json.Nodes;
using Kernels.Formats.DFloat11;
using Kernels.Formats.Safetensors;
using Spectre.Console;

namespace Kernels.Cli.Commands;

/// <summary><c>kernels inspect</c>: what a model holds, with the entropy of what could be compressed.</summary>
internal static class InspectCommand
{
    public static Command Create()
    {
        var model = new Argument<string>("model") { Description = "A safetensors file, or a folder with an index." };
        var json = JsonOutput.CreateOption();
        var command = new Command("inspect", "List the tensors of a model, and the groups of a compressed one, after validating and decoding all of it.") { model, json };
        command.Runs((result, cancellation) => Run(result.GetValue(model)!, new ParallelOptions { CancellationToken = cancellation }, result.GetValue(json)));
        return command;
    }

    private static int Run(string path, ParallelOptions options, bool json)
    {
        using SafetensorsModel model = SafetensorsModel.Open(path);
        bool compressed = DFloat11Checkpoint.IsCheckpoint(model);
        using DFloat11Checkpoint? checkpoint = compressed ? DFloat11Checkpoint.Open(path) : null;
        // Decoding is what validates a stream.
        List<(DFloat11Group Group, DFloat11Statistics Statistics)> groups = [.. (checkpoint?.Groups ?? []).Select(group => (group, DFloat11Statistics.Measure(group, options)))];
        IReadOnlyList<TensorView> tensors = checkpoint?.RawTensors ?? model.Tensors;
        if (json)
        {
            JsonOutput.Print(new JsonObject
            {
                ["path"] = path,
                ["files"] = model.Files.Count,
                ["bytes"] = model.ByteLength,
                ["format"] = compressed ? "df11" : "safetensors",
                ["groups"] = new JsonArray([.. groups.Select(entry => (JsonNode)ToJson(entry.Group, entry.Statistics))]),
                ["tensors"] = new JsonArray([.. tensors.Select(ToJson)]),
            });
            return ExitCode.Success;
        }

        Console.WriteLine($"{path}: {(compressed ? "DF11 checkpoint" : "safetensors")}, {model.Files.Count} file(s), {Figures.Bytes(model.ByteLength)} of tensors");
        if (checkpoint is not null)
            WideTable.Write(GroupTable(groups));
        WideTable.Write(TensorTable(tensors));
        return ExitCode.Success;
    }

    private static Table GroupTable(List<(DFloat11Group Group, DFloat11Statistics Statistics)> groups)
    {
        var table = new Table { Title = new TableTitle("DF11 groups") }.AddColumns("group", "matrices", "weights", "bytes", "bits/weight", "entropy bound", "codes", "longest", "chunks", "decode rows");
        foreach ((DFloat11Group group, DFloat11Statistics statistics) in groups)
        {
            table.AddRow(Markup.Escape(Figures.Name(group.Name)), $"{group.Matrices.Length}", Figures.Count(group.ElementCount), Figures.Bytes(group.StoredBytes),
                Figures.Fixed(group.BitsPerElement, 3), Figures.Fixed(statistics.BoundPerElement, 3), $"{statistics.DistinctExponents}", $"{statistics.LongestCode} bits", $"{group.BlockCount}", $"{group.DecodeRowCount}");
        }

        return table;
    }

    private static Table TensorTable(IReadOnlyList<TensorView> tensors)
    {
        var table = new Table { Title = new TableTitle("tensors") }.AddColumns("tensor", "dtype", "shape", "bytes", "exponent entropy, bits");
        foreach (TensorView tensor in tensors)
        {
            table.AddRow(Markup.Escape(Figures.Name(tensor.Name)), tensor.Dtype.Name(), Markup.Escape(tensor.Info.ShapeText), Figures.Bytes(tensor.ByteLength),
                tensor.Dtype == SafetensorsDtype.BF16 ? Figures.Fixed(DFloat11Statistics.EntropyOf(tensor), 3) : "");
        }

        return table;
    }

    private static JsonObject ToJson(DFloat11Group group, DFloat11Statistics statistics) => new JsonObject
    {
        ["name"] = group.Name,
        ["weights"] = group.ElementCount,
        ["bytes"] = group.StoredBytes,
        ["bitsPerWeight"] = group.BitsPerElement,
        ["exponentEntropy"] = statistics.ExponentEntropy,
        ["distinctExponents"] = statistics.DistinctExponents,
        ["longestCode"] = statistics.LongestCode,
        ["chunks"] = group.BlockCount,
        ["decodeRows"] = group.DecodeRowCount,
        ["matrices"] = new JsonArray([.. group.Matrices.Select(matrix => (JsonNode)new JsonObject
        {
            ["name"] = matrix.Name,
            ["weights"] = matrix.ElementCount,
            ["shape"] = matrix.HasShape ? new JsonArray([.. matrix.Shape.Select(extent => (JsonNode)extent)]) : null,
        })]),
    };

    private static JsonNode ToJson(TensorView tensor) => new JsonObject
    {
        ["name"] = tensor.Name,
        ["dtype"] = tensor.Dtype.Name(),
        ["shape"] = new JsonArray([.. tensor.Shape.Select(extent => (JsonNode)extent)]),
        ["bytes"] = tensor.ByteLength,
    };
}
