using System.Text;
using Kernels.Formats.Safetensors;

namespace Kernels.Formats.Tests.Safetensors;

public sealed class SafetensorsModelTests
{
    [Test]
    public void Shards_with_an_index_are_one_model()
    {
        using var folder = new TemporaryFolder();
        WriteShards(folder);
        WriteIndex(folder, ("a", "one.safetensors"), ("b", "two.safetensors"));
        foreach (string path in new[] { folder.Path, folder[SafetensorsIndex.FileName] })
        {
            using var model = SafetensorsModel.Open(path);
            Assert.That(model.Tensors.Select(tensor => tensor.Name), Is.EqualTo(new[] { "a", "b" }));
            Assert.That(model["b"].Data.AsSpan().ToArray(), Is.EqualTo(new byte[] { 2 }));
        }
    }

    [Test]
    public void Files_that_the_index_does_not_name_are_left_alone()
    {
        using var folder = new TemporaryFolder();
        WriteShards(folder);
        WriteIndex(folder, ("a", "one.safetensors"));
        using var model = SafetensorsModel.Open(folder.Path);
        Assert.That(model.Tensors.Select(tensor => tensor.Name), Is.EqualTo(new[] { "a" }));
    }

    [Test]
    public void Folder_without_an_index_is_all_of_its_files()
    {
        using var folder = new TemporaryFolder();
        WriteShards(folder);
        using var model = SafetensorsModel.Open(folder.Path);
        Assert.That(model.Tensors.Select(tensor => tensor.Name), Is.EqualTo(new[] { "a", "b" }));
    }

    [TestCase("../one.safetensors")]
    [TestCase("sub/../one.safetensors")]
    [TestCase("sub/one.safetensors")]
    [TestCase("..\\one.safetensors")]
    [TestCase("/etc/one.safetensors")]
    [TestCase("C:one.safetensors")]
    [TestCase("..")]
    [TestCase("")]
    [TestCase("config.json")]
    [TestCase("absent.safetensors")]
    public void Shard_names_that_lead_elsewhere_are_refused(string shard)
    {
        using var folder = new TemporaryFolder();
        Directory.CreateDirectory(folder["model"]);
        Directory.CreateDirectory(folder["model/sub"]);
        SafetensorsWriter.WriteAll(folder["one.safetensors"], [Byte("a", 1)]);
        SafetensorsWriter.WriteAll(folder["model/one.safetensors"], [Byte("a", 1)]);
        SafetensorsWriter.WriteAll(folder["model/sub/one.safetensors"], [Byte("a", 1)]);
        SafetensorsIndex.Write(folder["model/" + SafetensorsIndex.FileName], [new("a", shard)], 1);
        Assert.That(() => SafetensorsModel.Open(folder["model"]), Throws.InstanceOf<InvalidModelException>().With.Message.Contains(shard));
    }

    [Test]
    public void Links_may_stay_inside_the_folder_or_lead_to_the_blobs_of_a_hub_cache_and_nowhere_else()
    {
        using var folder = new TemporaryFolder();
        foreach (string sub in new[] { "models--x/blobs", "models--x/snapshots/1", "elsewhere" })
            Directory.CreateDirectory(folder[sub]);
        string snapshot = folder["models--x/snapshots/1"];
        string link = Path.Combine(snapshot, "model.safetensors");

        SafetensorsWriter.WriteAll(folder["models--x/blobs/0123"], [Byte("a", 1)]);
        File.CreateSymbolicLink(link, "../../blobs/0123");
        Assert.That(() => SafetensorsModel.Open(snapshot).Dispose(), Throws.Nothing);
        File.Delete(link);

        SafetensorsWriter.WriteAll(folder["elsewhere/secret.safetensors"], [Byte("a", 1)]);
        File.CreateSymbolicLink(link, folder["elsewhere/secret.safetensors"]);
        Assert.That(() => SafetensorsModel.Open(snapshot), Throws.InstanceOf<InvalidModelException>().With.Message.Contains("outside"));
        File.Delete(link);

        SafetensorsWriter.WriteAll(Path.Combine(snapshot, "real.safetensors"), [Byte("a", 1)]);
        File.CreateSymbolicLink(link, "real.safetensors");
        SafetensorsIndex.Write(Path.Combine(snapshot, SafetensorsIndex.FileName), [new("a", "model.safetensors")], 1);
        Assert.That(() => SafetensorsModel.Open(snapshot).Dispose(), Throws.Nothing);
    }

