using Kernels.Native;

namespace Kernels.Runtime.Tests.Devices;

[RequiresDevice]
public sealed class StreamTests
{
    [Test]
    public void Ids_differ_even_where_a_handle_comes_again()
    {
        Device device = TestDevice.Device;
        var ids = new HashSet<ulong>();
        for (int i = 0; i < 16; i++)
        {
            using Stream stream = device.CreateStream();
            Assert.That(ids.Add(stream.Id), $"id {stream.Id} came twice");
        }
    }

    [Test]
    public void A_borrowed_stream_is_not_destroyed()
    {
        Device device = TestDevice.Device;
        using Stream owner = device.CreateStream();
        using (Stream borrowed = Stream.FromHandle(device, owner.Handle))
            Assert.That((borrowed.Handle, borrowed.Id), Is.EqualTo((owner.Handle, owner.Id)));

        Assert.That(owner.Synchronize, Throws.Nothing);
    }

    [Test]
    public void Work_of_a_stream_that_waits_sees_what_the_other_did()
    {
        Device device = TestDevice.Device;
        using Stream first = device.CreateStream();
        using Stream second = device.CreateStream();
        using DeviceBuffer<uint> buffer = device.Allocate<uint>(1 << 20);
        using DeviceBuffer<uint> copy = device.Allocate<uint>(1 << 20);

        buffer.Span.Fill(1, first);
        buffer.Span.Fill(0xdeadbeef, first);
        second.Wait(first);
        copy.Span.CopyFrom(buffer.Span, second);

        Assert.That(copy.Span.ToArray(second), Is.All.EqualTo(0xdeadbeef));
    }

    [Test]
    public void After_synchronising_all_work_is_completed()
    {
        using Stream stream = TestDevice.Device.CreateStream();
        using DeviceBuffer<byte> buffer = TestDevice.Device.Allocate<byte>(4096);
        buffer.Span.Clear(stream);

        stream.Synchronize();

        Assert.That(stream.IsCompleted);
        Assert.That(stream.IsCapturing, Is.False);
    }

    [Test]
    public void A_disposed_stream_is_refused_before_the_driver_sees_it()
    {
        Stream stream = TestDevice.Device.CreateStream();
        using DeviceBuffer<byte> buffer = TestDevice.Device.Allocate<byte>(16);
        stream.Dispose();

        Assert.That(() => buffer.Span.Clear(stream), Throws.TypeOf<ObjectDisposedException>());
        Assert.That(stream.Synchronize, Throws.TypeOf<ObjectDisposedException>());
    }

    [Test]
    public void The_default_stream_is_handle_0_and_works()
    {
        Device device = TestDevice.Device;
        using DeviceBuffer<int> buffer = device.Allocate<int>([1, 2, 3], device.DefaultStream);

        Assert.That(device.DefaultStream.Handle, Is.EqualTo(default(CUstream)));
        Assert.That(buffer.Span.ToArray(device.DefaultStream), Is.EqualTo((int[])[1, 2, 3]));
    }

    [Test]
    public void A_disposed_event_or_stream_is_refused_where_it_is_an_argument()
    {
        using Stream stream = TestDevice.Device.CreateStream();
        Event @event = TestDevice.Device.CreateEvent();
        Stream gone = TestDevice.Device.CreateStream();
        @event.Dispose();
        gone.Dispose();

        Assert.That(() => stream.Wait(@event), Throws.TypeOf<ObjectDisposedException>());
        Assert.That(() => gone.Id, Throws.TypeOf<ObjectDisposedException>());
    }

    [Test]
    public void The_default_stream_is_one_for_all_threads_and_goes_with_its_device()
    {
        Device device = Device.Open();
        var seen = new Stream[8];
        using var start = new Barrier(seen.Length);
        Thread[] threads = [.. Enumerable.Range(0, seen.Length).Select(i => new Thread(() =>
        {
            start.SignalAndWait();
            seen[i] = device.DefaultStream;
        }))];
        foreach (Thread thread in threads)
            thread.Start();
        foreach (Thread thread in threads)
            thread.Join();
        device.Dispose();

        Assert.That(seen, Is.All.SameAs(seen[0]));
        Assert.That(seen[0].IsDisposed, "else it would hold the context");
    }
}
