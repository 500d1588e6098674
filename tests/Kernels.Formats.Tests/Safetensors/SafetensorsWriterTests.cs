using System.Buffers.Binary;
using CsCheck;
using Kernels.Formats.Safetensors;

namespace Kernels.Formats.Tests.Safetensors;

public sealed class SafetensorsWriterTests
{
    private static readonly Gen<(string Name, long[] Shape, SafetensorsDtype Dtype)> Tensors = Gen.Select(
        Gen.String[1, 12], Gen.Long[0, 5].Array[0, 4], Gen.Enum<SafetensorsDtype>());

    [Test]
    public void Random_tensors_and_metadata_come_back_from_both_kinds_of_writer() =>
        Gen.Select(Tensors.Array[0, 12], Gen.Dictionary(Gen.String, Gen.String)[0, 3], Gen.Bool).Sample((tensors, metadata, appending) =>
        {
            using var folder = new TemporaryFolder();
            var views = tensors.Where(tensor => IsText(tensor.Name)).DistinctBy(tensor => tensor.Name).Select((tensor, i) => Random(new TensorInfo(tensor.Name, tensor.Dtype, tensor.Shape), i)).ToList();
            metadata = metadata.Where(entry => IsText(entry.Key) && IsText(entry.Value)).ToDictionary();
            string path = folder["m.safetensors"];
            if (appending)
            {
                long capacity = views.Sum(view => SafetensorsWriter.HeaderCapacity(view.Name, view.Shape.Length, 1_000_000)) + metadata.Sum(entry => SafetensorsWriter.MetadataCapacity(entry.Key, entry.Value));
                using var writer = SafetensorsWriter.CreateAppending(path, capacity, metadata);
                foreach (var view in views)
                    writer.Append(view.Info, view.Data);
                writer.Commit();
            }
            else
            {
                SafetensorsWriter.WriteAll(path, views, metadata);
            }
            using var file = SafetensorsFile.Open(path);
            Assert.That(file.Metadata, Is.EquivalentTo(metadata));
            Assert.That(file.Tensors, Has.Count.EqualTo(views.Count));
            foreach (var view in views)
            {
                Assert.That(file.TryGetTensor(view.Name, out var read));
                Assert.That(read.ToString(), Is.EqualTo(view.ToString()));
                Assert.That(read.Data.ContentEquals(view.Data));
            }
        }, iter: 300);

    [Test]
    public void Data_starts_at_a_multiple_of_8()
    {
        using var folder = new TemporaryFolder();
        for (int length = 1; length < 12; length++)
        {
            SafetensorsWriter.WriteAll(folder["m.safetensors"], [Random(new TensorInfo(new string('n', length), SafetensorsDtype.U8, 3), 1)]);
            Assert.That(BinaryPrimitives.ReadInt64LittleEndian(File.ReadAllBytes(folder["m.safetensors"])) % 8, Is.Zero);
        }
    }

    [Test]
    public void Declared_tensors_may_be_written_in_any_order()
    {
        using var folder = new TemporaryFolder();
        TensorView[] views = [.. Enumerable.Range(0, 5).Select(i => Random(new TensorInfo($"t{i}", SafetensorsDtype.U16, i, 7), i))];
        using (var writer = new SafetensorsWriter(folder["m.safetensors"], views.Select(view => view.Info)))
        {
            foreach (var view in views.Reverse())
                writer.Write(view.Name, view.Data);
            writer.Commit();
        }
        using var file = SafetensorsFile.Open(folder["m.safetensors"]);
        Assert.That(file.Tensors.Select(tensor => tensor.Name), Is.EqualTo(new[] { "t0", "t1", "t2", "t3", "t4" }));
        Assert.That(file.Tensors.Zip(views).All(pair => pair.First.Data.ContentEquals(pair.Second.Data)));
    }

    [Test]
    public void Interrupted_write_leaves_no_file_and_keeps_the_one_that_was_there()
    {
        using var folder = new TemporaryFolder();
        string path = folder["m.safetensors"];
        TensorView old = Random(new TensorInfo("old", SafetensorsDtype.U8, 3), 1);
        SafetensorsWriter.WriteAll(path, [old]);
        TensorView[] views = [Random(new TensorInfo("a", SafetensorsDtype.U8, 100), 2), Random(new TensorInfo("b", SafetensorsDtype.U8, 100), 3)];
        using (var writer = new SafetensorsWriter(path, views.Select(view => view.Info)))
        {
            writer.Write("a", views[0].Data);
            Assert.That(() => writer.Commit(), Throws.InvalidOperationException.With.Message.Contains("'b'"));
        }
        using (var cancelled = new CancellationTokenSource())
        {
            cancelled.Cancel();
            Assert.That(() => SafetensorsWriter.WriteAll(path, views, cancellation: cancelled.Token), Throws.InstanceOf<OperationCanceledException>());
        }
        Assert.That(Directory.GetFiles(folder.Path), Is.EqualTo(new[] { path }), "no temporary file is left");
        using var file = SafetensorsFile.Open(path);
        Assert.That(file.Tensors.Single().Data.ContentEquals(old.Data));
    }

    [Test]
    public void Misuse_is_refused_by_name()
    {
        using var folder = new TemporaryFolder();
        TensorView view = Random(new TensorInfo("t", SafetensorsDtype.U8, 3), 1);
        Assert.That(() => SafetensorsWriter.WriteAll(folder["m.safetensors"], [view, view]), Throws.ArgumentException.With.Message.Contains("'t'"));
        using (var writer = new SafetensorsWriter(folder["m.safetensors"], [view.Info]))
        {
            Assert.That(() => writer.Write("u", view.Data), Throws.ArgumentException.With.Message.Contains("'u'"));
            Assert.That(() => writer.Write("t", view.Data.Slice(0, 2)), Throws.ArgumentException.With.Message.Contains("3 bytes"));
            Assert.That(() => writer.Append(view.Info, view.Data), Throws.InvalidOperationException);
        }
        using (var writer = SafetensorsWriter.CreateAppending(folder["m.safetensors"], 0))
        {
            writer.Append(new TensorInfo(new string('n', 100), SafetensorsDtype.U8, 3), view.Data);
            Assert.That(() => writer.Commit(), Throws.InvalidOperationException.With.Message.Contains("header"));
        }
        Assert.That(Directory.GetFiles(folder.Path), Is.Empty);
    }

    [Test]
    public void Header_above_the_limit_of_the_format_is_refused_before_a_file_is_made()
    {
        using var folder = new TemporaryFolder();
        string path = folder["m.safetensors"];
        var metadata = new Dictionary<string, string> { ["k"] = new('a', 100_000_000) };
        Assert.That(() => new SafetensorsWriter(path, [], metadata), Throws.InstanceOf<IOException>().With.Message.Contains("100000000").And.Message.Contains(path));
        Assert.That(() => SafetensorsWriter.CreateAppending(path, 100_000_000), Throws.InstanceOf<IOException>().With.Message.Contains("100000000").And.Message.Contains(path));
        Assert.That(Directory.GetFiles(folder.Path), Is.Empty);
    }

    private static bool IsText(string text) => text != "__metadata__" && !text.Any(char.IsSurrogate);

    private static TensorView Random(TensorInfo info, int seed)
    {
        byte[] bytes = new byte[info.ByteLength];
        new Random(seed).NextBytes(bytes);
        return new TensorView(info, ByteRegion.CopyOf(bytes));
    }
}
