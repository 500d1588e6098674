using CsCheck;
using Kernels.Formats.DFloat11;
using Kernels.Formats.Safetensors;

namespace Kernels.Formats.Tests.DFloat11;

public sealed class EncoderTests
{
    private static readonly Gen<(int Kind, int Seed, int Count)> Cases =
        Gen.Select(Gen.Int[0, Weights.DistributionKinds - 1], Gen.Int[0, 1 << 20], Gen.Frequency((4, Gen.Int[1, 600]), (1, Gen.Int[1, 100_000])));

    [Test]
    public void Random_exponents_of_every_distribution_and_size_survive_both_decoders() =>
        Cases.Sample(c =>
        {
            ushort[] bits = Weights.Random(c.Count, c.Seed, Weights.Distribution(c.Kind));
            var group = DFloat11Encoder.Encode("group", [Weights.Matrix("group.weight", bits)], Weights.Threads(1));
            Assert.That(Weights.Decode(group).AsSpan().SequenceEqual(bits), "fast decoder");
            Assert.That(NaiveDecoder.Decode(group).AsSpan().SequenceEqual(bits), "naive decoder");
        }, iter: 300, threads: 2);

    [Test]
    public void Several_matrices_of_any_size_make_one_stream() =>
        Gen.Select(Gen.Int[0, 5].Select(exponent => (int)Math.Pow(10, exponent)).SelectMany(limit => Gen.Int[0, limit]).Array[1, 6], Gen.Int[0, 1000]).Sample((sizes, seed) =>
        {
            sizes[0]++;
            TensorView[] matrices = [.. sizes.Select((size, i) => Weights.Matrix($"m.{i}", Weights.Random(size, seed + i, Weights.Distribution((seed + i) % Weights.DistributionKinds))))];
            var group = DFloat11Encoder.Encode("m", matrices, Weights.Threads(1));
            Assert.That(group.Matrices.Select(matrix => matrix.ElementCount), Is.EqualTo(sizes.Select(size => (long)size)));
            ushort[] expected = [.. matrices.SelectMany(Weights.Bits)];
            Assert.That(Weights.Decode(group).AsSpan().SequenceEqual(expected), "fast decoder");
            Assert.That(NaiveDecoder.Decode(group).AsSpan().SequenceEqual(expected), "naive decoder");
        }, iter: 60, threads: 2);

    [Test]
    public void Bytes_do_not_depend_on_the_number_of_threads()
    {
        TensorView[] matrices =
        [
            .. new[] { 1, 7, 0, 300_000, 64, 1_000_001 }.Select((size, i) => Weights.Matrix($"m.{i}", Weights.Random(size, i, Weights.Distribution(6)))),
        ];
        var expected = DFloat11Encoder.Encode("m", matrices, Weights.Threads(1));
        for (int threads = 2; threads <= 8; threads++)
        {
            var group = DFloat11Encoder.Encode("m", matrices, Weights.Threads(threads));
            Assert.Multiple(() =>
            {
                Assert.That(group.EncodedExponent.ContentEquals(expected.EncodedExponent), $"stream of {threads} threads");
                Assert.That(group.SignMantissa.ContentEquals(expected.SignMantissa), $"sign and mantissa of {threads} threads");
                Assert.That(group.Luts.SequenceEqual(expected.Luts), $"luts of {threads} threads");
                Assert.That(group.Gaps.SequenceEqual(expected.Gaps), $"gaps of {threads} threads");
                Assert.That(group.OutputPositions.SequenceEqual(expected.OutputPositions), $"positions of {threads} threads");
            });
        }
        Assert.That(Weights.Decode(expected, threads: 8), Is.EqualTo(matrices.SelectMany(Weights.Bits)));
    }

    [TestCase(1)]
    [TestCase(8)]
    [TestCase(9)]
    [TestCase(17)]
    [TestCase(25)]
    public void Steep_counts_of_n_exponents_give_codes_of_n_bits(int exponents)
    {
        ushort[] bits = Weights.WithCounts(Weights.SteepCounts(exponents));
        var group = DFloat11Encoder.Encode("group", [Weights.Matrix("group.weight", bits)], Weights.Threads(2));
        Assert.That(group.Luts[^256..].ToArray().Max(), Is.EqualTo(exponents));
        Assert.That(Weights.Decode(group).AsSpan().SequenceEqual(bits), "fast decoder");
        Assert.That(NaiveDecoder.Decode(group).AsSpan().SequenceEqual(bits), "naive decoder");
    }

    [Test]
    public void Codes_of_40_bits_are_limited_to_32_and_decode()
    {
        // 2^28 elements would be needed for such counts, so the code is built from counts and used on few elements.
        var codebook = ExponentCodebook.Build(Weights.SteepCounts(40));
        Assert.That(codebook.Lengths.ToArray().Max(), Is.EqualTo(32));
        Assert.That(codebook.EndLength, Is.EqualTo(32));
        byte[] luts = codebook.BuildLuts();
        Assert.That(luts.Length / 256, Is.InRange(5, 18), "at least a row for each 8 bits of the longest codes, and the row of lengths");
        var table = new ExponentDecodeTable(luts);
        for (int exponent = 100; exponent < 140; exponent++)
        {
            int length = codebook.Lengths[exponent];
            Assert.That(table.Walk(codebook.Codes[exponent] << (32 - length), out int walked), Is.EqualTo(exponent));
            Assert.That(walked, Is.EqualTo(length));
        }
    }

