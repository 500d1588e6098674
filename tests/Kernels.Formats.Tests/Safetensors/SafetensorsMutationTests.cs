using System.Text;
using CsCheck;
using Kernels.Formats.Safetensors;

namespace Kernels.Formats.Tests.Safetensors;

/// <summary>Damaged files either open, and then every byte of every tensor can be read, or are refused with our exception.</summary>
public sealed class SafetensorsMutationTests
{
    private const int HeaderCases = 7000;
    private const int IndexCases = 3000;

    [Test]
    public void Damaged_headers_open_or_are_refused()
    {
        using var folder = new TemporaryFolder();
        SafetensorsWriter.WriteAll(
            folder["valid.safetensors"],
            [Tensor("model.a.weight", SafetensorsDtype.BF16, 3, 5), Tensor("model.b", SafetensorsDtype.F64, 2), Tensor("c", SafetensorsDtype.U8, 0), Tensor("d", SafetensorsDtype.I32)],
            new Dictionary<string, string> { ["format"] = "pt" });
        byte[] valid = File.ReadAllBytes(folder["valid.safetensors"]);
        int headerEnd = valid.Length - 30 - 16 - 4;
        int opened = 0;
        int refused = 0;
        Gen.Int.Sample(seed =>
        {
            var random = new Random(seed);
            // Mostly the header, sometimes anywhere, the length in front included.
            byte[] bytes = random.Next(5) == 0 ? Mutation.Apply(valid, random) : Mutation.Apply(valid, random, 8, headerEnd);
            string path = folder[$"{Guid.NewGuid():N}.safetensors"];
            File.WriteAllBytes(path, bytes);
            try
            {
                using var file = SafetensorsFile.Open(path);
                // Touches every byte: one outside the mapping would end the process.
                foreach (var tensor in file.Tensors)
                    _ = tensor.Data.AsSpan().ToArray();
                Interlocked.Increment(ref opened);
            }
            catch (InvalidModelException e)
            {
                Assert.That(e.Message, Does.Contain(path));
                Interlocked.Increment(ref refused);
            }
            File.Delete(path);
        }, iter: HeaderCases, threads: 2);
        Assert.That(opened + refused, Is.EqualTo(HeaderCases));
        Assert.That(refused, Is.GreaterThan(HeaderCases / 2), "the damage is real");
        Assert.That(opened, Is.GreaterThan(HeaderCases / 100), "the damage is not always fatal");
    }

    [Test]
    public void Damaged_indexes_open_or_are_refused_and_never_lead_outside()
    {
        using var folder = new TemporaryFolder();
        SafetensorsWriter.WriteAll(folder["outside.safetensors"], [Tensor("outside", SafetensorsDtype.U8, 1)]);
        int refused = 0;
        Gen.Int.Sample(seed =>
        {
            var random = new Random(seed);
            string model = Directory.CreateDirectory(folder[Guid.NewGuid().ToString("N")]).FullName;
            SafetensorsWriter.WriteAll(Path.Combine(model, "one.safetensors"), [Tensor("a", SafetensorsDtype.U8, 1)]);
            SafetensorsWriter.WriteAll(Path.Combine(model, "two.safetensors"), [Tensor("b", SafetensorsDtype.U8, 1)]);
            byte[] valid = Encoding.UTF8.GetBytes("{\"metadata\":{\"total_size\":2},\"weight_map\":{\"a\":\"one.safetensors\",\"b\":\"two.safetensors\"}}");
            File.WriteAllBytes(Path.Combine(model, SafetensorsIndex.FileName), Mutation.Apply(valid, random));
            try
            {
                using var opened = SafetensorsModel.Open(model);
                Assert.That(opened.Tensors.Select(tensor => tensor.Name), Is.SubsetOf(new[] { "a", "b" }));
            }
            catch (Exception e) when (e is InvalidModelException or FileNotFoundException)
            {
                // FileNotFound: an index that names nothing.
                Interlocked.Increment(ref refused);
            }
            Directory.Delete(model, recursive: true);
        }, iter: IndexCases, threads: 2);
        Assert.That(refused, Is.InRange(IndexCases / 3, IndexCases - 1));
    }

    private static TensorView Tensor(string name, SafetensorsDtype dtype, params long[] shape)
    {
        var info = new TensorInfo(name, dtype, shape);
        return new TensorView(info, ByteRegion.CopyOf(new byte[info.ByteLength]));
    }
}
