using Kernels.Formats.DFloat11;
using Kernels.Formats.Safetensors;
using Kernels.Runtime;
using Kernels.Testing;

namespace Kernels.Lossless.Tests;

[RequiresDevice]
[TestFixture(DFloat11Kernel.SmallWindow)]
[TestFixture(DFloat11Kernel.LargeWindow)]
public sealed class DFloat11DeviceDecoderTests(int window)
{
    [Test]
    public void A_checkpoint_of_an_independent_implementation_decodes_to_the_original_bits()
    {
        using SafetensorsModel model = Bfloat16Groups.OpenModel();
        using DFloat11Checkpoint checkpoint = DFloat11Checkpoint.Open(Bfloat16Groups.RepositoryPath("tests/data/df11-sample"));
        Assert.That(checkpoint.Groups, Has.Count.EqualTo(2));
        foreach (DFloat11Group group in checkpoint.Groups)
            Assert.That(DeviceDecode.Decode(group, window), Is.EqualTo(Bfloat16Groups.Original(model, group)), group.Name);
    }

    [Test]
    public void A_whole_layer_as_one_group_decodes_to_the_original_bits()
    {
        using SafetensorsModel model = Bfloat16Groups.OpenModel();
        TensorView[] matrices = [.. model.Tensors.Where(t => t.Name.StartsWith("model.layers.0.", StringComparison.Ordinal) && t.Shape.Length == 2)];
        using DFloat11Group group = Bfloat16Groups.Encode("model.layers.0", matrices);
        Assert.That(group.ElementCount, Is.EqualTo(862_208));
        Assert.That(DeviceDecode.Decode(group, window), Is.EqualTo(Bfloat16Groups.Original(model, group)));
    }

    private static IEnumerable<TestCaseData> Distributions()
    {
        yield return new TestCaseData(new (byte, double)[] { (0, 1) }).SetArgDisplayNames("one exponent, 1-bit codes");
        yield return new TestCaseData(new (byte, double)[] { (120, 1), (0, 0.01) }).SetArgDisplayNames("two exponents");
        yield return new TestCaseData(Enumerable.Range(0, 240).Select(e => ((byte)e, 1.0)).ToArray()).SetArgDisplayNames("all 240 exponents alike");
        yield return new TestCaseData(Enumerable.Range(0, 60).Select(e => ((byte)(e * 4), Math.Pow(0.5, e))).ToArray()).SetArgDisplayNames("geometric, codes longer than the window");
        yield return new TestCaseData(Enumerable.Range(100, 20).Select(e => ((byte)e, Math.Pow(0.6, Math.Abs(e - 110)))).ToArray()).SetArgDisplayNames("bell");
    }

    [TestCaseSource(nameof(Distributions))]
    public void Generated_exponents_decode_to_the_original_bits_at_sizes_around_every_boundary((byte, double)[] distribution)
    {
        foreach (int count in (int[])[1, 2, 7, 8, 9, 15, 16, 17, 511, 4096, 12_345, 32_767, 32_768, 32_769, 100_003])
        {
            ushort[] bits = Bfloat16Groups.Draw(count, seed: count, distribution);
            Assert.That(DeviceDecode.Decode(Bfloat16Groups.Encode(bits), window), Is.EqualTo(bits), $"{count} elements");
        }
    }

    [TestCase(3, 1000)]
    [TestCase(17, 20_000)]
    [TestCase(32, 1)]
    [TestCase(32, 5_000)]
    [TestCase(32, 40_000)]
    public void Codes_of_every_length_up_to_the_longest_decode(int longest, int count)
    {
        int[] lengths = [.. Enumerable.Range(1, longest), longest]; // 0, 10, 110, ... and two of the longest
        ushort[] bits = Bfloat16Groups.Draw(count, seed: 7, [.. lengths.Select((_, exponent) => ((byte)exponent, 1.0))]);
        using DFloat11Group group = NaiveEncoder.Encode(bits, lengths);
        Assert.That(DeviceDecode.Decode(group, window), Is.EqualTo(bits));
    }

    [Test]
    public void Twenty_decodes_give_the_same_bits_over_what_the_output_held_before()
    {
        ushort[] bits = Bfloat16Groups.Draw(50_000, seed: 5, (118, 4), (119, 3), (120, 2), (121, 1), (90, 0.001));
        using DFloat11Group group = Bfloat16Groups.Encode(bits);
        Device device = TestDevice.Device;
        using Stream stream = device.CreateStream();
        using DFloat11DeviceGroup uploaded = DFloat11DeviceGroup.Upload(group, DeviceDecode.SharedPool, stream);
        using DeviceBuffer<ushort> output = device.Allocate<ushort>(group.ElementCount);
        using DeviceBuffer<ulong> status = device.Allocate<ulong>(1);
        for (int run = 0; run < 20; run++)
        {
            output.Span.FillBytes((byte)(run * 13), stream);
            DeviceDecode.Decoder(window).Decode(uploaded, output, status, stream);
            Assert.That(output.Span.ToArray(stream), Is.EqualTo(bits), $"run {run}");
        }
    }

    [Test]
    public void Decoding_allocates_no_managed_memory()
    {
        using DFloat11Group group = Bfloat16Groups.Encode(Bfloat16Groups.Draw(1000, seed: 1, (118, 1), (119, 1)));
        Device device = TestDevice.Device;
        using Stream stream = device.CreateStream();
        using DFloat11DeviceGroup uploaded = DFloat11DeviceGroup.Upload(group, DeviceDecode.SharedPool, stream);
        using DeviceBuffer<ushort> output = device.Allocate<ushort>(group.ElementCount);
        using DeviceBuffer<ulong> status = device.Allocate<ulong>(1);
        DFloat11DeviceDecoder decoder = DeviceDecode.Decoder(window);
        decoder.Decode(uploaded, output, status, stream);
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 10; i++)
            decoder.Decode(uploaded, output, status, stream);
        long allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        stream.Synchronize();
        Assert.That(allocated, Is.Zero);
    }

    [Test]
    public void A_captured_decode_replays_to_the_same_bits()
    {
        ushort[] bits = Bfloat16Groups.Draw(20_000, seed: 9, (118, 4), (119, 3), (120, 2));
        using DFloat11Group group = Bfloat16Groups.Encode(bits);
        Device device = TestDevice.Device;
        using Stream stream = device.CreateStream();
        using DFloat11DeviceGroup uploaded = DFloat11DeviceGroup.Upload(group, DeviceDecode.SharedPool, stream);
        using DeviceBuffer<ushort> output = device.Allocate<ushort>(group.ElementCount);
        using DeviceBuffer<ulong> status = device.Allocate<ulong>(1);
        using Graph graph = Graph.Capture(stream, s => DeviceDecode.Decoder(window).Decode(uploaded, output, status, s));
        using GraphExec executable = graph.Instantiate();
        output.Span.Clear(stream);
        executable.Launch(stream);
        Assert.Multiple(() =>
        {
            Assert.That(output.Span.ToArray(stream), Is.EqualTo(bits));
            Assert.That(status.Span.ToArray(stream)[0], Is.EqualTo(DFloat11DeviceDecoder.NoCorruption));
        });
    }
}
