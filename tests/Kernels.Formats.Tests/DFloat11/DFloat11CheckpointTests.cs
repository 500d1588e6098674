using System.Text;
using Kernels.Formats.DFloat11;
using Kernels.Formats.Safetensors;

namespace Kernels.Formats.Tests.DFloat11;

public sealed class DFloat11CheckpointTests
{
    [TestCase("0.2.0")]
    [TestCase("0.3.1")]
    [TestCase("0.5.0")]
    public void Version_is_supported(string version) => Assert.That(ReadConfig(Sample().Replace("0.5.0", version))!.Version, Is.EqualTo(version));

    [TestCase("0.1.0", "pickle")]
    [TestCase("0.6.0", "0.2.0 to 0.5.0")]
    [TestCase("1.0", "0.2.0 to 0.5.0")]
    [TestCase("new", "'new'")]
    public void Version_is_refused_with_the_reason(string version, string words) =>
        Assert.That(() => ReadConfig(Sample().Replace("0.5.0", version)), Throws.InstanceOf<InvalidModelException>().With.Message.Contains(words).And.Message.Contains("dfloat11_config.version"));

    [Test]
    public void Pickled_checkpoint_is_refused_by_its_version_before_its_files_are_looked_at()
    {
        using var folder = new TemporaryFolder();
        folder.Write("config.json", Encoding.UTF8.GetBytes(Sample().Replace("0.5.0", "0.1.0")));
        folder.Write("model.pkl", [0x80, 0x04]);
        Assert.That(() => DFloat11Checkpoint.Open(folder.Path), Throws.InstanceOf<InvalidModelException>().With.Message.Contains("pickle"));
    }

    [TestCase("\"threads_per_block\": [\n   512\n  ]", "\"threads_per_block\": [2048]", "threads_per_block")]
    [TestCase("\"threads_per_block\": [\n   512\n  ]", "\"threads_per_block\": []", "threads_per_block")]
    [TestCase("\"threads_per_block\": [\n   512\n  ]", "\"threads_per_block\": [64, 64]", "4096")]
    [TestCase("\"bytes_per_thread\": 8", "\"bytes_per_thread\": 0", "bytes_per_thread")]
    [TestCase("\"bytes_per_thread\": 8", "\"bytes_per_thread\": \"8\"", "bytes_per_thread")]
    [TestCase("\"lm_head\": []", "\"lm_head\": [1]", "pattern_dict")]
    [TestCase("\"lm_head\": []", "\"lm_head\": 1", "pattern_dict")]
    [TestCase("\"version\"", "\"version_\"", "version")]
    public void Malformed_configuration_is_refused_by_field(string from, string to, string words)
    {
        Assert.That(Sample(), Does.Contain(from));
        Assert.That(() => ReadConfig(Sample().Replace(from, to)), Throws.InstanceOf<InvalidModelException>().With.Message.Contains(words));
    }

    [Test]
    public void Configuration_of_another_model_has_no_DF11_entry() => Assert.That(ReadConfig("{\"model_type\":\"llama\"}"), Is.Null);

    [TestCase("(a+)+$")]
    [TestCase("(a|a)*$")]
    [TestCase("(?=(a+)+$)b")]
    [TestCase(@"(a+)+\1$")]
    [TestCase("((a{1,100}){1,100}){1,100}$")]
    public void Exploding_regex_is_answered_or_refused_in_bounded_time(string regex)
    {
        string name = new string('a', 5000) + "!";
        try
        {
            Assert.That(new DFloat11Patterns([new(regex, [])], "config.json").Find(name), Is.Null);
        }
        catch (InvalidModelException e)
        {
            Assert.That(e.Message, Does.Contain("config.json").And.Contain("pattern_dict").And.Contain(regex));
        }
    }

    [Test]
    public void Regex_that_backtracks_without_end_is_stopped_by_the_limit() =>
        Assert.That(
            () => new DFloat11Patterns([new(@"(?=((a+)+)\z)\1", [])], "config.json").Find(new string('a', 200) + "!"),
            Throws.InstanceOf<InvalidModelException>().With.Message.Contains("200 ms"));

    [TestCase("(")]
    [TestCase("a)|(?:b")]
    [TestCase("[z-a]")]
    [TestCase("*")]
    public void What_is_no_regex_is_refused(string regex) =>
        Assert.That(() => new DFloat11Patterns([new(regex, [])]).Find("a"), Throws.InstanceOf<InvalidModelException>().With.Message.Contains(TensorName.Printable(regex)));

