using System.Text.RegularExpressions;
using Kernels.Testing;

namespace Kernels.Cli.Tests;

/// <summary>info, compile and demo: what touches driver and compiler.</summary>
public sealed partial class DeviceCommandTests
{
    private static readonly string Model = KernelsTool.RepositoryPath("samples/models/tiny-blockffn");
    private string _folder = null!;

    [SetUp]
    public void CreateFolder() => _folder = Directory.CreateTempSubdirectory("kernels-cli-").FullName;

    [TearDown]
    public void DeleteFolder() => Directory.Delete(_folder, recursive: true);

    [Test]
    [RequiresDevice]
    public void Info_says_which_driver_was_taken_and_why()
    {
        KernelsTool.Result info = KernelsTool.Run("info", "--json");
        Assert.That(info.ExitCode, Is.Zero, info.Errors);
        var taken = info.Json["driver"]!["attempts"]!.AsArray().Single(attempt => (string)attempt!["outcome"]! == "Taken")!;
        Assert.Multiple(() =>
        {
            Assert.That((string)taken["reason"]!, Is.Not.Empty);
            Assert.That(info.Json["devices"]!.AsArray(), Is.Not.Empty);
            Assert.That((int)info.Json["pack"]!["differences"]!, Is.Zero);
        });
    }

    [Test]
    public void Info_without_a_driver_says_what_to_do()
    {
        KernelsTool.Result info = KernelsTool.Run([("KERNELS_DRIVER", Path.Combine(_folder, "libcuda.so.1"))], "info");
        Assert.That(info.ExitCode, Is.EqualTo(4));
        Assert.That(info.Errors, Does.Contain("KERNELS_DRIVER"));
    }

    [Test]
    [RequiresNvrtc]
    public void Compile_prints_what_each_kernel_needs_and_writes_its_code()
    {
        KernelsTool.Result compiled = KernelsTool.Run("compile", "--arch", "sm_80", "sm_90", "--emit", "ptx", "-o", _folder, "--json");
        Assert.That(compiled.ExitCode, Is.Zero, compiled.Errors);
        var rows = compiled.Json.AsArray();
        Assert.Multiple(() =>
        {
            Assert.That(rows.Select(row => (string)row!["architecture"]!).Distinct(), Is.EquivalentTo(new[] { "sm_80", "sm_90" }));
            Assert.That(rows.Select(row => (int)row!["localBytes"]! + (int)row["spillStoreBytes"]!), Has.All.Zero);
            Assert.That(Directory.GetFiles(_folder, "*.ptx").Select(File.ReadAllText), Has.All.Contains(".entry df11_decode"));
        });
    }

    [Test]
    [RequiresNvrtc]
    [RequiresDevice]
    public void A_second_demo_compiles_nothing()
    {
        (string, string)[] cache = [("KERNELS_CACHE", _folder)];
        KernelsTool.Result first = KernelsTool.Run(cache, "demo", Model);
        KernelsTool.Result second = KernelsTool.Run(cache, "demo", Model);
        Assert.Multiple(() =>
        {
            Assert.That(first.ExitCode, Is.Zero, first.Errors);
            Assert.That(first.Output, Does.Contain("compilations by NVRTC"));
            Assert.That(second.ExitCode, Is.Zero, second.Errors);
            Assert.That(second.Output, Does.Contain("nothing compiled"));
            Assert.That(second.Output, Does.Contain("all 43 tensors equal, every bit"));
        });
    }

    [Test]
    [RequiresDevice]
    public void Without_nvrtc_the_demo_runs_from_the_pack()
    {
        KernelsTool.Result demo = KernelsTool.Run([("KERNELS_NVRTC", "none"), ("KERNELS_CACHE", _folder)], "demo", Model);
        Assert.That(demo.ExitCode, Is.Zero, demo.Errors);
        Assert.That(demo.Output, Does.Contain("from the pack"));
        Assert.That(Verdict().Match(demo.Output).Value, Is.EqualTo("all 43 tensors equal"));
    }

    [Test]
    [RequiresDevice]
    public void Without_nvrtc_and_pack_the_message_says_how_to_get_code()
    {
        KernelsTool.Result demo = KernelsTool.Run([("KERNELS_NVRTC", "none"), ("KERNELS_PACK", Path.Combine(_folder, "none.pack")), ("KERNELS_CACHE", _folder)], "demo", Model);
        Assert.That(demo.ExitCode, Is.EqualTo(4), demo.Output);
        Assert.That(demo.Errors, Does.Contain("error: ").And.Contains("none.pack").And.Contains("./build.sh nvrtc"));
    }

    [Test]
    public void A_damaged_pack_is_one_line_and_exit_code_4()
    {
        string pack = Path.Combine(_folder, "bad.pack");
        File.WriteAllText(pack, "this is no pack");
        KernelsTool.Result demo = KernelsTool.Run([("KERNELS_NVRTC", "none"), ("KERNELS_PACK", pack), ("KERNELS_CACHE", _folder)], "demo", Model);
        Assert.That(demo.ExitCode, Is.EqualTo(4), demo.Output);
        Assert.That(demo.Errors, Does.Contain("error: ").And.Contains("bad.pack").And.Not.Contains("   at "));
    }

    [Test]
    public void An_architecture_below_every_kernels_is_refused() =>
        Assert.That(KernelsTool.Run("compile", "--arch", "sm_75") is { ExitCode: 2 } refused && refused.Errors.Contains("sm_80", StringComparison.Ordinal));

    [GeneratedRegex("all [0-9]+ tensors equal")]
    private static partial Regex Verdict();
}
