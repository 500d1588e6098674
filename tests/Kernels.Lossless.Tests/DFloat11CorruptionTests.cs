using Kernels.Formats;
using Kernels.Formats.DFloat11;
using Kernels.Runtime;
using Kernels.Testing;

namespace Kernels.Lossless.Tests;

/// <summary>
/// Bytes that no encoder wrote. The device fields are changed behind the back of the host's validation, as a faulty copy or a
/// hostile caller of the raw-pointer constructor would: the kernel must report or decode, and write nothing outside its output.
/// </summary>
[RequiresDevice]
[TestFixture(DFloat11Kernel.SmallWindow)]
[TestFixture(DFloat11Kernel.LargeWindow)]
public sealed class DFloat11CorruptionTests(int window)
{
    private const int Guard = 64;

    private readonly ushort[] _original =
        Bfloat16Groups.Draw(30_000, seed: 11, [.. Enumerable.Range(100, 24).Select(e => ((byte)e, Math.Pow(0.55, Math.Abs(e - 112))))]);

    private DFloat11Group _group = null!;

    [OneTimeSetUp]
    public void Encode() => _group = Bfloat16Groups.Encode(_original);

    [OneTimeTearDown]
    public void Release() => _group.Dispose();

    [Test]
    public void Five_hundred_mutations_of_every_field_are_reported_or_decoded_and_leave_the_guards()
    {
        var random = new Random(17);
        var seen = new HashSet<DFloat11ChunkStatus>();
        Device device = TestDevice.Device;
        using Stream stream = device.CreateStream();
        for (int round = 0; round < 500; round++)
        {
            using DFloat11DeviceGroup uploaded = DFloat11DeviceGroup.Upload(_group, DeviceDecode.SharedPool, stream);
            DeviceSpan<byte> field = (round % 4) switch
            {
                0 => uploaded.EncodedExponent,
                1 => uploaded.Luts,
                2 => uploaded.Gaps,
                _ => uploaded.OutputPositions.Cast<byte>(),
            };
            Mutate(field, random, stream);
            using DeviceBuffer<ushort> output = device.Allocate<ushort>(_group.ElementCount + (2 * Guard));
            output.Span.FillBytes(0xa5, stream);
            using DeviceBuffer<ulong> status = device.Allocate<ulong>(1);
            DeviceDecode.Decoder(window).Decode(uploaded, output.Slice(Guard, _group.ElementCount), status, stream);
            ulong word = status.Span.ToArray(stream)[0];
            ushort[] written = output.Span.ToArray(stream);
            Assert.That(written.Take(Guard).Concat(written.TakeLast(Guard)), Has.All.EqualTo((ushort)0xa5a5), $"round {round}: a guard was written");
            if (word == DFloat11DeviceDecoder.NoCorruption)
            {
                // Gaps and positions are redundant: what passes the checks is what the encoder wrote.
                if (round % 4 >= 2)
                    Assert.That(written[Guard..^Guard], Is.EqualTo(_original), $"round {round}");
                continue;
            }

            seen.Add((DFloat11ChunkStatus)(word & 255));
            Assert.That(word >> 8, Is.LessThan((ulong)_group.BlockCount), $"round {round}");
            Assert.That(() => DFloat11DeviceDecoder.ThrowIfCorrupt(_group, word),
                Throws.TypeOf<InvalidModelException>().With.Message.Contains($"chunk {word >> 8}").And.Message.Contains("generated"));
        }

        Assert.That(seen, Is.EquivalentTo(new[] { DFloat11ChunkStatus.BadPositions, DFloat11ChunkStatus.BadCode, DFloat11ChunkStatus.BadCount, DFloat11ChunkStatus.BadGap }),
            "the mutations should reach every status");
    }

    [Test]
    public void Output_positions_that_fall_are_named_by_chunk()
    {
        Assert.That(DecodeWithPositions(positions => positions[1] = 20_000_000), Is.EqualTo(((ulong)0 << 8) | (ulong)DFloat11ChunkStatus.BadPositions));
        Assert.That(DecodeWithPositions(positions => (positions[1], positions[2]) = (positions[2], positions[1])) & 255, Is.EqualTo((ulong)DFloat11ChunkStatus.BadPositions));
    }