    [Test]
    public void More_than_4096_patterns_are_refused_when_one_is_needed()
    {
        var patterns = new DFloat11Patterns([.. Enumerable.Range(0, 4097).Select(i => new DFloat11Pattern($@"m{i}\.\d+", []))], "config.json");
        Assert.That(() => patterns.Find("m"), Throws.InstanceOf<InvalidModelException>().With.Message.Contains("4097").And.Message.Contains("4096").And.Message.Contains("config.json"));
    }

    [Test]
    public void Regex_is_compiled_only_when_no_pattern_before_it_matches()
    {
        var patterns = new DFloat11Patterns([new(@"model\.embed_tokens", []), new("lm_head", []), new("(", [])]);
        Assert.That(patterns.Find("lm_head")!.Regex, Is.EqualTo("lm_head"));
        Assert.That(patterns.Find("model.embed_tokens")!.Regex, Is.EqualTo(@"model\.embed_tokens"));
        Assert.That(() => patterns.Find("modelxembed_tokens"), Throws.InstanceOf<InvalidModelException>().With.Message.Contains("no regular expression"));
    }

    [Test]
    public void Compiling_and_matching_share_one_limit_for_all_patterns()
    {
        var patterns = new DFloat11Patterns([new(@"a\d+", []), new(@"b\d+", [])], "config.json") { TotalTimeout = TimeSpan.Zero };
        Assert.That(() => patterns.Find("m"), Throws.InstanceOf<InvalidModelException>().With.Message.Contains(@"'b\d+'").And.Message.Contains("in all"));
    }

    [Test]
    public void Regex_must_match_the_whole_name_and_may_be_written_as_in_Python()
    {
        var patterns = new DFloat11Patterns([new(@"model\.layers\.\d+", ["x"]), new(@"(?P<name>head)\.(?:a|b)", [])]);
        Assert.Multiple(() =>
        {
            Assert.That(patterns.Find("model.layers.12"), Is.Not.Null);
            Assert.That(patterns.Find("model.layers.12.mlp"), Is.Null);
            Assert.That(patterns.Find("a.model.layers.12"), Is.Null);
            Assert.That(patterns.Find("model.layers.12\n"), Is.Null);
            Assert.That(patterns.Find("modelxlayersx12"), Is.Null);
            Assert.That(patterns.Find("head.b"), Is.Not.Null);
        });
    }

    [Test]
    public void Pattern_that_lists_another_number_of_matrices_is_refused()
    {
        using var folder = new TemporaryFolder();
        File.Copy(Path.Combine(TestData.DFloat11Sample, "model.safetensors"), folder["model.safetensors"]);
        folder.Write("config.json", Encoding.UTF8.GetBytes(Sample().Replace("\"q_proj\",", "")));
        Assert.That(() => DFloat11Checkpoint.Open(folder.Path), Throws.InstanceOf<InvalidModelException>().With.Message.Contains("model.layers.0.self_attn").And.Message.Contains("4").And.Message.Contains("3"));
    }

    [TestCase("sign_mantissa")]
    [TestCase("luts")]
    [TestCase("gaps")]
    [TestCase("output_positions")]
    public void Group_without_a_field_is_refused(string field)
    {
        using var folder = new TemporaryFolder();
        using (var sample = SafetensorsModel.Open(TestData.DFloat11Sample))
            SafetensorsWriter.WriteAll(folder["m.safetensors"], [.. sample.Tensors.Where(tensor => tensor.Name != $"lm_head.{field}")]);
        Assert.That(() => DFloat11Checkpoint.Open(folder["m.safetensors"]), Throws.InstanceOf<InvalidModelException>().With.Message.Contains($"'lm_head.{field}'").And.Message.Contains("missing"));
    }

    [Test]
    public void Sample_split_into_a_shard_a_group_reads_the_same()
    {
        using var folder = new TemporaryFolder();
        using var sample = SafetensorsModel.Open(TestData.DFloat11Sample);
        foreach (string shard in new[] { "lm_head", "model_layers_0_self_attn", "model" })
        {
            string prefix = shard == "model" ? "model.norm" : shard.Replace("model_layers_0_", "model.layers.0.");
            SafetensorsWriter.WriteAll(folder[shard + ".safetensors"], [.. sample.Tensors.Where(tensor => tensor.Name.StartsWith(prefix, StringComparison.Ordinal))]);
        }
        File.Copy(Path.Combine(TestData.DFloat11Sample, "config.json"), folder["config.json"]);
        using var checkpoint = DFloat11Checkpoint.Open(folder.Path);
        using var whole = DFloat11Checkpoint.Open(TestData.DFloat11Sample);
        Assert.That(checkpoint.Groups.Select(group => group.Name), Is.EquivalentTo(whole.Groups.Select(group => group.Name)));
        foreach (var group in checkpoint.Groups)
            Assert.That(Weights.Decode(group), Is.EqualTo(Weights.Decode(whole.Groups.Single(other => other.Name == group.Name))));
    }

