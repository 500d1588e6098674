using System.Runtime.InteropServices;
using Kernels.Formats.DFloat11;
using Kernels.Formats.Safetensors;

namespace Kernels.Formats.Tests.DFloat11;

public sealed class ModelRoundTripTests
{
    private static readonly ParallelOptions Options = new() { MaxDegreeOfParallelism = 2 };

    [Test]
    public void Tiny_blockffn_as_one_file_comes_back_bit_by_bit_with_names_shapes_order_and_metadata()
    {
        using var folder = new TemporaryFolder();
        using var original = SafetensorsModel.Open(TestData.TinyBlockFfn);
        var report = DFloat11Compressor.Compress(original, folder["df11.safetensors"], Options);
        Assert.That(report.Groups.Select(group => group.Name), Is.EqualTo(new[] { "model.embed_tokens", "model.layers.0", "model.layers.1", "model.layers.2", "model.layers.3", "lm_head" }));
        Assert.That(report.Fallbacks, Is.Empty);
        Assert.That(report.StoredBytes, Is.LessThan(0.69 * report.OriginalBytes));
        Assert.That(new FileInfo(folder["df11.safetensors"]).Length - report.StoredBytes, Is.InRange(0, 20_000), "header");
        using (var checkpoint = DFloat11Checkpoint.Open(folder["df11.safetensors"]))
        {
            Assert.That(ModelComparison.Compare(original, checkpoint, Options, null).First, Is.Null);
            DFloat11Decompressor.Decompress(checkpoint, folder["back.safetensors"], Options);
        }
        using var back = SafetensorsModel.Open(folder["back.safetensors"]);
        AssertSame(original, back);
    }

