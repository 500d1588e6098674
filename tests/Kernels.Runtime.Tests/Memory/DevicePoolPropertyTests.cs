using CsCheck;

namespace Kernels.Runtime.Tests.Memory;

/// <summary>Random programs of allocations and frees on three streams.</summary>
[RequiresDevice]
public sealed class DevicePoolPropertyTests
{
    private const long Limit = 96L << 20;

    /// <summary>What a step does: allocates so many bytes on a stream, or frees the n-th live buffer.</summary>
    private static readonly Gen<(bool Free, int Which, long Bytes, int Stream)[]> Programs = Gen.Select(
        Gen.Bool, Gen.Int[0, 1000], Gen.OneOf(Gen.Long[1, 4096], Gen.Long[1, 1 << 20], Gen.Long[1, 24 << 20]), Gen.Int[0, 2]).Array[1, 60];

    [Test]
    public void Live_buffers_never_overlap_keep_their_bytes_and_the_figures_add_up() => Programs.Sample(program =>
    {
        Device device = TestDevice.Device;
        using var pool = new DevicePool(device, new DevicePoolOptions { Limit = Limit });
        Stream[] streams = [device.CreateStream(), device.CreateStream(), device.CreateStream()];
        var live = new List<(DeviceBuffer<byte> Buffer, byte Mark, Stream Stream)>();
        byte mark = 0;
        foreach ((bool free, int which, long bytes, int stream) in program)
        {
            if (free && live.Count > 0)
            {
                (DeviceBuffer<byte> buffer, byte expected, Stream owner) = live[which % live.Count];
                CheckEnds(buffer, expected, owner);
                buffer.Dispose();
                live.RemoveAt(which % live.Count);
                continue;
            }

            DeviceBuffer<byte> allocated;
            try
            {
                allocated = pool.Allocate<byte>(bytes, streams[stream]);
            }
            catch (CudaOutOfMemoryException)
            {
                continue; // the limit is meant to be met now and then
            }

            allocated.Slice(0, Math.Min(bytes, 64)).FillBytes(++mark, streams[stream]);
            allocated.Slice(bytes - 1, 1).FillBytes(mark, streams[stream]);
            live.Add((allocated, mark, streams[stream]));
            CheckFigures(pool, live);
        }

        foreach ((DeviceBuffer<byte> buffer, byte expected, Stream owner) in live)
        {
            CheckEnds(buffer, expected, owner);
            buffer.Dispose();
        }

        Assert.That(pool.Statistics.BytesInUse, Is.Zero);
        pool.Trim();
        Assert.That((pool.Statistics.BytesReserved, pool.Statistics.Segments), Is.EqualTo((0L, 0L)));
        foreach (Stream stream in streams)
            stream.Dispose();
    }, iter: 150, threads: 1);

    private static void CheckEnds(DeviceBuffer<byte> buffer, byte mark, Stream stream)
    {
        Assert.That(buffer.Slice(0, Math.Min(buffer.Length, 64)).ToArray(stream), Is.All.EqualTo(mark));
        Assert.That(buffer.Slice(buffer.Length - 1, 1).ToArray(stream)[0], Is.EqualTo(mark));
    }

    private static void CheckFigures(DevicePool pool, List<(DeviceBuffer<byte> Buffer, byte Mark, Stream Stream)> live)
    {
        ulong end = 0;
        foreach (DeviceBuffer<byte> buffer in live.Select(entry => entry.Buffer).OrderBy(buffer => buffer.Pointer.Value))
        {
            Assert.That(buffer.Pointer.Value, Is.GreaterThanOrEqualTo(end));
            Assert.That(buffer.Pointer.Value % 256, Is.Zero);
            end = buffer.Pointer.Value + (ulong)buffer.Length;
        }

        DevicePoolStatistics now = pool.Statistics;
        Assert.That(now.BytesInUse, Is.EqualTo(live.Sum(entry => (entry.Buffer.Length + 511) / 512 * 512)));
        Assert.That(now.BytesReserved, Is.InRange(now.BytesInUse, Limit));
        Assert.That(now.BlocksInUse, Is.EqualTo(live.Count));
        Assert.That(now.LargestFree, Is.LessThanOrEqualTo(now.BytesReserved - now.BytesInUse));
    }
}
