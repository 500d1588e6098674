namespace Kernels.Runtime.Tests.Memory;

/// <summary>What the pool promises, for each source it can take memory from.</summary>
[TestFixture("cuMemAlloc")]
[TestFixture("cuMemAllocAsync")]
[RequiresDevice]
public sealed class DevicePoolTests(string source)
{
    private const int KiB = 1024;
    private const int MiB = 1024 * KiB;

    private IDeviceMemorySource Source => source == "cuMemAlloc" ? SynchronousMemorySource.Instance : StreamOrderedMemorySource.Instance;

    [Test]
    public void Given_a_freed_block_then_the_same_stream_gets_it_again_without_growing()
    {
        using Stream stream = TestDevice.Device.CreateStream();
        using DevicePool pool = NewPool();
        ulong first;
        using (DeviceBuffer<byte> buffer = pool.Allocate<byte>(10 * KiB, stream))
            first = buffer.Pointer.Value;

        using DeviceBuffer<byte> again = pool.Allocate<byte>(10 * KiB, stream);

        Assert.That(again.Pointer.Value, Is.EqualTo(first));
        Assert.That((pool.Statistics.Misses, pool.Statistics.Hits, pool.Statistics.Segments), Is.EqualTo((1L, 1L, 1L)));
    }

    [Test]
    public void Given_a_block_freed_on_another_stream_that_is_done_then_it_is_taken_without_growing()
    {
        using Stream first = TestDevice.Device.CreateStream(), second = TestDevice.Device.CreateStream();
        using DevicePool pool = NewPool();
        pool.Allocate<byte>(4 * MiB, first).Dispose();
        first.Synchronize();

        using DeviceBuffer<byte> taken = pool.Allocate<byte>(4 * MiB, second);

        Assert.That((pool.Statistics.Misses, pool.Statistics.HitsFromOtherStreams, pool.Statistics.Waits), Is.EqualTo((1L, 1L, 0L)));
    }

    [Test]
    public void Blocks_are_split_and_merge_again_when_neighbours_are_freed_in_any_order()
    {
        using Stream stream = TestDevice.Device.CreateStream();
        using DevicePool pool = NewPool();
        DeviceBuffer<byte>[] quarters = [.. Enumerable.Range(0, 4).Select(_ => pool.Allocate<byte>(512 * KiB, stream))];
        Assert.That(pool.Statistics.Segments, Is.EqualTo(1), "four times 512 KiB are one segment of 2 MiB");
        Assert.That(pool.Statistics.LargestFree, Is.Zero);

        foreach (int i in (int[])[2, 0, 3, 1])
            quarters[i].Dispose();

        Assert.That((pool.Statistics.LargestFree, pool.Statistics.BytesInUse), Is.EqualTo((2L * MiB, 0L)));
    }

    [Test]
    public void Blocks_freed_on_different_streams_merge_before_the_pool_grows()
    {
        using Stream first = TestDevice.Device.CreateStream(), second = TestDevice.Device.CreateStream();
        using DevicePool pool = NewPool(new DevicePoolOptions { Limit = 20 * MiB });
        DeviceBuffer<byte> low = pool.Allocate<byte>(10 * MiB, first), high = pool.Allocate<byte>(10 * MiB, second);
        low.Dispose();
        high.Dispose();
        first.Synchronize();
        second.Synchronize();

        using DeviceBuffer<byte> whole = pool.Allocate<byte>(20 * MiB, second);

        Assert.That((pool.Statistics.Segments, pool.Statistics.MemoryShortages), Is.EqualTo((1L, 0L)));
    }