    [Test]
    public void Tensor_that_is_not_where_the_index_says_is_refused()
    {
        using var folder = new TemporaryFolder();
        WriteShards(folder);
        WriteIndex(folder, ("a", "two.safetensors"), ("b", "one.safetensors"));
        Assert.That(() => SafetensorsModel.Open(folder.Path), Throws.InstanceOf<InvalidModelException>().With.Message.Contains("'a'"));
        WriteIndex(folder, ("a", "one.safetensors"), ("c", "two.safetensors"));
        Assert.That(() => SafetensorsModel.Open(folder.Path), Throws.InstanceOf<InvalidModelException>().With.Message.Contains("'c'"));
    }

    [Test]
    public void Tensor_in_two_shards_is_refused()
    {
        using var folder = new TemporaryFolder();
        SafetensorsWriter.WriteAll(folder["one.safetensors"], [Byte("a", 1)]);
        SafetensorsWriter.WriteAll(folder["two.safetensors"], [Byte("a", 2)]);
        Assert.That(() => SafetensorsModel.Open(folder.Path), Throws.InstanceOf<InvalidModelException>().With.Message.Contains("one.safetensors").And.Message.Contains("two.safetensors"));
    }

    [TestCase("[]")]
    [TestCase("{}")]
    [TestCase("{\"weight_map\":[]}")]
    [TestCase("{\"weight_map\":{\"a\":1}}")]
    [TestCase("{\"weight_map\":{\"a\":\"one.safetensors\",\"a\":\"one.safetensors\"}}")]
    [TestCase("{\"weight_map\":{},\"weight_map\":{}}")]
    [TestCase("{\"weight_map\":{\"a\":\"one.safetensors\"}")]
    [TestCase("{\"weight_map\":{\"a\":\"one.safetensors\"}} x")]
    public void Malformed_index_is_refused(string json)
    {
        using var folder = new TemporaryFolder();
        WriteShards(folder);
        folder.Write(SafetensorsIndex.FileName, Encoding.UTF8.GetBytes(json));
        Assert.That(() => SafetensorsModel.Open(folder.Path), Throws.InstanceOf<InvalidModelException>().With.Message.Contains(SafetensorsIndex.FileName));
    }

    [Test]
    public void Nothing_to_open_is_said()
    {
        using var folder = new TemporaryFolder();
        Assert.That(() => SafetensorsModel.Open(folder.Path), Throws.InstanceOf<FileNotFoundException>());
        Assert.That(() => SafetensorsModel.Open(folder["absent.safetensors"]), Throws.InstanceOf<FileNotFoundException>());
    }

    private static TensorView Byte(string name, byte value) => new(new TensorInfo(name, SafetensorsDtype.U8, 1), ByteRegion.CopyOf([value]));

    private static void WriteShards(TemporaryFolder folder)
    {
        SafetensorsWriter.WriteAll(folder["one.safetensors"], [Byte("a", 1)]);
        SafetensorsWriter.WriteAll(folder["two.safetensors"], [Byte("b", 2)]);
    }

    private static void WriteIndex(TemporaryFolder folder, params (string Tensor, string Shard)[] map) =>
        SafetensorsIndex.Write(folder[SafetensorsIndex.FileName], map.Select(entry => KeyValuePair.Create(entry.Tensor, entry.Shard)), 2);
}
