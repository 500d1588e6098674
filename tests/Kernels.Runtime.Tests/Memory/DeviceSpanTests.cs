using CsCheck;
using Kernels.Native;

namespace Kernels.Runtime.Tests.Memory;

public sealed class DeviceSpanTests
{
    [Test]
    public void Slices_are_addresses_and_lengths_of_what_they_name() => Gen.Select(Gen.Long[0, 1L << 40], Gen.Double[0, 1], Gen.Double[0, 1])
        .Sample((length, at, part) =>
        {
            var span = new DeviceSpan<long>(new CUdeviceptr(4096), length);
            long start = (long)(length * at), count = (long)((length - start) * part);
            DeviceSpan<long> slice = span.Slice(start, count);
            return slice.Pointer.Value == 4096 + (ulong)start * 8 && slice.Length == count && slice.ByteLength == count * 8
                && span.Slice(start) == span.Slice(start, length - start);
        });

    [TestCase(-1, 1)]
    [TestCase(0, 11)]
    [TestCase(11, 0)]
    [TestCase(5, 6)]
    [TestCase(5, -1)]
    [TestCase(5, long.MaxValue)]
    public void A_slice_outside_is_refused(long start, long length) => Assert.That(
        () => new DeviceSpan<int>(new CUdeviceptr(512), 10).Slice(start, length), Throws.TypeOf<ArgumentOutOfRangeException>());

    [Test]
    public void A_cast_keeps_the_address_and_whole_elements()
    {
        DeviceSpan<int> cast = new DeviceSpan<byte>(new CUdeviceptr(512), 15).Cast<int>();
        Assert.That((cast.Pointer.Value, cast.Length), Is.EqualTo((512UL, 3L)));
    }

    [Test]
    [RequiresDevice]
    public void Copies_in_all_directions_give_the_same_elements()
    {
        Device device = TestDevice.Device;
        using Stream stream = device.CreateStream();
        int[] values = [.. Enumerable.Range(0, 5000)];
        using DeviceBuffer<int> first = device.Allocate<int>(values.Length), second = device.Allocate<int>(values.Length);
        using PinnedBuffer<int> pinned = device.AllocatePinned<int>(values.Length);
        using PinnedBuffer<int> back = device.AllocatePinned<int>(values.Length);

        values.CopyTo(pinned.Span);
        first.Span.CopyFrom(pinned, stream);
        second.Span.CopyFrom(first.Span, stream);
        second.Span.CopyTo(back, stream);
        stream.Synchronize();

        Assert.That(back.Span.ToArray(), Is.EqualTo(values));
        Assert.That(second.Span.ToArray(stream), Is.EqualTo(values));
        Assert.That(second.Slice(100, 3).ToArray(stream), Is.EqualTo((int[])[100, 101, 102]));
    }

    [Test]
    [RequiresDevice]
    public unsafe void Copies_by_address_give_the_same_elements()
    {
        Device device = TestDevice.Device;
        using Stream stream = device.CreateStream();
        byte[] values = [1, 2, 3, 4], back = new byte[4];
        using DeviceBuffer<byte> buffer = device.Allocate<byte>(4);
        using PinnedBuffer<byte> pinned = device.AllocatePinned<byte>(4);
        values.CopyTo(pinned.Span);

        fixed (byte* from = values, to = back)
        {
            buffer.Span.CopyFromHost(from, 4, stream);
            buffer.Span.CopyToHost(to, stream);
        }

        buffer.Span.Clear(stream);
        buffer.Slice(1, 2).CopyFromPinned((byte*)pinned.Pointer + 2, 2, stream);

        Assert.That(back, Is.EqualTo(values));
        Assert.That(buffer.Span.ToArray(stream), Is.EqualTo((byte[])[0, 3, 4, 0]));
    }

    [Test]
    [RequiresDevice]
    public void Fills_set_elements_of_1_2_and_4_bytes_and_refuse_others()
    {
        Device device = TestDevice.Device;
        using Stream stream = device.CreateStream();
        using DeviceBuffer<byte> buffer = device.Allocate<byte>(64);
        DeviceSpan<byte> bytes = buffer.Span;

        bytes.Clear(stream);
        bytes.Slice(1, 3).Fill(9, stream);
        bytes.Slice(8, 8).Cast<short>().Fill(-2, stream);
        bytes.Slice(16, 8).Cast<float>().Fill(1.5f, stream);

        Assert.That(bytes.Slice(0, 5).ToArray(stream), Is.EqualTo((byte[])[0, 9, 9, 9, 0]));
        Assert.That(bytes.Slice(8, 8).Cast<short>().ToArray(stream), Is.All.EqualTo(-2));
        Assert.That(bytes.Slice(16, 8).Cast<float>().ToArray(stream), Is.All.EqualTo(1.5f));
        Assert.That(() => bytes.Cast<long>().Fill(1, stream), Throws.TypeOf<NotSupportedException>().With.Message.Contains("8"));
    }

    [Test]
    [RequiresDevice]
    public void A_copy_that_does_not_fit_is_refused_with_both_lengths()
    {
        Device device = TestDevice.Device;
        using Stream stream = device.CreateStream();
        using DeviceBuffer<int> buffer = device.Allocate<int>(3);

        Assert.That(() => buffer.Span.CopyFrom(new int[4], stream), Throws.ArgumentException.With.Message.Contains("4").And.Message.Contains("3"));
        Assert.That(() => buffer.Span.CopyTo(new int[2], stream), Throws.ArgumentException.With.Message.Contains("3").And.Message.Contains("2"));
    }

    [Test]
    [RequiresDevice]
    public void Copies_of_nothing_do_nothing()
    {
        Device device = TestDevice.Device;
        using Stream stream = device.CreateStream();
        using DeviceBuffer<int> empty = device.Allocate<int>(0);

        empty.Span.CopyFrom([], stream);
        empty.Span.Clear(stream);

        Assert.That(empty.Pointer.Value, Is.Zero);
        Assert.That(empty.Span.ToArray(stream), Is.Empty);
    }

    [Test]
    [RequiresDevice]
    public void A_copy_from_an_address_that_is_none_fails_naming_call_address_and_bytes()
    {
        using Stream stream = TestDevice.Device.CreateStream();
        var wild = new DeviceSpan<int>(new CUdeviceptr(0x40), 4);

        Assert.That(() => wild.ToArray(stream), Throws.TypeOf<CudaException>()
            .With.Message.Contains("cuMemcpyDtoHAsync_v2").And.Message.Contains("0x40").And.Message.Contains("16 bytes")
            .And.Message.Contains("CUDA_ERROR_INVALID_VALUE").And.Message.Contains("device 0"));
    }
}
