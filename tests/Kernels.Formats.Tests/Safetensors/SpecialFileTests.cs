using System.Diagnostics;
using Kernels.Formats.DFloat11;
using Kernels.Formats.Safetensors;
using Kernels.Formats.Tests.DFloat11;

namespace Kernels.Formats.Tests.Safetensors;

/// <summary>Pipes where files are expected: opening one would wait for a writer that never comes.</summary>
[Platform("Linux,MacOsX", Reason = "Named pipes lie in folders on Unix only.")]
public sealed class SpecialFileTests
{
    [Test]
    public void Pipe_in_place_of_a_model_an_index_or_a_configuration_is_refused_unopened()
    {
        using var folder = new TemporaryFolder();
        foreach (string name in new[] { "model.safetensors", SafetensorsIndex.FileName, "config.json" })
        {
            MakePipe(folder[name]);
            File.CreateSymbolicLink(folder["link-to-" + name], folder[name]);
        }
        AssertRefused(() => SafetensorsFile.Open(folder["model.safetensors"]));
        AssertRefused(() => SafetensorsFile.Open(folder["link-to-model.safetensors"]));
        AssertRefused(() => SafetensorsIndex.Read(folder[SafetensorsIndex.FileName]));
        AssertRefused(() => SafetensorsModel.Open(folder.Path));
        AssertRefused(() => DFloat11Config.Read(folder["config.json"]));
        AssertRefused(() => DFloat11Config.Read(folder["link-to-config.json"]));
        AssertRefused(() => DFloat11Checkpoint.Open(folder.Path));
    }

    [Test]
    public void Pipe_beside_a_model_is_not_opened_when_other_files_are_copied()
    {
        using var folder = new TemporaryFolder();
        Directory.CreateDirectory(folder["in"]);
        SafetensorsWriter.WriteAll(folder["in/model.safetensors"], [Weights.Matrix("m.weight", Weights.Random(64_000, 5, Weights.Distribution(6)), 64, 1000)]);
        MakePipe(folder["in/tokenizer.json"]);
        File.WriteAllText(folder["in/merges.txt"], "a b");
        using var model = SafetensorsModel.Open(folder["in"]);
        DFloat11Compressor.Compress(model, folder["out"], Weights.Threads(1));
        Assert.That(File.ReadAllText(folder["out/merges.txt"]), Is.EqualTo("a b"));
        Assert.That(new FileInfo(folder["out/tokenizer.json"]).Length, Is.Zero);
    }

    // On a thread of its own: a call that does open the pipe never returns, and must fail the test instead of stopping the run.
    private static void AssertRefused(Action open)
    {
        Task<Exception?> opened = Task.Run(() =>
        {
            try
            {
                open();
                return null;
            }
            catch (InvalidModelException e)
            {
                return (Exception)e;
            }
        });
        Assert.That(opened.Wait(TimeSpan.FromSeconds(20)), "the call returns");
        Assert.That(opened.Result?.Message, Does.Contain("no regular file"));
    }

    private static void MakePipe(string path)
    {
        using var process = Process.Start("mkfifo", path);
        process.WaitForExit();
        Assert.That(process.ExitCode, Is.Zero);
    }
}