    [Test]
    public void All_240_exponents_and_a_dominating_one_stay_within_the_17_rows_that_pointers_can_name()
    {
        long[] counts = new long[256];
        counts.AsSpan(0, 240).Fill(3);
        counts[122] = 1_000_000;
        var codebook = ExponentCodebook.Build(counts);
        Assert.That(codebook.BuildLuts().Length / 256 - 1, Is.LessThanOrEqualTo(17));
        ushort[] bits = Weights.WithCounts(counts);
        var group = DFloat11Encoder.Encode("group", [Weights.Matrix("group.weight", bits)], Weights.Threads(2));
        Assert.That(Weights.Decode(group).AsSpan().SequenceEqual(bits));
        Assert.That(NaiveDecoder.Decode(group).AsSpan().SequenceEqual(bits));
    }

    [Test]
    public void Zeros_take_one_bit_and_32768_elements_a_block()
    {
        ushort[] bits = new ushort[70_000];
        bits[5] = 0x8000;
        var group = DFloat11Encoder.Encode("group", [Weights.Matrix("group.weight", bits)], Weights.Threads(1));
        Assert.That(group.EncodedExponent.Length, Is.EqualTo(70_000 / 8));
        Assert.That(group.MaxElementsPerBlock, Is.EqualTo(32_768));
        Assert.That(Weights.Decode(group), Is.EqualTo(bits), "with -0 as -0");
    }

    [Test]
    public void Subnormals_negative_zero_and_the_largest_exponent_keep_their_bits()
    {
        ushort[] bits = [0x0000, 0x8000, 0x0001, 0x8001, 0x007F, 0x807F, 0x0080, (239 << 7) | 127, 0x8000 | (239 << 7), 0x3F80];
        var group = DFloat11Encoder.Encode("group", [Weights.Matrix("group.weight", bits)], Weights.Threads(1));
        Assert.That(Weights.Decode(group), Is.EqualTo(bits));
        Assert.That(NaiveDecoder.Decode(group), Is.EqualTo(bits));
    }

    [TestCase((ushort)0x7F80, TestName = "Infinity_cannot_be_represented")]
    [TestCase((ushort)0xFFC1, TestName = "NaN_cannot_be_represented")]
    [TestCase((ushort)(240 << 7), TestName = "Two_to_the_113_cannot_be_represented")]
    public void Exponents_from_240_on_are_refused_by_name_and_left_as_they_are(ushort value)
    {
        ushort[] ordinary = Weights.Random(50_000, 1, Weights.Distribution(6));
        ushort[] special = [.. ordinary];
        special[777] = value;
        TensorView[] matrices = [Weights.Matrix("m.ordinary", ordinary), Weights.Matrix("m.special", special)];
        Assert.That(() => DFloat11Encoder.Encode("m", matrices, Weights.Threads(1)), Throws.ArgumentException.With.Message.Contains("m.special").And.Message.Contains($"{(value >> 7) & 255}"));
        var encoding = DFloat11Encoder.EncodeWhereSmaller("m", matrices, Weights.Threads(1));
        Assert.That(encoding.Fallbacks.Select(fallback => fallback.Matrix.Name), Is.EqualTo(new[] { "m.special" }));
        Assert.That(encoding.Group!.Matrices.Select(matrix => matrix.Name), Is.EqualTo(new[] { "m.ordinary" }));
        Assert.That(Weights.Decode(encoding.Group), Is.EqualTo(ordinary));
    }

    [Test]
    public void Matrices_that_would_not_get_smaller_stay_as_they_are()
    {
        TensorView[] matrices =
        [
            Weights.Matrix("m.ordinary", Weights.Random(50_000, 1, Weights.Distribution(6))),
            Weights.Matrix("m.noise", Weights.Random(50_000, 2, random => random.Next(240))),
        ];
        var encoding = DFloat11Encoder.EncodeWhereSmaller("m", matrices, Weights.Threads(1));
        Assert.That(encoding.Fallbacks.Single().Matrix.Name, Is.EqualTo("m.noise"));
        var tiny = DFloat11Encoder.EncodeWhereSmaller("tiny", [Weights.Matrix("tiny.weight", new ushort[100])], Weights.Threads(1));
        Assert.That(tiny.Group, Is.Null, "the tables are larger than 100 elements");
    }

    [Test]
    public void Last_gap_is_zero_where_the_last_code_only_ends_in_the_last_thread()
    {
        // The rarest exponent comes last, with a code of about 12 bits: for some of the counts it straddles two threads.
        for (int count = 1; count < 80; count++)
        {
            ushort[] bits = [.. Weights.WithCounts(Weights.SteepCounts(12)).Reverse(), .. Enumerable.Repeat((ushort)(111 << 7), count), 100 << 7];
            var group = DFloat11Encoder.Encode("group", [Weights.Matrix("group.weight", bits)], Weights.Threads(1));
            Assert.That(NaiveDecoder.Decode(group), Is.EqualTo(bits), $"{count} leading elements");
            Assert.That(Weights.Decode(group), Is.EqualTo(bits), $"{count} leading elements");
        }
    }
}
