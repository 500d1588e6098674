using CsCheck;
using Kernels.Formats.DFloat11;

namespace Kernels.Formats.Tests.DFloat11;

/// <summary>Groups that another encoder made, with other choices than ours.</summary>
public sealed class ForeignCheckpointTests
{
    [Test]
    public void Groups_of_the_plain_encoder_decode_with_both_decoders() =>
        Gen.Select(Gen.Int[0, 2].Select(i => new[] { 3, 6, 7 }[i]), Gen.Int[0, 1 << 20], Gen.Int[200, 40_000]).Sample((kind, seed, count) =>
        {
            ushort[] bits = Weights.Random(count, seed, Weights.Distribution(kind));
            using var group = PlainEncoder.Encode("group", bits);
            Assert.That(Weights.Decode(group).AsSpan().SequenceEqual(bits), "fast decoder");
            Assert.That(NaiveDecoder.Decode(group).AsSpan().SequenceEqual(bits), "naive decoder");
        }, iter: 40, threads: 2);

    [TestCase(9)]
    [TestCase(17)]
    [TestCase(22)]
    public void Codes_of_n_bits_with_the_end_code_in_front_decode(int exponents)
    {
        ushort[] bits = Weights.WithCounts(Weights.SteepCounts(exponents));
        using var group = PlainEncoder.Encode("group", bits);
        Assert.That(group.Luts[^256..].ToArray().Max(), Is.EqualTo(exponents));
        Assert.That(Weights.Decode(group).AsSpan().SequenceEqual(bits), "fast decoder");
        Assert.That(NaiveDecoder.Decode(group).AsSpan().SequenceEqual(bits), "naive decoder");
    }

    [Test]
    public void Our_stream_takes_as_many_bits_as_a_plain_Huffman_code()
    {
        ushort[] bits = Weights.Random(40_000, 1, Weights.Distribution(6));
        using var plain = PlainEncoder.Encode("group", bits);
        using var ours = DFloat11Encoder.Encode("group", [Weights.Matrix("m", bits)], Weights.Threads(1));
        Assert.That(ours.EncodedExponent.Length, Is.EqualTo(plain.EncodedExponent.Length));
        Assert.That(ours.OutputPositions.Length, Is.EqualTo(plain.OutputPositions.Length));
    }
}
