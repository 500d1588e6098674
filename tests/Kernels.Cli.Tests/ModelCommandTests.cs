using System.Diagnostics;
using Kernels.Testing;

namespace Kernels.Cli.Tests;

/// <summary>compress, verify, decompress and inspect on the sample model.</summary>
public sealed class ModelCommandTests
{
    private static readonly string Model = KernelsTool.RepositoryPath("samples/models/tiny-blockffn");
    private string _folder = null!;

    [SetUp]
    public void CreateFolder() => _folder = Directory.CreateTempSubdirectory("kernels-cli-").FullName;

    [TearDown]
    public void DeleteFolder() => Directory.Delete(_folder, recursive: true);

    private string At(string name) => Path.Combine(_folder, name);

    [Test]
    public void A_model_compresses_to_under_69_percent_and_verifies_and_comes_back()
    {
        KernelsTool.Result compressed = KernelsTool.Run("compress", Model, "-o", At("df11"), "--tier", "df11", "--json");
        Assert.That(compressed.ExitCode, Is.Zero, compressed.Errors);
        Assert.That((double)compressed.Json["storedBytes"]! / (double)compressed.Json["originalBytes"]!, Is.LessThan(0.69));

        Assert.That(KernelsTool.Run("verify", Model, At("df11")).ExitCode, Is.Zero);

        KernelsTool.Result restored = KernelsTool.Run("decompress", At("df11"), "-o", At("back"));
        Assert.That(restored.ExitCode, Is.Zero, restored.Errors);
        KernelsTool.Result same = KernelsTool.Run("verify", Model, At("back"), "--json");
        Assert.Multiple(() =>
        {
            Assert.That(same.ExitCode, Is.Zero, same.Errors);
            Assert.That((bool)same.Json["equal"]!, Is.True);
            Assert.That((int)same.Json["tensors"]!, Is.EqualTo(43));
            Assert.That(File.Exists(At("back/tokenizer.json")), Is.True, "files beside the tensors are kept");
        });
    }

    [Test]
    [RequiresDevice]
    public void A_single_file_verifies_on_the_device()
    {
        Assert.That(KernelsTool.Run("compress", Path.Combine(Model, "model.safetensors"), "-o", At("df11.safetensors")).ExitCode, Is.Zero);
        KernelsTool.Result verified = KernelsTool.Run("verify", Model, At("df11.safetensors"), "--device");
        Assert.That(verified.ExitCode, Is.Zero, verified.Errors);
        Assert.That(verified.Output, Does.Contain("equal: 43 tensors"));
    }

    [Test]
    public void One_flipped_bit_is_found_and_named()
    {
        byte[] bytes = File.ReadAllBytes(Path.Combine(Model, "model.safetensors"));
        bytes[^1] ^= 0x40;
        File.WriteAllBytes(At("flipped.safetensors"), bytes);
        KernelsTool.Result verified = KernelsTool.Run("verify", Model, At("flipped.safetensors"), "--json");
        Assert.Multiple(() =>
        {
            Assert.That(verified.ExitCode, Is.EqualTo(1));
            Assert.That(verified.Json["differences"]!.AsArray(), Has.Count.EqualTo(1));
            Assert.That((string)verified.Json["differences"]![0]!["reason"]!, Does.Match("element [0-9]+ of [0-9]+ is 0x"));
        });
    }

    [Test]
    public void The_sample_checkpoint_is_listed_with_its_groups()
    {
        KernelsTool.Result inspected = KernelsTool.Run("inspect", KernelsTool.RepositoryPath("tests/data/df11-sample"), "--json");
        Assert.That(inspected.ExitCode, Is.Zero, inspected.Errors);
        Assert.That(inspected.Json["groups"]!.AsArray().Select(group => (string)group!["name"]!), Is.EqualTo(new[] { "model.layers.0.self_attn", "lm_head" }));
    }

    [Test]
    public void A_plain_model_is_listed_with_the_entropy_of_its_exponents()
    {
        KernelsTool.Result inspected = KernelsTool.Run("inspect", Model);
        Assert.That(inspected.ExitCode, Is.Zero, inspected.Errors);
        Assert.That(inspected.Output, Does.Match(@"lm_head.weight\s+BF16\s+\[1024, 256\]\s+524.3 kB\s+2.665"));
    }