    [Test]
    public void Beside_an_index_only_shards_of_groups_are_read()
    {
        using var folder = new TemporaryFolder();
        using var sample = SafetensorsModel.Open(TestData.DFloat11Sample);
        TensorView norm = sample["model.norm.weight"];
        SafetensorsWriter.WriteAll(folder["model-00001-of-00001.safetensors"], [norm]);
        SafetensorsWriter.WriteAll(folder["consolidated.safetensors"], [norm]);
        SafetensorsIndex.Write(folder[SafetensorsIndex.FileName], [new(norm.Name, "model-00001-of-00001.safetensors")], norm.ByteLength);
        using (var plain = DFloat11Checkpoint.Open(folder.Path))
        {
            Assert.That(plain.Groups, Is.Empty);
            Assert.That(plain.RawTensors.Single().File, Does.EndWith("model-00001-of-00001.safetensors"));
        }
        SafetensorsWriter.WriteAll(folder["lm_head.safetensors"], [.. sample.Tensors.Where(tensor => tensor.Name.StartsWith("lm_head.", StringComparison.Ordinal))]);
        using var checkpoint = DFloat11Checkpoint.Open(folder.Path);
        Assert.That(checkpoint.Groups.Select(group => group.Name), Is.EqualTo(new[] { "lm_head" }));
        Assert.That(checkpoint.RawTensors.Select(tensor => tensor.Name), Is.EqualTo(new[] { norm.Name }));
    }

    [Test]
    public void Recorded_shapes_that_do_not_fit_are_refused()
    {
        using var folder = new TemporaryFolder();
        using var sample = SafetensorsModel.Open(TestData.DFloat11Sample);
        foreach (string matrices in new[] { "[[\"lm_head.weight\",[1024,255]]]", "[]", "{}", "[[\"lm_head.weight\",[-1024,-256]]]", "[[\"__metadata__\",[1024,256]]]", "[[\"model.norm.weight\",[1024,256]]]", "[[1,[1]]]", "[[\"x\",[1e300]]]" })
        {
            SafetensorsWriter.WriteAll(folder["m.safetensors"], [.. sample.Tensors], new Dictionary<string, string> { ["dfloat11.group.lm_head"] = matrices });
            Assert.That(() => DFloat11Checkpoint.Open(folder["m.safetensors"]), Throws.InstanceOf<InvalidModelException>(), matrices);
        }
    }

    [Test]
    public void Recorded_shape_of_more_dimensions_than_files_may_have_is_refused()
    {
        using var folder = new TemporaryFolder();
        using var sample = SafetensorsModel.Open(TestData.DFloat11Sample);
        string Shape(int rank) => $"[[\"lm_head.weight\",[262144{string.Concat(Enumerable.Repeat(",1", rank - 1))}]]]";
        SafetensorsWriter.WriteAll(folder["m.safetensors"], [.. sample.Tensors], new Dictionary<string, string> { ["dfloat11.group.lm_head"] = Shape(64) });
        using (var checkpoint = DFloat11Checkpoint.Open(folder["m.safetensors"]))
            DFloat11Decompressor.Decompress(checkpoint, folder["back.safetensors"], Weights.Threads(1));
        using (var back = SafetensorsModel.Open(folder["back.safetensors"]))
            Assert.That(back["lm_head.weight"].Shape, Has.Length.EqualTo(64));
        SafetensorsWriter.WriteAll(folder["n.safetensors"], [.. sample.Tensors], new Dictionary<string, string> { ["dfloat11.group.lm_head"] = Shape(65) });
        Assert.That(() => DFloat11Checkpoint.Open(folder["n.safetensors"]), Throws.InstanceOf<InvalidModelException>().With.Message.Contains("65 dimensions").And.Message.Contains("64"));
        Assert.That(() => new SafetensorsWriter(folder["w.safetensors"], [new TensorInfo("t", SafetensorsDtype.U8, [.. Enumerable.Repeat(1L, 65)])]), Throws.ArgumentException.With.Message.Contains("65"));
    }

    private static string Sample() => File.ReadAllText(Path.Combine(TestData.DFloat11Sample, "config.json"));

    private static DFloat11Config? ReadConfig(string json)
    {
        using var folder = new TemporaryFolder();
        return DFloat11Config.Read(folder.Write("config.json", Encoding.UTF8.GetBytes(json)));
    }
}
