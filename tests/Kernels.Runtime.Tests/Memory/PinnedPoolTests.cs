namespace Kernels.Runtime.Tests.Memory;

[RequiresDevice]
public sealed class PinnedPoolTests
{
    [Test]
    public unsafe void A_buffer_whose_copies_are_done_is_given_out_again_and_trim_releases_it()
    {
        Device device = TestDevice.Device;
        using Stream stream = device.CreateStream();
        using var pool = new PinnedPool(device);
        using DeviceBuffer<int> target = device.Allocate<int>(2000);
        nint first;
        using (PinnedBuffer<int> buffer = pool.Allocate<int>(2000, stream))
        {
            first = (nint)buffer.Pointer;
            buffer.Span.Fill(3);
            target.Span.CopyFrom(buffer, stream);
        }

        stream.Synchronize();
        using (PinnedBuffer<int> again = pool.Allocate<int>(1500, stream))
        {
            Assert.That((nint)again.Pointer, Is.EqualTo(first), "2,000 and 1,500 integers are both of the class of 8 KiB");
            Assert.That((again.Length, pool.BytesInUse, pool.BytesReserved), Is.EqualTo((1500L, 8192L, 8192L)));
        }

        Assert.That(target.Span.ToArray(stream), Is.All.EqualTo(3));
        Assert.That(pool.Trim(), Is.EqualTo(8192));
        Assert.That(pool.BytesReserved, Is.Zero);
    }

    [Test]
    public void A_buffer_may_outlive_its_pool()
    {
        using Stream stream = TestDevice.Device.CreateStream();
        var pool = new PinnedPool(TestDevice.Device);
        PinnedBuffer<byte> buffer = pool.Allocate<byte>(10, stream);
        pool.Dispose();
        buffer.Span.Fill(1);
        buffer.Dispose();

        Assert.That(pool.BytesReserved, Is.Zero);
    }

    [Test]
    public void A_stream_of_the_same_context_through_another_device_object_is_taken()
    {
        using Device same = Device.FromContext(TestDevice.Device.ContextHandle);
        using Stream stream = same.CreateStream();
        using var pinned = new PinnedPool(TestDevice.Device);
        using var pool = new DevicePool(TestDevice.Device);

        Assert.That(() => pinned.Allocate<int>(1, stream).Dispose(), Throws.Nothing);
        Assert.That(() => pool.Allocate<int>(1, stream).Dispose(), Throws.Nothing);
    }
}
