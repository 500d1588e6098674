using Kernels.Formats.DFloat11;
using Kernels.Formats.Safetensors;
using Kernels.Formats.Tests.DFloat11;

namespace Kernels.Formats.Tests;

/// <summary>Outputs that cannot be written: nothing is left behind, and the message names what the user asked for.</summary>
public sealed class AtomicOutputTests
{
    private static readonly TensorView Matrix = Weights.Matrix("m.weight", Weights.Random(64_000, 5, Weights.Distribution(6)), 64, 1000);

    [Test]
    public void Folder_in_place_of_an_output_file_is_refused_at_the_start()
    {
        using var folder = new TemporaryFolder();
        string path = folder["out.safetensors"];
        Directory.CreateDirectory(path);
        AssertUnwritable(() => SafetensorsWriter.WriteAll(path, [Matrix]), path);
        Assert.That(Directory.GetFileSystemEntries(folder.Path), Is.EqualTo(new[] { path }));
    }

    [Test]
    public void Rename_that_fails_leaves_no_temporary_file()
    {
        using var folder = new TemporaryFolder();
        string path = folder["out.safetensors"];
        using (var writer = new SafetensorsWriter(path, [Matrix.Info]))
        {
            writer.Write(Matrix.Name, Matrix.Data);
            Directory.CreateDirectory(path);
            AssertUnwritable(writer.Commit, path);
        }
        Assert.That(Directory.GetFileSystemEntries(folder.Path), Is.EqualTo(new[] { path }));
    }

    [Test]
    public void Disposing_twice_does_not_touch_a_later_file()
    {
        using var folder = new TemporaryFolder();
        var writer = new SafetensorsWriter(folder["out.safetensors"], [Matrix.Info]);
        writer.Write(Matrix.Name, Matrix.Data);
        writer.Commit();
        writer.Dispose();
        writer.Dispose();
        Assert.That(Directory.GetFiles(folder.Path), Has.Length.EqualTo(1));
        Assert.That(writer.Commit, Throws.InstanceOf<ObjectDisposedException>());
    }

    [TestCase("/proc/x.safetensors")]
    [TestCase("/proc/x")]
    [TestCase("/proc/x/y.safetensors")]
    [Platform("Linux", Reason = "/proc takes no files, not even from root.")]
    public void Output_where_nothing_can_be_written_is_named_as_the_user_did(string output)
    {
        using var folder = new TemporaryFolder();
        SafetensorsWriter.WriteAll(folder["in.safetensors"], [Matrix]);
        using var model = SafetensorsModel.Open(folder["in.safetensors"]);
        AssertUnwritable(() => DFloat11Compressor.Compress(model, output, Weights.Threads(1)), output);
        DFloat11Compressor.Compress(model, folder["df11.safetensors"], Weights.Threads(1));
        using var checkpoint = DFloat11Checkpoint.Open(folder["df11.safetensors"]);
        AssertUnwritable(() => DFloat11Decompressor.Decompress(checkpoint, output, Weights.Threads(1)), output);
    }

    [Test]
    public void Failure_inside_an_output_folder_is_named_by_its_final_path()
    {
        using var folder = new TemporaryFolder();
        SafetensorsWriter.WriteAll(folder["in.safetensors"], [Matrix]);
        using var model = SafetensorsModel.Open(folder["in.safetensors"]);
        var progress = new Obstacle(() => Directory.CreateDirectory(Path.Combine(Directory.GetDirectories(folder.Path).Single(), "model.safetensors")));
        AssertUnwritable(() => DFloat11Compressor.Compress(model, folder["out"], Weights.Threads(1), progress), folder["out/model.safetensors"]);
        Assert.That(Directory.GetFileSystemEntries(folder.Path), Is.EqualTo(new[] { folder["in.safetensors"] }));
    }

    [Test]
    public void File_in_place_of_the_folder_of_an_output_is_refused()
    {
        using var folder = new TemporaryFolder();
        folder.Write("file", [1]);
        AssertUnwritable(() => SafetensorsWriter.WriteAll(folder["file/out.safetensors"], [Matrix]), folder["file/out.safetensors"]);
    }

    private static void AssertUnwritable(Action write, string path) =>
        Assert.That(write, Throws.TypeOf<IOException>().With.Message.StartsWith($"'{path}' cannot be written").And.Message.Not.Contains(".tmp"));

    private sealed class Obstacle(Action put) : IProgress<ModelProgress>
    {
        public void Report(ModelProgress value) => put();
    }
}