    [Test]
    public void Tiny_blockffn_as_a_folder_comes_back_with_its_other_files_and_in_shards_with_an_index()
    {
        using var folder = new TemporaryFolder();
        using var original = SafetensorsModel.Open(TestData.TinyBlockFfn);
        var told = new List<ModelProgress>();
        DFloat11Compressor.Compress(original, folder["df11"], Options, new ImmediateProgress(told));
        Assert.That(told[^1].Done, Is.EqualTo(told[^1].Total).And.EqualTo(original.ByteLength));
        Assert.That(Directory.GetFiles(folder["df11"], "*.safetensors").Select(Path.GetFileName), Is.EquivalentTo(new[]
        {
            "model.safetensors", "model_embed_tokens.safetensors", "lm_head.safetensors",
            "model_layers_0.safetensors", "model_layers_1.safetensors", "model_layers_2.safetensors", "model_layers_3.safetensors",
        }));
        Assert.That(File.Exists(Path.Combine(folder["df11"], "tokenizer.json")));
        Assert.That(File.ReadAllText(Path.Combine(folder["df11"], "config.json")), Does.Contain(@"""model\\.layers\\.\\d+"": [").And.Contain("BlockFFNForCausalLM"));
        using (var checkpoint = DFloat11Checkpoint.Open(folder["df11"]))
        {
            Assert.That(checkpoint.Config!.Patterns.Select(pattern => pattern.Regex), Is.EqualTo(new[] { @"model\.embed_tokens", @"model\.layers\.\d+", "lm_head" }));
            Assert.That(checkpoint.Config.Patterns[1].SubPaths, Is.EqualTo(new[]
            {
                "self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "self_attn.o_proj", "mlp.router_proj", "mlp.up_proj", "mlp.down_proj",
            }));
            DFloat11Decompressor.Decompress(checkpoint, folder["back"], Options, maxShardBytes: 2_000_000);
        }
        using var back = SafetensorsModel.Open(folder["back"]);
        Assert.That(back.Files, Has.Count.EqualTo(5));
        AssertSame(original, back);
        Assert.That(File.ReadAllText(Path.Combine(folder["back"], "config.json")), Does.Not.Contain(DFloat11Config.PropertyName).And.Contain("BlockFFNForCausalLM"));
    }

    [Test]
    public void What_the_writer_makes_decodes_with_the_naive_decoder()
    {
        using var folder = new TemporaryFolder();
        using var original = SafetensorsModel.Open(TestData.TinyBlockFfn);
        DFloat11Compressor.Compress(original, folder["df11.safetensors"], Options);
        using var checkpoint = DFloat11Checkpoint.Open(folder["df11.safetensors"]);
        Parallel.ForEach(checkpoint.Groups, Options, group =>
        {
            ushort[] bits = NaiveDecoder.Decode(group);
            foreach (var matrix in group.Matrices)
            {
                var expected = MemoryMarshal.Cast<byte, ushort>(original[matrix.Name].Data.AsSpan());
                Assert.That(bits.AsSpan((int)matrix.Offset, (int)matrix.ElementCount).SequenceEqual(expected), matrix.Name);
            }
        });
    }

    [Test]
    public void Without_metadata_and_configuration_groups_are_flat_and_numbered()
    {
        using var folder = new TemporaryFolder();
        using var original = SafetensorsModel.Open(TestData.TinyBlockFfn);
        DFloat11Compressor.Compress(original, folder["df11.safetensors"], Options);
        using (var container = SafetensorsModel.Open(folder["df11.safetensors"]))
            SafetensorsWriter.WriteAll(folder["bare.safetensors"], container.Tensors);
        using var bare = DFloat11Checkpoint.Open(folder["bare.safetensors"]);
        var layer = bare.Groups.Single(group => group.Name == "model.layers.2");
        Assert.That(layer.Matrices.Select(matrix => matrix.Name), Is.EqualTo(Enumerable.Range(0, 7).Select(i => $"model.layers.2.{i}")));
        Assert.That(layer.Matrices.All(matrix => !matrix.HasShape && matrix.Shape.Single() == matrix.ElementCount));
        Assert.That(Weights.Decode(layer).AsSpan(0, 65536).SequenceEqual(Weights.Bits(original["model.layers.2.self_attn.q_proj.weight"])));
    }

    [Test]
    public void Model_with_every_kind_of_tensor_comes_back_bit_by_bit()
    {
        using var folder = new TemporaryFolder();
        ushort[] matrix = Weights.Random(64 * 1000, 5, Weights.Distribution(6));
        ushort[] special = [.. matrix];
        (special[3], special[9], special[11]) = (0x7FC1, 0xFF80, 0x8000);
        var tensors = new List<TensorView>
        {
            Weights.Matrix("a.layers.0.x.weight", matrix, 64, 1000),
            Weights.Matrix("a.layers.0.x", matrix, 1000, 64),
            Weights.Matrix("a.layers.0.y", matrix, 8, 8, 1000),
            Weights.Matrix("a.layers.1.x.weight", special, 64, 1000),
            Weights.Matrix("a.layers.1.y", matrix, 8, 8, 1000),
            Weights.Matrix("b.3.weight", matrix, 64, 1000),
            Weights.Matrix("b.3.c.weight", matrix, 64, 1000),
            Weights.Matrix("d", matrix, 64, 1000),
            Weights.Matrix("d.weight", matrix, 64, 1000),
            Weights.Matrix("e.weight", matrix, 64, 1000),
            Weights.Matrix("e.luts", matrix, 64, 1000),
            Weights.Matrix("x+y (z).é.weight", matrix, 64, 1000),
            Weights.Matrix("norm.weight", matrix, 64_000),
            Weights.Matrix("empty.weight", [], 0, 5),
            new(new TensorInfo("f16", SafetensorsDtype.F16, 2, 3), ByteRegion.CopyOf(new byte[12])),
            new(new TensorInfo("f8", SafetensorsDtype.F8E4M3, 5), ByteRegion.CopyOf(new byte[5])),
            new(new TensorInfo("scalar", SafetensorsDtype.F32), ByteRegion.CopyOf([1, 2, 3, 4])),
        };
        SafetensorsWriter.WriteAll(folder["in.safetensors"], tensors, new Dictionary<string, string> { ["format"] = "pt", ["note"] = "\"quoted\" \u00e9 \n" });
        using var original = SafetensorsModel.Open(folder["in.safetensors"]);
        foreach (string output in new[] { "df11", "df11.safetensors" })
        {
            var report = DFloat11Compressor.Compress(original, folder[output], Options);
            Assert.That(report.Fallbacks.Select(fallback => (fallback.Matrix.Name, fallback.Reason.Split('\'').ElementAtOrDefault(1))), Is.SupersetOf(new[] { ("d", "d"), ("d.weight", "d"), ("e.weight", "e.luts") }));
            Assert.That(report.Fallbacks.Select(fallback => fallback.Matrix.Name).Concat(report.Groups.SelectMany(group => group.MatrixNames)),
                Is.EquivalentTo(tensors.Where(tensor => tensor.Dtype == SafetensorsDtype.BF16 && tensor.Shape.Length >= 2).Select(tensor => tensor.Name)), "each matrix is compressed or has a reason");
            using var checkpoint = DFloat11Checkpoint.Open(folder[output]);
            Assert.That(checkpoint.Groups.Select(group => group.Name), Does.Contain("x+y (z).é").And.Not.Contain("e").And.Not.Contain("d"));
            Assert.That(ModelComparison.Compare(original, checkpoint, Options, null).First, Is.Null);
            DFloat11Decompressor.Decompress(checkpoint, folder["back." + output], Options);
            using var back = SafetensorsModel.Open(folder["back." + output]);
            AssertSame(original, back);
        }
    }

    [Test]
    public void Block_above_the_limit_is_divided_into_its_matrices_and_what_fits_nowhere_has_a_reason()
    {
        using var folder = new TemporaryFolder();
        ushort[] small = Weights.Random(64, 5, Weights.Distribution(6));
        ushort[] large = Weights.Random(128, 5, Weights.Distribution(6));
        SafetensorsWriter.WriteAll(folder["in.safetensors"],
        [
            Weights.Matrix("m.0.a.weight", small, 8, 8), Weights.Matrix("m.0.a", small, 8, 8), Weights.Matrix("m.0.b.weight", large, 8, 16),
            Weights.Matrix("m.0.c.weight", small, 8, 8), Weights.Matrix("m.0.c.gaps", small), Weights.Matrix("head.weight", large, 8, 16),
        ]);
        using var model = SafetensorsModel.Open(folder["in.safetensors"]);
        var fallbacks = new List<DFloat11Fallback>();
        var plans = DFloat11Grouping.Plan(model, fallbacks, maxElements: 100);
        Assert.That(plans.Select(plan => plan.Name), Is.EqualTo(new[] { "m.0.a" }));
        var reasons = fallbacks.ToDictionary(fallback => fallback.Matrix.Name, fallback => fallback.Reason);
        Assert.Multiple(() =>
        {
            Assert.That(reasons.Keys.Concat(plans.SelectMany(plan => plan.Matrices).Select(matrix => matrix.Name)), Is.EquivalentTo(new[] { "m.0.a.weight", "m.0.a", "m.0.b.weight", "m.0.c.weight", "head.weight" }));
            Assert.That(reasons["m.0.b.weight"], Does.Contain("128").And.Contain("100"));
            Assert.That(reasons["head.weight"], Does.Contain("128").And.Contain("100"));
            Assert.That(reasons["m.0.c.weight"], Does.Contain("'m.0.c.gaps'"));
        });
    }

    [Test]
    public void Layers_that_differ_get_patterns_that_name_their_indices()
    {
        using var folder = new TemporaryFolder();
        ushort[] matrix = Weights.Random(64 * 1000, 5, Weights.Distribution(6));
        TensorView[] tensors =
        [
            .. Enumerable.Range(0, 4).Select(i => Weights.Matrix($"m.layers.{i}.attn.weight", matrix, 64, 1000)),
            .. Enumerable.Range(1, 3).Select(i => Weights.Matrix($"m.layers.{i}.moe.experts.0.up.weight", matrix, 64, 1000)),
        ];
        SafetensorsWriter.WriteAll(folder["in.safetensors"], tensors);
        using var original = SafetensorsModel.Open(folder["in.safetensors"]);
        DFloat11Compressor.Compress(original, folder["df11"], Options);
        using var checkpoint = DFloat11Checkpoint.Open(folder["df11"]);
        Assert.That(checkpoint.Config!.Patterns.Select(pattern => pattern.Regex), Is.EqualTo(new[] { @"m\.layers\.(?:0)", @"m\.layers\.(?:1|2|3)" }));
        var patterns = new DFloat11Patterns(checkpoint.Config.Patterns);
        Assert.That(patterns.Find("m.layers.2")!.SubPaths, Is.EqualTo(new[] { "attn", "moe.experts.0.up" }));
        Assert.That(patterns.Find("m.layers.0")!.SubPaths, Is.EqualTo(new[] { "attn" }));
    }

    [Test]
    public void Cancelled_work_leaves_nothing_under_the_final_name_or_beside_it()
    {
        using var folder = new TemporaryFolder();
        using var original = SafetensorsModel.Open(TestData.TinyBlockFfn);
        foreach (string output in new[] { "df11", "df11.safetensors" })
        {
            using var source = new CancellationTokenSource();
            var options = new ParallelOptions { MaxDegreeOfParallelism = 2, CancellationToken = source.Token };
            var progress = new ImmediateProgress([], told => { if (told > 2) source.Cancel(); });
            Assert.That(() => DFloat11Compressor.Compress(original, folder[output], options, progress), Throws.InstanceOf<OperationCanceledException>());
            Assert.That(Directory.EnumerateFileSystemEntries(folder.Path), Is.Empty);
        }
    }

    [Test]
    public void Output_that_exists_or_is_the_input_is_refused()
    {
        using var folder = new TemporaryFolder();
        TensorView matrix = Weights.Matrix("m.weight", Weights.Random(64_000, 5, Weights.Distribution(6)), 64, 1000);
        SafetensorsWriter.WriteAll(folder["in.safetensors"], [matrix]);
        using var original = SafetensorsModel.Open(folder["in.safetensors"]);
        Assert.That(() => DFloat11Compressor.Compress(original, folder["in.safetensors"], Options), Throws.InstanceOf<IOException>());
        Assert.That(() => DFloat11Compressor.Compress(original, folder.Path, Options), Throws.InstanceOf<IOException>());
        DFloat11Compressor.Compress(original, folder["df11"], Options);
        using var compressed = SafetensorsModel.Open(folder["df11"]);
        Assert.That(() => DFloat11Compressor.Compress(compressed, folder["again"], Options), Throws.ArgumentException);
    }

    [TestCase("""{"\ud800":1}""")]
    [TestCase("""{"a":"\ud800"}""")]
    [TestCase("""{"a":[{"b":"\udc00"}]}""")]
    [TestCase("[]")]
    [TestCase("{")]
    public void Configuration_that_cannot_be_written_again_is_refused_before_any_work(string json)
    {
        using var folder = new TemporaryFolder();
        Directory.CreateDirectory(folder["in"]);
        SafetensorsWriter.WriteAll(folder["in/model.safetensors"], [Weights.Matrix("m.weight", Weights.Random(64_000, 5, Weights.Distribution(6)), 64, 1000)]);
        using var original = SafetensorsModel.Open(folder["in"]);
        DFloat11Compressor.Compress(original, folder["df11"], Options);
        using var checkpoint = DFloat11Checkpoint.Open(folder["df11"]);
        var told = new List<ModelProgress>();
        foreach (string input in new[] { "in", "df11" })
            File.WriteAllText(Path.Combine(folder[input], "config.json"), json);
        Assert.That(() => DFloat11Compressor.Compress(original, folder["out"], Options, new ImmediateProgress(told)), Throws.InstanceOf<InvalidModelException>().With.Message.Contains("config.json"));
        Assert.That(() => DFloat11Decompressor.Decompress(checkpoint, folder["out"], Options, progress: new ImmediateProgress(told)), Throws.InstanceOf<InvalidModelException>().With.Message.Contains("config.json"));
        Assert.That(told, Is.Empty);
        Assert.That(Directory.EnumerateFileSystemEntries(folder.Path).Select(Path.GetFileName), Is.EquivalentTo(new[] { "in", "df11" }));
    }

    [Test]
    public void Comparison_names_tensor_index_and_both_values_of_the_first_difference()
    {
        using var folder = new TemporaryFolder();
        ushort[] bits = Weights.Random(64_000, 5, Weights.Distribution(6));
        ushort[] other = [.. bits];
        (bits[777], other[777]) = (0x0000, 0x8000);
        SafetensorsWriter.WriteAll(folder["a.safetensors"], [Weights.Matrix("same", bits, 64, 1000), Weights.Matrix("m", bits, 64, 1000), Weights.Matrix("only.a", bits), Weights.Matrix("shape", bits, 64, 1000)]);
        SafetensorsWriter.WriteAll(folder["b.safetensors"], [Weights.Matrix("same", bits, 64, 1000), Weights.Matrix("m", other, 64, 1000), Weights.Matrix("only.b", bits), Weights.Matrix("shape", bits, 1000, 64)]);
        using var a = SafetensorsModel.Open(folder["a.safetensors"]);
        using var b = SafetensorsModel.Open(folder["b.safetensors"]);
        var comparison = ModelComparison.Compare(a, b);
        Assert.Multiple(() =>
        {
            Assert.That(comparison.First, Is.EqualTo(new TensorDifference("m", "element 777 of 64000 is 0x8000 instead of 0x0000", 777, "0x0000", "0x8000")), "0 and -0 differ");
            Assert.That(comparison.Differences.Select(difference => difference.Tensor), Is.EqualTo(new[] { "m", "only.a", "shape", "only.b" }));
            Assert.That(ModelComparison.Compare(a, a).AreEqual);
        });
    }

    [Test]
    public void Statistics_agree_with_a_count_from_the_original()
    {
        using var original = SafetensorsModel.Open(TestData.TinyBlockFfn);
        TensorView head = original["lm_head.weight"];
        using var group = DFloat11Encoder.Encode("lm_head", [head], Options);
        var statistics = DFloat11Statistics.Measure(group, Options);
        long[] counts = new long[256];
        foreach (ushort bits in Weights.Bits(head))
            counts[(bits >> 7) & 255]++;
        double entropy = -counts.Where(count => count > 0).Sum(count => count / 262144.0 * Math.Log2(count / 262144.0));
        Assert.Multiple(() =>
        {
            Assert.That(statistics.ExponentCounts, Is.EqualTo(counts));
            Assert.That(statistics.ExponentEntropy, Is.EqualTo(entropy).Within(1e-9));
            Assert.That(statistics.MeanCodeLength, Is.InRange(entropy, entropy + 0.1));
            Assert.That(statistics.DistinctExponents, Is.EqualTo(counts.Count(count => count > 0)));
            Assert.That(statistics.CodeLengthHistogram.Sum(), Is.EqualTo(statistics.DistinctExponents));
            Assert.That(statistics.BitsPerElement, Is.EqualTo(8.0 * group.StoredBytes / 262144));
        });
    }

    private static void AssertSame(SafetensorsModel original, SafetensorsModel back)
    {
        Assert.That(ModelComparison.Compare(original, back).First, Is.Null);
        Assert.That(back.Tensors.Select(tensor => tensor.Info.ToString()), Is.EqualTo(original.Tensors.Select(tensor => tensor.Info.ToString())));
        Assert.That(back.Metadata, Is.EquivalentTo(original.Metadata));
    }

    private sealed class ImmediateProgress(List<ModelProgress> told, Action<int>? then = null) : IProgress<ModelProgress>
    {
        public void Report(ModelProgress value)
        {
            told.Add(value);
            then?.Invoke(told.Count);
        }
    }
}
