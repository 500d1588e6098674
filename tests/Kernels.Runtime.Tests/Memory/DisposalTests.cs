using System.Runtime.CompilerServices;

namespace Kernels.Runtime.Tests.Memory;

/// <summary>Disposal in any order, twice, and forgotten.</summary>
[RequiresDevice]
[NonParallelizable]
public sealed class DisposalTests
{
    [Test]
    public void The_device_may_go_before_what_lives_on_it()
    {
        Device device = Device.Open();
        Stream stream = device.CreateStream();
        DeviceBuffer<int> buffer = device.Allocate<int>([1, 2], stream);
        DevicePool pool = new(device);
        DeviceBuffer<int> pooled = pool.Allocate<int>(10, stream);
        Event @event = device.CreateEvent();

        device.Dispose();
        Assert.That(buffer.Span.ToArray(stream), Is.EqualTo((int[])[1, 2]), "what lives on it keeps the context");
        pool.Dispose();
        stream.Dispose();
        pooled.Dispose();
        buffer.Dispose();
        @event.Dispose();
        foreach (IDisposable twice in (IDisposable[])[device, pool, stream, pooled, buffer, @event])
            twice.Dispose();

        Assert.That(() => device.CreateStream(), Throws.TypeOf<ObjectDisposedException>());
    }

    [Test]
    public void A_buffer_may_outlive_its_pool_and_the_memory_goes_back_with_it()
    {
        Device device = TestDevice.Device;
        using Stream stream = device.CreateStream();
        device.Synchronize(); // the driver's own pool gives back what earlier tests freed in stream order
        long before = device.GetMemoryInfo().Free;
        var pool = new DevicePool(device);
        DeviceBuffer<byte> buffer = pool.Allocate<byte>(3 << 20, stream);
        pool.Dispose();

        buffer.Span.FillBytes(7, stream);
        Assert.That(buffer.Slice(0, 2).ToArray(stream), Is.EqualTo((byte[])[7, 7]));
        Assert.That(() => pool.Allocate<byte>(1, stream), Throws.TypeOf<ObjectDisposedException>());
        buffer.Dispose();

        Assert.That(device.GetMemoryInfo().Free, Is.EqualTo(before));
    }

    [Test]
    public void What_is_forgotten_is_released_at_the_next_synchronisation_and_counted()
    {
        Device device = TestDevice.Device;
        using Stream stream = device.CreateStream();
        long leaks = LeakTracking.Leaks, free = device.GetMemoryInfo().Free;

        Forget(device);
        GC.Collect();
        GC.WaitForPendingFinalizers();
        Assert.That(device.GetMemoryInfo().Free, Is.LessThan(free), "a finalizer must not call the driver");
        stream.Synchronize();

        Assert.That(device.GetMemoryInfo().Free, Is.EqualTo(free));
        Assert.That(LeakTracking.Leaks - leaks, Is.EqualTo(4));
        Assert.That(LeakTracking.LastLeak, Is.Not.Null);
    }

    [Test]
    public void Where_sites_are_kept_a_leak_names_the_method_that_made_it()
    {
        bool before = LeakTracking.CaptureSites;
        LeakTracking.CaptureSites = true;
        try
        {
            ForgetEvent(TestDevice.Device);
            GC.Collect();
            GC.WaitForPendingFinalizers();
            TestDevice.Device.Synchronize();

            Assert.That(LeakTracking.LastLeak, Does.StartWith("Event").And.Contain(nameof(ForgetEvent)));
        }
        finally
        {
            LeakTracking.CaptureSites = before;
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Forget(Device device)
    {
        _ = device.Allocate<byte>(1 << 20);
        _ = device.CreateEvent();
        Stream stream = device.CreateStream();
        _ = device.AllocatePinned<byte>(100);
        GC.KeepAlive(stream);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void ForgetEvent(Device device) => device.CreateEvent();
}
