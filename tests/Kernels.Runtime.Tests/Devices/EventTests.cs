namespace Kernels.Runtime.Tests.Devices;

[RequiresDevice]
public sealed class EventTests
{
    [Test]
    public void Time_between_two_events_is_not_negative()
    {
        Device device = TestDevice.Device;
        using Stream stream = device.CreateStream();
        using Event start = device.CreateEvent(timing: true), end = device.CreateEvent(timing: true);
        using DeviceBuffer<byte> buffer = device.Allocate<byte>(1 << 20);

        start.Record(stream);
        buffer.Span.Clear(stream);
        end.Record(stream);
        end.Synchronize();

        Assert.That(Event.ElapsedMilliseconds(start, end), Is.GreaterThanOrEqualTo(0f));
        Assert.That(start.IsCompleted && end.IsCompleted);
    }

    [Test]
    public void Time_of_events_without_timing_fails_naming_the_call()
    {
        Device device = TestDevice.Device;
        using Stream stream = device.CreateStream();
        using Event start = device.CreateEvent(), end = device.CreateEvent();
        start.Record(stream);
        end.Record(stream);
        end.Synchronize();

        Assert.That(() => Event.ElapsedMilliseconds(start, end),
            Throws.TypeOf<CudaException>().With.Message.Contains("cuEventElapsedTime").And.Message.Contains("CUDA_ERROR_INVALID_HANDLE"));
    }

    [Test]
    public void A_borrowed_event_is_not_destroyed()
    {
        Device device = TestDevice.Device;
        using Stream stream = device.CreateStream();
        using Event owner = device.CreateEvent();
        using (Event borrowed = Event.FromHandle(device, owner.Handle))
            borrowed.Record(stream);

        owner.Synchronize();
        Assert.That(owner.IsCompleted);
    }

    [Test]
    public void A_stream_waits_for_an_event_of_another()
    {
        Device device = TestDevice.Device;
        using Stream first = device.CreateStream(), second = device.CreateStream();
        using Event filled = device.CreateEvent();
        using DeviceBuffer<byte> buffer = device.Allocate<byte>(1 << 16);
        buffer.Span.FillBytes(3, first);
        filled.Record(first);
        second.Wait(filled);

        Assert.That(buffer.Span.ToArray(second), Is.All.EqualTo(3));
    }
}
