using System.Runtime.InteropServices;
using Kernels.Native;

namespace Kernels.Runtime.Tests.Memory;

/// <summary>Memory whose last use is not done yet, held up by a host function on the stream.</summary>
[RequiresDevice]
[NonParallelizable]
public sealed unsafe class DevicePoolOrderTests
{
    private const long MiB = 1 << 20;

    private static readonly ManualResetEventSlim Gate = new();
    private static int _launchingThread;
    private static volatile bool _ranAtTheCall;

    [Test]
    public void A_block_that_another_stream_still_uses_is_given_out_and_the_new_user_made_to_wait()
    {
        Device device = TestDevice.Device;
        using Stream busy = device.CreateStream(), next = device.CreateStream();
        using var pool = new DevicePool(device, new DevicePoolOptions { Limit = 4 * MiB });
        DeviceBuffer<byte> first = pool.Allocate<byte>(4 * MiB, busy);
        HoldUp(busy);
        first.Span.FillBytes(1, busy);
        first.Dispose();

        using DeviceBuffer<byte> second = pool.Allocate<byte>(4 * MiB, next);
        second.Span.FillBytes(2, next);
        bool waited = !next.IsCompleted;
        Gate.Set();

        Assert.That(second.Span.ToArray(next), Is.All.EqualTo(2), "the fill with 1 must come before that with 2");
        Assert.That((waited, pool.Statistics.Waits), Is.EqualTo((true, 1L)));
    }

    [Test]
    public void A_block_used_on_a_second_stream_is_finished_only_when_that_is_done()
    {
        Device device = TestDevice.Device;
        using Stream owner = device.CreateStream(), reader = device.CreateStream(), next = device.CreateStream();
        using var pool = new DevicePool(device, new DevicePoolOptions { Limit = 4 * MiB });
        using PinnedBuffer<byte> read = device.AllocatePinned<byte>(4 * MiB);
        DeviceBuffer<byte> shared = pool.Allocate<byte>(4 * MiB, owner);
        shared.Span.FillBytes(1, owner);
        reader.Wait(owner);
        HoldUp(reader);
        shared.UsedOn(reader);
        shared.Span.CopyTo(read, reader);
        shared.Dispose();

        using DeviceBuffer<byte> second = pool.Allocate<byte>(4 * MiB, next);
        second.Span.FillBytes(2, next);
        Gate.Set();
        next.Synchronize();
        reader.Synchronize();

        Assert.That(read.Span.ToArray(), Is.All.EqualTo(1), "the copy must not see what the next user wrote");
    }

    private static IEnumerable<IDeviceMemorySource> Sources => [SynchronousMemorySource.Instance, StreamOrderedMemorySource.Instance];

    [TestCaseSource(nameof(Sources))]
    public void The_rest_of_a_new_segment_goes_to_another_stream_only_in_order_of_the_one_it_was_allocated_on(IDeviceMemorySource source)
    {
        Device device = TestDevice.Device;
        using Stream held = device.CreateStream(), other = device.CreateStream();
        using var pool = new DevicePool(device, new DevicePoolOptions { Source = source });
        HoldUp(held);

        using DeviceBuffer<byte> first = pool.Allocate<byte>(4096, held);
        using DeviceBuffer<byte> second = pool.Allocate<byte>(4096, other);
        DevicePoolStatistics statistics = pool.Statistics;
        second.Span.FillBytes(2, other);
        bool waits = !other.IsCompleted;
        Gate.Set();

        Assert.That(second.Span.ToArray(other), Is.All.EqualTo(2));
        Assert.That((statistics.Segments, statistics.HitsFromOtherStreams, statistics.Waits, waits), Is.EqualTo((1L, 0L, 1L, true)));
    }

    /// <summary>Blocks the stream until the gate opens. Drivers that run host functions at the call cannot be held up.</summary>
    private static void HoldUp(Stream stream)
    {
        Gate.Reset();
        _ranAtTheCall = false;
        _launchingThread = Environment.CurrentManagedThreadId;
        Assert.That(Driver.cuLaunchHostFunc(stream.Handle, &WaitForGate, null), Is.EqualTo(CUresult.CUDA_SUCCESS));
        if (!_ranAtTheCall)
            return;
        if (Environment.GetEnvironmentVariable("KERNELS_SIM_ASYNC") == "1")
            Assert.Fail("KERNELS_SIM_ASYNC=1 asks for a thread for each stream, and the driver ran a host function at the call.");
        Assert.Ignore("This driver runs work at the call, so that nothing is ever under way.");
    }

    [UnmanagedCallersOnly]
    private static void WaitForGate(void* data)
    {
        if (Environment.CurrentManagedThreadId == _launchingThread)
            _ranAtTheCall = true;
        else
            Gate.Wait();
    }

    [Test]
    public void Page_locked_memory_is_not_given_out_again_before_the_copy_from_it_even_where_the_stream_is_gone()
    {
        Device device = TestDevice.Device;
        Stream held = device.CreateStream();
        using Stream other = device.CreateStream();
        using var pool = new PinnedPool(device);
        using DeviceBuffer<int> target = device.Allocate<int>(16);
        PinnedBuffer<int> first = pool.Allocate<int>(16, held);
        first.Span.Fill(7);
        HoldUp(held);
        target.Span.CopyFrom(first, held);
        using Event copied = device.CreateEvent();
        copied.Record(held);
        held.Dispose();
        first.Dispose();

        using PinnedBuffer<int> second = pool.Allocate<int>(16, other);
        second.Span.Fill(9);
        Gate.Set();
        copied.Synchronize();

        Assert.That(target.Span.ToArray(other), Is.All.EqualTo(7));
    }

    [Test]
    public void A_reader_does_not_wait_for_the_owner_of_a_buffer_that_was_given_back()
    {
        Device device = TestDevice.Device;
        using Stream owner = device.CreateStream(), reader = device.CreateStream();
        using var pool = new DevicePool(device);
        DeviceBuffer<byte> shared = pool.Allocate<byte>(4096, owner);
        shared.UsedOn(reader);
        HoldUp(owner);
        shared.Dispose();

        reader.Synchronize(); // would not return if it waited
        bool done = reader.IsCompleted && !owner.IsCompleted;
        Gate.Set();

        Assert.That(done);
    }
}
