using System.Text.Json.Nodes;
using Kernels.Testing;

namespace Kernels.Cli.Tests;

/// <summary>What the kernels cost by the simulator's counters, which do not depend on the machine: the figures of docs/kernels.</summary>
public sealed class KernelCostTests
{
    /// <summary>Layer 0 of the sample model: all its matrices as one group.</summary>
    private const int Weights = 862_208;

    private string _folder = null!;

    [SetUp]
    public void CreateFolder() => _folder = Directory.CreateTempSubdirectory("kernels-cost-").FullName;

    [TearDown]
    public void DeleteFolder() => Directory.Delete(_folder, recursive: true);

    /// <summary>The project's simulator, and where it is named a second implementation, whose counters have the same names.</summary>
    private static IEnumerable<TestCaseData> Drivers()
    {
        yield return new TestCaseData("simulator", "KERNELS_SIM_STATS").SetArgDisplayNames("simulator");
        if (Environment.GetEnvironmentVariable("KERNELS_REFERENCE_DRIVER") is { Length: > 0 } reference)
            yield return new TestCaseData(reference, "PTXSIM_STATS").SetArgDisplayNames("reference driver");
    }

    [TestCaseSource(nameof(Drivers))]
    [RequiresDevice]
    public void Df11_decode_takes_at_most_1_45_warp_instructions_a_weight_and_requests_no_more_than_1_12_of_the_least_bytes(string driver, string statisticsVariable)
    {
        string model = KernelsTool.RepositoryPath("samples/models/tiny-blockffn");
        string compressed = Path.Combine(_folder, "df11");
        string statistics = Path.Combine(_folder, "statistics.json");
        Assert.That(KernelsTool.Run("compress", model, "-o", compressed).ExitCode, Is.Zero);
        KernelsTool.Result verified = KernelsTool.Run([("KERNELS_DRIVER", driver), (statisticsVariable, statistics)], "verify", model, compressed, "--device");
        Assert.That(verified.ExitCode, Is.Zero, verified.Errors);
        JsonNode group = KernelsTool.Run("inspect", compressed, "--json").Json["groups"]!.AsArray().Single(g => (int)g!["weights"]! == Weights && (string)g["name"]! == "model.layers.0")!;
        JsonNode launch = File.ReadLines(statistics).Select(line => JsonNode.Parse(line)!)
            .First(l => (string)l["kernel"]! == "df11_decode" && (int)l["grid"]![0]! == (int)group["chunks"]!);

        double leastBytes = (double)group["bytes"]! + (2.0 * Weights);
        double requested = 32 * ((double)launch["global_load_sectors"]! + (double)launch["global_store_sectors"]!);
        Assert.Multiple(() =>
        {
            Assert.That((double)launch["global_store_bytes"]!, Is.EqualTo(2.0 * Weights).Within(0).Percent, "the launch is layer 0's");
            Assert.That((double)launch["warp_instr"]! / Weights, Is.LessThanOrEqualTo(1.45));
            Assert.That(requested / leastBytes, Is.LessThanOrEqualTo(1.12));
            Assert.That((double)launch["local_bytes"]!, Is.Zero);
        });
    }
}