    [Test]
    public void A_truncated_file_is_named_with_the_reason_and_exit_code_3()
    {
        byte[] bytes = File.ReadAllBytes(Path.Combine(Model, "model.safetensors"));
        File.WriteAllBytes(At("short.safetensors"), bytes[..^100]);
        KernelsTool.Result inspected = KernelsTool.Run("inspect", At("short.safetensors"));
        Assert.That(inspected.ExitCode, Is.EqualTo(3));
        Assert.That(inspected.Errors, Does.StartWith($"error: {At("short.safetensors")}: "));
        Assert.That(inspected.Output, Is.Empty);
    }

    [Test]
    public void A_missing_model_is_exit_code_3_and_leaves_no_output()
    {
        KernelsTool.Result compressed = KernelsTool.Run("compress", At("nowhere"), "-o", At("out"));
        Assert.That(compressed.ExitCode, Is.EqualTo(3), compressed.Errors);
        Assert.That(Directory.Exists(At("out")), Is.False);
    }

    [TestCase("compress", "model")]
    [TestCase("verify", "only-one")]
    [TestCase("nonsense")]
    [TestCase("compile", "--arch", "pentium")]
    [TestCase("compress", "a", "-o", "b", "--tier", "zip")]
    public void A_wrong_command_line_is_exit_code_2(params string[] arguments) =>
        Assert.That(KernelsTool.Run(arguments).ExitCode, Is.EqualTo(2));

    [Test]
    public void A_corrupt_stream_is_found_by_inspect()
    {
        Assert.That(KernelsTool.Run("compress", Path.Combine(Model, "model.safetensors"), "-o", At("df11.safetensors")).ExitCode, Is.Zero);
        byte[] bytes = File.ReadAllBytes(At("df11.safetensors"));
        long header = BitConverter.ToInt64(bytes);
        bytes.AsSpan((int)header + 8, 4000).Fill(0xff); // the first group's stream comes first
        File.WriteAllBytes(At("corrupt.safetensors"), bytes);
        KernelsTool.Result inspected = KernelsTool.Run("inspect", At("corrupt.safetensors"));
        Assert.That(inspected.ExitCode, Is.EqualTo(3), inspected.Output);
        Assert.That(inspected.Errors, Does.StartWith($"error: {At("corrupt.safetensors")}: "));
    }

    [Test]
    [Platform("Linux")]
    public void Ctrl_c_stops_with_130_and_leaves_no_file()
    {
        // A sparse file of a gigabyte of zeros: long enough to be stopped, and no disk.
        const long elements = 512L << 20;
        string big = At("big.safetensors");
        string json = "{'w.weight':{'dtype':'BF16','shape':[" + (elements / 1024) + ",1024],'data_offsets':[0," + (2 * elements) + "]}}";
        byte[] header = System.Text.Encoding.UTF8.GetBytes(json.Replace('\'', '"'));
        using (FileStream file = File.Create(big))
        {
            file.Write(BitConverter.GetBytes((long)header.Length));
            file.Write(header);
            file.SetLength(8 + header.Length + (2 * elements));
        }

        Directory.CreateDirectory(At("out"));
        using Process process = KernelsTool.Start("compress", big, "-o", At("out/df11.safetensors"), "--threads", "1");
        while (!process.HasExited && Directory.GetFiles(At("out")).Length == 0)
            Thread.Yield();
        Assert.That(process.HasExited, Is.False, "the work should take longer than the start");
        using (Process kill = Process.Start("kill", $"-INT {process.Id}"))
            kill.WaitForExit();
        string errors = process.StandardError.ReadToEnd();
        process.WaitForExit();
        Assert.Multiple(() =>
        {
            Assert.That(process.ExitCode, Is.EqualTo(130), errors);
            Assert.That(errors, Does.Contain("Cancelled"));
            Assert.That(Directory.GetFiles(At("out")), Is.Empty);
        });
    }
}
