using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Kernels.Cli;

/// <summary>The <c>--json</c> option: one JSON document on standard output instead of text.</summary>
internal static class JsonOutput
{
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    public static Option<bool> CreateOption() => new("--json") { Description = "Print one JSON document instead of text." };

    public static void Print(JsonNode node) => Console.WriteLine(node.ToJsonString(Indented));
}
