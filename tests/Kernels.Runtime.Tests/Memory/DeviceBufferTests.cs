namespace Kernels.Runtime.Tests.Memory;

[RequiresDevice]
public sealed class DeviceBufferTests
{
    [Test]
    public void More_memory_than_there_is_fails_with_what_was_asked_for_and_what_is_free()
    {
        Device device = TestDevice.Device;
        long asked = device.Properties.TotalMemory + 1;

        CudaOutOfMemoryException error = Assert.Throws<CudaOutOfMemoryException>(() => device.Allocate<byte>(asked))!;

        Assert.That(error.BytesRequested, Is.EqualTo(asked));
        Assert.That(error.BytesInUse, Is.InRange(0, device.Properties.TotalMemory));
        Assert.That(error.Message, Does.Contain("cuMemAlloc_v2").And.Contain($"{asked:N0}").And.Contain("free"));
    }

    [Test]
    public void A_negative_length_and_one_beyond_64_bits_are_refused()
    {
        Assert.That(() => TestDevice.Device.Allocate<int>(-1), Throws.TypeOf<ArgumentOutOfRangeException>());
        Assert.That(() => TestDevice.Device.Allocate<int>(long.MaxValue), Throws.TypeOf<OverflowException>());
    }

    [Test]
    public void A_disposed_buffer_gives_no_pointer_and_disposes_again()
    {
        DeviceBuffer<int> buffer = TestDevice.Device.Allocate<int>(4);
        buffer.Dispose();
        buffer.Dispose();

        Assert.That(() => buffer.Pointer, Throws.TypeOf<ObjectDisposedException>());
        Assert.That(() => buffer.Span, Throws.TypeOf<ObjectDisposedException>());
    }

    [Test]
    public void Pinned_memory_is_seen_by_host_and_device()
    {
        Device device = TestDevice.Device;
        using Stream stream = device.CreateStream();
        using PinnedBuffer<int> pinned = device.AllocatePinned<int>(8);
        pinned.Span.Fill(5);

        Assert.That(pinned.DeviceSpan.Length, Is.EqualTo(8));
        pinned.DeviceSpan.Slice(2, 2).Fill(6, stream);
        stream.Synchronize();

        Assert.That(pinned.Span.ToArray(), Is.EqualTo((int[])[5, 5, 6, 6, 5, 5, 5, 5]));
        Assert.That(pinned.AsSpan(1, 3).ToArray(), Is.EqualTo((int[])[5, 6, 6]));
        Assert.That(() => pinned.AsSpan(6, 3).Length, Throws.TypeOf<ArgumentOutOfRangeException>());
    }
}
