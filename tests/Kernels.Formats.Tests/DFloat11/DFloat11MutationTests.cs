using System.Runtime.InteropServices;
using CsCheck;
using Kernels.Formats.DFloat11;
using Kernels.Formats.Safetensors;

namespace Kernels.Formats.Tests.DFloat11;

/// <summary>Damaged checkpoints either decode, within the bounds of the output, or are refused with our exception.</summary>
public sealed class DFloat11MutationTests
{
    private const int FieldCases = 7000;
    private const int FileCases = 5000;
    private const int ConfigCases = 3000;

    [Test]
    public void Damaged_fields_decode_or_are_refused()
    {
        DFloat11Group[] groups =
        [
            Encode(Weights.Random(6000, 1, Weights.Distribution(6))),
            Encode(Weights.WithCounts(Weights.SteepCounts(17))),
            Encode(new ushort[5000]),
            Encode(Weights.Random(20_000, 2, Weights.Distribution(4))),
        ];
        int decoded = 0;
        int refused = 0;
        Gen.Int.Sample(seed =>
        {
            var random = new Random(seed);
            DFloat11Group valid = groups[random.Next(groups.Length)];
            byte[] stream = valid.EncodedExponent.AsSpan().ToArray();
            byte[] signMantissa = valid.SignMantissa.AsSpan().ToArray();
            byte[] luts = valid.Luts.ToArray();
            byte[] gaps = valid.Gaps.ToArray();
            byte[] positions = MemoryMarshal.AsBytes(valid.OutputPositions).ToArray();
            for (int count = random.Next(1, 3); count > 0; count--)
            {
                switch (random.Next(6))
                {
                    case 0: stream = Mutation.Apply(stream, random); break;
                    case 1: signMantissa = Mutation.Apply(signMantissa, random); break;
                    case 2: luts = Mutation.Apply(luts, random); break;
                    case 3 when luts.Length > 0: luts[random.Next(luts.Length)] = (byte)random.Next(256); break;
                    case 4: gaps = Mutation.Apply(gaps, random); break;
                    default: positions = Mutation.Apply(positions, random); break;
                }
            }
            try
            {
                var group = new DFloat11Group(
                    "group", valid.Layout, ByteRegion.CopyOf(stream), ByteRegion.CopyOf(signMantissa), luts, gaps,
                    MemoryMarshal.Cast<byte, uint>(positions.AsSpan(0, positions.Length & ~3)), [new DFloat11Matrix("m", 0, signMantissa.Length)]);
                new GuardedOutput(group.ElementCount).Decode(group, threads: 1 + random.Next(2));
                Interlocked.Increment(ref decoded);
            }
            catch (InvalidModelException e)
            {
                Assert.That(e.Tensor, Does.StartWith("group."));
                Interlocked.Increment(ref refused);
            }
        }, iter: FieldCases, threads: 2);
        Assert.That(decoded + refused, Is.EqualTo(FieldCases));
        Assert.That(refused, Is.GreaterThan(FieldCases / 4));
        Assert.That(decoded, Is.GreaterThan(FieldCases / 50));
    }

    [Test]
    public void Damaged_checkpoint_files_decode_or_are_refused()
    {
        using var folder = new TemporaryFolder();
        SafetensorsWriter.WriteAll(folder["in.safetensors"],
        [
            Weights.Matrix("m.layers.0.a.weight", Weights.Random(4000, 1, Weights.Distribution(6)), 40, 100),
            Weights.Matrix("m.layers.0.b", Weights.Random(4000, 2, Weights.Distribution(6)), 100, 40),
            Weights.Matrix("norm.weight", Weights.Random(50, 3, Weights.Distribution(6))),
        ]);
        using (var model = SafetensorsModel.Open(folder["in.safetensors"]))
            DFloat11Compressor.Compress(model, folder["valid.safetensors"], Weights.Threads(1));
        byte[] valid = File.ReadAllBytes(folder["valid.safetensors"]);
        int header = 8 + (int)BitConverter.ToInt64(valid);
        int refused = 0;
        Gen.Int.Sample(seed =>
        {
            var random = new Random(seed);
            byte[] bytes = random.Next(2) == 0 ? Mutation.Apply(valid, random, 8, header) : Mutation.Apply(valid, random);
            string path = folder[$"{Guid.NewGuid():N}.safetensors"];
            File.WriteAllBytes(path, bytes);
            try
            {
                using var checkpoint = DFloat11Checkpoint.Open(path);
                foreach (var group in checkpoint.Groups)
                    new GuardedOutput(group.ElementCount).Decode(group, threads: 1);
                if (random.Next(10) == 0)
                {
                    DFloat11Decompressor.Decompress(checkpoint, path + ".out.safetensors", Weights.Threads(1));
                    File.Delete(path + ".out.safetensors");
                }
            }
            catch (InvalidModelException)
            {
                Interlocked.Increment(ref refused);
            }
            File.Delete(path);
        }, iter: FileCases, threads: 2);
        Assert.That(refused, Is.InRange(FileCases / 4, FileCases - 1));
        Assert.That(Directory.GetFiles(folder.Path), Has.Length.EqualTo(2), "no half file is left");
    }

    [Test]
    public void Damaged_configurations_are_read_or_refused()
    {
        using var folder = new TemporaryFolder();
        byte[] valid = File.ReadAllBytes(Path.Combine(TestData.DFloat11Sample, "config.json"));
        string[] names = ["model.layers.0.self_attn", "lm_head", "model.layers.0.self_attn" + new string('a', 60)];
        int refused = 0;
        Gen.Int.Sample(seed =>
        {
            var random = new Random(seed);
            string path = folder[$"{Guid.NewGuid():N}.json"];
            File.WriteAllBytes(path, Mutation.Apply(valid, random));
            try
            {
                if (DFloat11Config.Read(path) is { } config)
                {
                    var patterns = new DFloat11Patterns(config.Patterns, path);
                    foreach (string name in names)
                        Assert.That(patterns.Find(name), Is.Null.Or.AnyOf(config.Patterns.ToArray<object>()));
                }
            }
            catch (InvalidModelException)
            {
                Interlocked.Increment(ref refused);
            }
            File.Delete(path);
        }, iter: ConfigCases, threads: 2);
        Assert.That(refused, Is.InRange(ConfigCases / 4, ConfigCases - 1));
    }

    private static DFloat11Group Encode(ushort[] bits) => DFloat11Encoder.Encode("group", [Weights.Matrix("m", bits)], Weights.Threads(1));
}
