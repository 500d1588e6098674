using Kernels.Formats.DFloat11;
using Kernels.Runtime;
using Kernels.Testing;

namespace Kernels.Lossless.Tests;

[RequiresDevice]
public sealed class DFloat11DeviceArgumentTests
{
    private readonly DFloat11Group _group = Bfloat16Groups.Encode(Bfloat16Groups.Draw(1000, seed: 1, (118, 1), (119, 1)));
    private Stream _stream = null!;
    private DFloat11DeviceGroup _uploaded = null!;
    private DeviceBuffer<ushort> _output = null!;
    private DeviceBuffer<ulong> _status = null!;

    [OneTimeTearDown]
    public void ReleaseGroup() => _group.Dispose();

    [SetUp]
    public void Upload()
    {
        _stream = TestDevice.Device.CreateStream();
        _uploaded = DFloat11DeviceGroup.Upload(_group, DeviceDecode.SharedPool, _stream);
        _output = TestDevice.Device.Allocate<ushort>(1008);
        _status = TestDevice.Device.Allocate<ulong>(1);
    }

    [TearDown]
    public void Release()
    {
        _status.Dispose();
        _output.Dispose();
        _uploaded.Dispose();
        _stream.Dispose();
    }

    private static DFloat11DeviceDecoder Decoder => DeviceDecode.Decoder(DFloat11Kernel.SmallWindow);

    [Test]
    public void A_short_output_is_named_with_both_lengths() => Assert.That(
        () => Decoder.Decode(_uploaded, _output.Slice(0, 999), _status, _stream),
        Throws.ArgumentException.With.Message.Contains("1000 elements, and the output takes 999").And.Property("ParamName").EqualTo("output"));

    [Test]
    public void A_misaligned_output_is_named_with_its_address() => Assert.That(
        () => Decoder.Decode(_uploaded, _output.Slice(1, 1000), _status, _stream),
        Throws.ArgumentException.With.Message.Contains($"0x{_output.Pointer.Value + 2:x}").And.Message.Contains("16 bytes"));

    [Test]
    public void A_missing_status_word_is_named() => Assert.That(
        () => Decoder.Decode(_uploaded, _output, default, _stream), Throws.ArgumentException.With.Property("ParamName").EqualTo("status"));

    [Test]
    public void Device_fields_that_are_too_short_are_named() => Assert.That(
        () => new DFloat11DeviceGroup(_group, _uploaded.EncodedExponent, _uploaded.SignMantissa.Slice(0, 10), _uploaded.Luts, _uploaded.Gaps, _uploaded.OutputPositions),
        Throws.ArgumentException.With.Message.Contains("signMantissa has 10 bytes, and the group needs 1000"));

    [Test]
    public void Device_fields_that_are_misaligned_are_named() => Assert.That(
        () => new DFloat11DeviceGroup(_group, _uploaded.EncodedExponent, new DeviceSpan<byte>(_uploaded.SignMantissa.Pointer + 4, 1000), _uploaded.Luts, _uploaded.Gaps, _uploaded.OutputPositions),
        Throws.ArgumentException.With.Message.Contains("aligned to 8 bytes"));

    [Test]
    public void A_disposed_group_is_refused()
    {
        _uploaded.Dispose();
        Assert.That(() => Decoder.Decode(_uploaded, _output, _status, _stream), Throws.TypeOf<ObjectDisposedException>());
    }

    [Test]
    public void Fields_in_memory_of_the_callers_decode_as_they_stand()
    {
        var borrowed = new DFloat11DeviceGroup(_group, _uploaded.EncodedExponent, _uploaded.SignMantissa, _uploaded.Luts, _uploaded.Gaps, _uploaded.OutputPositions);
        Decoder.Decode(borrowed, _output, _status, _stream);
        var expected = new ushort[1000];
        DFloat11Decoder.Decode(_group, expected);
        Assert.That(_output.Slice(0, 1000).ToArray(_stream), Is.EqualTo(expected));
    }
}