    [Test]
    public void Two_gaps_that_are_wrong_but_leave_the_number_of_codes_are_named()
    {
        using DFloat11Checkpoint checkpoint = DFloat11Checkpoint.Open(Bfloat16Groups.RepositoryPath("tests/data/df11-sample"));
        DFloat11Group group = checkpoint.Groups[0];
        Assert.That((group.Gap(10), group.Gap(11)), Is.EqualTo((1, 2)), "the sample's own gaps");
        Device device = TestDevice.Device;
        using Stream stream = device.CreateStream();
        using DFloat11DeviceGroup uploaded = DFloat11DeviceGroup.Upload(group, DeviceDecode.SharedPool, stream);
        byte[] gaps = group.Gaps.ToArray();
        // Bits 50-54 are thread 10's, 55-59 thread 11's.
        gaps[6] = (byte)(gaps[6] & 0xc0 | 4 << 1 | 0);
        gaps[7] = (byte)(gaps[7] & 0x0f);
        uploaded.Gaps.CopyFrom(gaps, stream);
        using DeviceBuffer<ushort> output = device.Allocate<ushort>(group.ElementCount);
        using DeviceBuffer<ulong> status = device.Allocate<ulong>(1);
        DeviceDecode.Decoder(window).Decode(uploaded, output, status, stream);
        Assert.That(status.Span.ToArray(stream)[0], Is.EqualTo((ulong)DFloat11ChunkStatus.BadGap));
    }

    [Test]
    public void Positions_that_do_not_begin_at_0_or_end_at_the_element_count_are_named()
    {
        Assert.That(DecodeWithPositions(positions => positions[0] = 1) & 255, Is.EqualTo((ulong)DFloat11ChunkStatus.BadPositions));
        Assert.That(DecodeWithPositions(positions => positions[^1]--) & 255, Is.EqualTo((ulong)DFloat11ChunkStatus.BadPositions));
    }

    [Test]
    public void A_chunk_with_a_code_too_many_is_named() =>
        Assert.That(DecodeWithPositions(positions => positions[1]--), Is.EqualTo(((ulong)0 << 8) | (ulong)DFloat11ChunkStatus.BadCount));

    [Test]
    public void Tables_without_a_single_code_end_and_are_reported()
    {
        Device device = TestDevice.Device;
        using Stream stream = device.CreateStream();
        using DFloat11DeviceGroup uploaded = DFloat11DeviceGroup.Upload(_group, DeviceDecode.SharedPool, stream);
        using DeviceBuffer<ushort> output = device.Allocate<ushort>(_group.ElementCount);
        using DeviceBuffer<ulong> status = device.Allocate<ulong>(1);
        foreach (byte fill in (byte[])[0, 239, 240, 255])
        {
            uploaded.Luts.FillBytes(fill, stream);
            DeviceDecode.Decoder(window).Decode(uploaded, output, status, stream);
            Assert.That(status.Span.ToArray(stream)[0], Is.Not.EqualTo(DFloat11DeviceDecoder.NoCorruption), $"luts of {fill}");
        }
    }

    private ulong DecodeWithPositions(Action<uint[]> change)
    {
        Device device = TestDevice.Device;
        using Stream stream = device.CreateStream();
        using DFloat11DeviceGroup uploaded = DFloat11DeviceGroup.Upload(_group, DeviceDecode.SharedPool, stream);
        uint[] positions = _group.OutputPositions.ToArray();
        change(positions);
        uploaded.OutputPositions.CopyFrom(positions, stream);
        using DeviceBuffer<ushort> output = device.Allocate<ushort>(_group.ElementCount);
        using DeviceBuffer<ulong> status = device.Allocate<ulong>(1);
        DeviceDecode.Decoder(window).Decode(uploaded, output, status, stream);
        return status.Span.ToArray(stream)[0];
    }

    private static void Mutate(DeviceSpan<byte> field, Random random, Stream stream)
    {
        byte[] bytes = field.ToArray(stream);
        for (int change = random.Next(1, 9); change > 0; change--)
        {
            int at = random.Next(bytes.Length);
            bytes[at] = random.Next(3) switch
            {
                0 => (byte)(bytes[at] ^ (1 << random.Next(8))),
                1 => (byte)random.Next(256),
                _ => (byte)(random.Next(2) * 255),
            };
        }

        field.CopyFrom(bytes, stream);
    }
}