    [Test]
    public void Statistics_count_bytes_in_use_reserved_and_their_peaks()
    {
        using Stream stream = TestDevice.Device.CreateStream();
        using DevicePool pool = NewPool();
        DeviceBuffer<float> small = pool.Allocate<float>(1, stream), large = pool.Allocate<float>(MiB, stream);
        DevicePoolStatistics full = pool.Statistics;
        small.Dispose();
        large.Dispose();
        DevicePoolStatistics empty = pool.Statistics;

        Assert.Multiple(() =>
        {
            Assert.That((full.BytesInUse, full.BlocksInUse), Is.EqualTo((512L + 4 * MiB, 2L)));
            Assert.That(full.BytesReserved, Is.EqualTo(2L * MiB + 20 * MiB), "a small segment and one for requests of up to 10 MiB");
            Assert.That((empty.BytesInUse, empty.BlocksInUse, empty.BytesReserved), Is.EqualTo((0L, 0L, full.BytesReserved)));
            Assert.That((empty.PeakInUse, empty.PeakReserved), Is.EqualTo((full.BytesInUse, full.BytesReserved)));
        });
    }

    [Test]
    public void Trim_gives_free_segments_back_and_keeps_what_is_in_use()
    {
        using Stream stream = TestDevice.Device.CreateStream();
        using DevicePool pool = NewPool();
        using DeviceBuffer<byte> kept = pool.Allocate<byte>(100, stream);
        pool.Allocate<byte>(30 * MiB, stream).Dispose();
        pool.Allocate<byte>(50 * MiB, stream).Dispose();
        kept.Span.FillBytes(0x5a, stream);

        Assert.That(pool.Trim(keep: 40 * MiB), Is.EqualTo(50L * MiB), "the largest goes first, and then there are no more than 40 MiB");
        Assert.That(pool.Trim(), Is.EqualTo(30L * MiB));
        Assert.That(pool.Statistics.BytesReserved, Is.EqualTo(2L * MiB));
        Assert.That(kept.Span.ToArray(stream), Is.All.EqualTo(0x5a));
    }

    [Test]
    public void Given_a_limit_then_a_request_beyond_it_fails_with_the_figures()
    {
        using Stream stream = TestDevice.Device.CreateStream();
        using DevicePool pool = NewPool(new DevicePoolOptions { Limit = 64 * MiB });
        using DeviceBuffer<byte> held = pool.Allocate<byte>(40 * MiB, stream);

        CudaOutOfMemoryException error = Assert.Throws<CudaOutOfMemoryException>(() => pool.Allocate<byte>(30 * MiB, stream))!;

        Assert.Multiple(() =>
        {
            Assert.That((error.BytesRequested, error.BytesInUse, error.BytesReserved), Is.EqualTo((30L * MiB, 40L * MiB, 40L * MiB)));
            Assert.That(error.LargestFree, Is.Zero);
            Assert.That(error.Message, Does.Contain("31,457,280 bytes were asked for").And.Contain("41,943,040 are in use")
                .And.Contain("limit is 67,108,864").And.Contain("DevicePool.Allocate"));
        });
    }

    [Test]
    public void Given_free_memory_in_pieces_that_do_not_fit_then_they_are_released_to_make_room()
    {
        using Stream first = TestDevice.Device.CreateStream(), second = TestDevice.Device.CreateStream();
        using DevicePool pool = NewPool(new DevicePoolOptions { Limit = 64 * MiB });
        pool.Allocate<byte>(20 * MiB, first).Dispose();
        pool.Allocate<byte>(30 * MiB, second).Dispose();

        using DeviceBuffer<byte> large = pool.Allocate<byte>(60 * MiB, first);

        Assert.That((pool.Statistics.BytesReserved, pool.Statistics.MemoryShortages), Is.EqualTo((60L * MiB, 1L)));
    }

