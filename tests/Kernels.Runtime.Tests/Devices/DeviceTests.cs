using Kernels.Native;

namespace Kernels.Runtime.Tests.Devices;

[RequiresDevice]
public sealed class DeviceTests
{
    [Test]
    public void The_executor_is_named() => TestContext.Out.WriteLine(TestDevice.Executor);

    [Test]
    public void Properties_are_those_of_a_device_that_runs_the_kernels()
    {
        DeviceProperties properties = TestDevice.Device.Properties;
        TestContext.Out.WriteLine(properties);

        Assert.Multiple(() =>
        {
            Assert.That(properties.Name, Is.Not.Empty);
            Assert.That(properties.Uuid, Does.Match("^GPU-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"));
            Assert.That(properties.ComputeCapability, Is.GreaterThanOrEqualTo(ComputeCapability.Ampere));
            Assert.That(properties.WarpSize, Is.EqualTo(32));
            Assert.That(properties.MaxThreadsPerBlock, Is.EqualTo(1024));
            Assert.That(properties.MultiprocessorCount, Is.Positive);
            Assert.That(properties.TotalMemory, Is.Positive);
            Assert.That(properties.SharedMemoryPerBlockOptin, Is.GreaterThanOrEqualTo(properties.SharedMemoryPerBlock));
        });
    }

    [Test]
    public void An_ordinal_beyond_the_count_is_refused_with_the_count() => Assert.That(
        () => Device.Open(Device.Count),
        Throws.TypeOf<ArgumentOutOfRangeException>().With.Message.Contains($"reports {Device.Count}"));

    [Test]
    public void Opened_twice_both_have_the_same_context_and_one_outlives_the_other()
    {
        Device first = Device.Open(), second = Device.Open();
        Assert.That(first.ContextHandle, Is.EqualTo(second.ContextHandle));

        first.Dispose();
        first.Dispose();

        Assert.That(() => first.Allocate<int>(1), Throws.TypeOf<ObjectDisposedException>());
        using (DeviceBuffer<int> buffer = second.Allocate<int>(1))
            Assert.That(buffer.Pointer.Value, Is.Not.Zero);
        second.Dispose();
    }

    [Test]
    public unsafe void Inside_a_foreign_context_work_runs_there_and_the_context_stays()
    {
        TestDevice.Device.MakeCurrent();
        CUcontext foreign, current;
        Assert.That(Driver.cuCtxCreate_v2(&foreign, 0, TestDevice.Device.Handle), Is.EqualTo(CUresult.CUDA_SUCCESS));
        try
        {
            int[] values = [1, 2, 3];
            using (Device device = Device.FromContext(foreign))
            {
                using Stream stream = device.CreateStream();
                using DeviceBuffer<int> buffer = device.Allocate<int>(values, stream);
                Assert.That(Driver.cuCtxGetCurrent(&current), Is.EqualTo(CUresult.CUDA_SUCCESS));
                Assert.That(current, Is.EqualTo(foreign));
                Assert.That(device.Ordinal, Is.EqualTo(TestDevice.Device.Ordinal));
                Assert.That(buffer.Span.ToArray(stream), Is.EqualTo(values));

                // Foreign code changes the context behind our back; the device's calls must still go to theirs.
                Assert.That(Driver.cuCtxSetCurrent(TestDevice.Device.ContextHandle), Is.EqualTo(CUresult.CUDA_SUCCESS));
                Assert.That(buffer.Span.ToArray(stream), Is.EqualTo(values));
            }

            uint version;
            Assert.That(Driver.cuCtxGetApiVersion(foreign, &version), Is.EqualTo(CUresult.CUDA_SUCCESS), "the context must still be there");
        }
        finally
        {
            _ = Driver.cuCtxDestroy_v2(foreign);
            Device.ForgetCurrentContext();
        }
    }

    [Test]
    public void A_thread_that_never_saw_the_device_can_use_it()
    {
        Device device = TestDevice.Device;
        int[] read = [];
        var thread = new Thread(() =>
        {
            using Stream stream = device.CreateStream();
            using DeviceBuffer<int> buffer = device.Allocate<int>([4, 5], stream);
            read = buffer.Span.ToArray(stream);
        });
        thread.Start();
        thread.Join();

        Assert.That(read, Is.EqualTo((int[])[4, 5]));
    }

    [Test]
    public void Free_memory_falls_by_what_is_allocated_and_comes_back()
    {
        const long Bytes = 64 << 20;
        Device device = TestDevice.Device;
        (long before, long total) = device.GetMemoryInfo();
        long during;
        using (device.Allocate<byte>(Bytes))
            during = device.GetMemoryInfo().Free;

        Assert.That(total, Is.EqualTo(device.Properties.TotalMemory));
        Assert.That(during, Is.LessThanOrEqualTo(before - Bytes));
        Assert.That(device.GetMemoryInfo().Free, Is.EqualTo(before));
    }
}
