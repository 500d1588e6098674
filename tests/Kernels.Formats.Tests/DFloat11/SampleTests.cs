using System.Runtime.InteropServices;
using Kernels.Formats.DFloat11;
using Kernels.Formats.Safetensors;

namespace Kernels.Formats.Tests.DFloat11;

/// <summary>The checkpoint in tests/data/df11-sample was written by an independent implementation of the layout.</summary>
public sealed class SampleTests
{
    private static readonly string[] AttentionMatrices =
    [
        "model.layers.0.self_attn.q_proj.weight", "model.layers.0.self_attn.k_proj.weight",
        "model.layers.0.self_attn.v_proj.weight", "model.layers.0.self_attn.o_proj.weight",
    ];

    [Test]
    public void Sample_has_two_groups_named_by_its_configuration_and_one_raw_tensor()
    {
        using var checkpoint = DFloat11Checkpoint.Open(TestData.DFloat11Sample);
        Assert.Multiple(() =>
        {
            Assert.That(checkpoint.Config!.Version, Is.EqualTo("0.5.0"));
            Assert.That(checkpoint.Groups.Select(group => group.Name), Is.EqualTo(new[] { "model.layers.0.self_attn", "lm_head" }));
            Assert.That(checkpoint.Groups[0].Matrices.Select(matrix => matrix.Name), Is.EqualTo(AttentionMatrices));
            Assert.That(checkpoint.Groups[0].Matrices.Select(matrix => matrix.ElementCount), Is.EqualTo(new[] { 65536, 32768, 32768, 65536 }));
            Assert.That(checkpoint.Groups[1].Matrices.Single().Name, Is.EqualTo("lm_head.weight"));
            Assert.That(checkpoint.RawTensors.Select(tensor => tensor.Name), Is.EqualTo(new[] { "model.norm.weight" }));
            Assert.That(checkpoint.Groups[0].BlockCount, Is.EqualTo(17));
            Assert.That(checkpoint.Groups[0].DecodeRowCount, Is.EqualTo(3));
            Assert.That(checkpoint.Groups[0].MaxElementsPerBlock, Is.EqualTo(12228));
        });
    }

    [Test]
    public void Sample_decodes_to_the_bits_of_tiny_blockffn_with_both_decoders()
    {
        using var model = SafetensorsModel.Open(TestData.TinyBlockFfn);
        using var checkpoint = DFloat11Checkpoint.Open(TestData.DFloat11Sample);
        foreach (var group in checkpoint.Groups)
        {
            ushort[] fast = new ushort[group.ElementCount];
            DFloat11Decoder.Decode(group, fast);
            ushort[] naive = NaiveDecoder.Decode(group);
            foreach (var matrix in group.Matrices)
            {
                ushort[] original = MemoryMarshal.Cast<byte, ushort>(model[matrix.Name].Data.AsSpan()).ToArray();
                Range range = (int)matrix.Offset..(int)(matrix.Offset + matrix.ElementCount);
                Assert.That(fast[range], Is.EqualTo(original), $"{matrix.Name}, fast decoder");
                Assert.That(naive[range], Is.EqualTo(original), $"{matrix.Name}, naive decoder");
            }
        }
        Assert.That(checkpoint.RawTensors[0].Data.ContentEquals(model["model.norm.weight"].Data));
    }

    [Test]
    public void Gap_of_a_thread_in_the_middle_of_a_block_is_part_of_what_is_verified()
    {
        using var folder = new TemporaryFolder();
        using var model = SafetensorsModel.Open(TestData.TinyBlockFfn);
        using (var sample = SafetensorsModel.Open(TestData.DFloat11Sample))
        {
            const string name = "model.layers.0.self_attn.gaps";
            byte[] gaps = sample[name].Data.AsSpan().ToArray();
            // Threads 10 and 11 are bits 50 to 59: 1 and 2 become 4 and 0, which no decoder that starts at its block's first gap can see.
            Assert.That(((gaps[6] << 8) | gaps[7]) >> 4 & 1023, Is.EqualTo((1 << 5) | 2));
            (gaps[6], gaps[7]) = ((byte)((gaps[6] & 0xC0) | (4 << 1)), (byte)(gaps[7] & 0x0F));
            SafetensorsWriter.WriteAll(folder["model.safetensors"], [.. sample.Tensors.Select(tensor => tensor.Name == name ? new TensorView(tensor.Info, ByteRegion.CopyOf(gaps)) : tensor)]);
        }
        File.Copy(Path.Combine(TestData.DFloat11Sample, "config.json"), folder["config.json"]);
        using var damaged = DFloat11Checkpoint.Open(folder.Path);
        Assert.That(
            () => ModelComparison.Compare(model, damaged, new ParallelOptions(), null),
            Throws.InstanceOf<InvalidModelException>().With.Message.Contains("self_attn.gaps': entry 10 (thread 10 of block 0) is 4").And.Message.Contains("at bit 1"));
    }
}