    [Test]
    public void When_everything_failed_the_program_is_asked_and_another_attempt_made()
    {
        using Stream stream = TestDevice.Device.CreateStream();
        DeviceBuffer<byte>? cache = null;
        int asked = 0;
        using DevicePool pool = NewPool(new DevicePoolOptions
        {
            Limit = 64 * MiB,
            OnShortage = (_, bytes) =>
            {
                asked++;
                Assert.That(bytes, Is.EqualTo(50L * MiB));
                cache!.Dispose();
                return asked == 1;
            },
        });
        cache = pool.Allocate<byte>(40 * MiB, stream);

        using DeviceBuffer<byte> served = pool.Allocate<byte>(50 * MiB, stream);

        Assert.That(asked, Is.EqualTo(1));
    }

    [Test]
    public void When_the_source_fails_the_error_carries_the_figures_and_the_pool_stays_usable()
    {
        bool failing = false;
        using Stream stream = TestDevice.Device.CreateStream();
        using var pool = new DevicePool(TestDevice.Device, new DevicePoolOptions { Source = new FailingMemorySource(Source, _ => failing) });
        using DeviceBuffer<byte> held = pool.Allocate<byte>(3 * MiB, stream);
        failing = true;

        Assert.That(() => pool.Allocate<byte>(40 * MiB, stream), Throws.TypeOf<CudaOutOfMemoryException>()
            .With.Property(nameof(CudaOutOfMemoryException.LargestFree)).EqualTo(17L * MiB));
        using DeviceBuffer<byte> fitting = pool.Allocate<byte>(17 * MiB, stream);
        failing = false;
        using DeviceBuffer<byte> more = pool.Allocate<byte>(40 * MiB, stream);

        Assert.That(pool.Statistics.BytesInUse, Is.EqualTo(60L * MiB));
    }

    [Test]
    public void Where_a_rounded_segment_does_not_fit_one_of_just_the_size_does()
    {
        using Stream stream = TestDevice.Device.CreateStream();
        using DevicePool pool = NewPool(new DevicePoolOptions { Limit = 5 * MiB });

        using DeviceBuffer<byte> buffer = pool.Allocate<byte>(4 * MiB, stream);

        Assert.That(pool.Statistics.BytesReserved, Is.EqualTo(4L * MiB));
    }

    [Test]
    public void Memory_of_a_stream_that_is_gone_serves_others()
    {
        using DevicePool pool = NewPool();
        Stream gone = TestDevice.Device.CreateStream();
        DeviceBuffer<byte> early = pool.Allocate<byte>(4 * MiB, gone), late = pool.Allocate<byte>(4 * MiB, gone);
        early.Span.Clear(gone);
        early.Dispose();
        gone.Dispose();
        late.Dispose();
        using Stream stream = TestDevice.Device.CreateStream();

        using DeviceBuffer<byte> first = pool.Allocate<byte>(4 * MiB, stream), second = pool.Allocate<byte>(4 * MiB, stream);

        Assert.That(pool.Statistics.Segments, Is.EqualTo(1));
    }

    [Test]
    public void A_captured_stream_is_refused()
    {
        using Stream stream = TestDevice.Device.CreateStream();
        using DevicePool pool = NewPool();

        Assert.That(() => Graph.Capture(stream, s => pool.Allocate<int>(1, s)),
            Throws.InvalidOperationException.With.Message.Contains("before the capture"));
        using DeviceBuffer<int> after = pool.Allocate<int>(1, stream);
    }

    [Test]
    public void Nothing_is_an_empty_buffer_and_a_foreign_stream_is_refused()
    {
        using Stream stream = TestDevice.Device.CreateStream();
        using DevicePool pool = NewPool();
        using DeviceBuffer<int> empty = pool.Allocate<int>(0, stream);

        Assert.That((empty.Length, empty.Pointer.Value, pool.Statistics.BytesReserved), Is.EqualTo((0L, 0UL, 0L)));
        Assert.That(() => pool.Allocate<int>(-1, stream), Throws.TypeOf<ArgumentOutOfRangeException>());
    }

    private DevicePool NewPool(DevicePoolOptions? options = null) =>
        new(TestDevice.Device, (options ?? new DevicePoolOptions()) with { Source = Source });
}
