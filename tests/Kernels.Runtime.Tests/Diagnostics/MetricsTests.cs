using System.Collections.Concurrent;
using System.Diagnostics.Metrics;

namespace Kernels.Runtime.Tests.Diagnostics;

[RequiresDevice]
[RequiresNvrtc]
[NonParallelizable]
public sealed class MetricsTests
{
    [Test]
    public void A_listener_sees_launches_compilations_lookups_and_the_pools_bytes()
    {
        var sums = new ConcurrentDictionary<string, long>();
        using var listener = new MeterListener();
        listener.InstrumentPublished = (instrument, self) =>
        {
            if (instrument.Meter.Name == RuntimeMetrics.Name)
                self.EnableMeasurementEvents(instrument);
        };
        listener.SetMeasurementEventCallback<long>((instrument, value, _, _) => sums.AddOrUpdate(instrument.Name, value, (_, sum) => sum + value));
        listener.Start();
        using var folder = new TemporaryFolder();
        Device device = TestDevice.Device;
        using Stream stream = device.CreateStream();
        var compiler = new KernelCompiler(new KernelCompilerOptions { Cache = new KernelCache(folder.Path), ForcePtx = true });
        using KernelModule module = compiler.Load(device, TestKernels.Increment, null, "increment");
        using (KernelModule again = compiler.Load(device, TestKernels.Increment, null, "increment"))
        using (var pool = new DevicePool(device))
        {
            using DeviceBuffer<int> values = pool.Allocate<int>(32, stream);
            Assert.That((sums["kernels.pool.in_use"], sums["kernels.pool.reserved"]), Is.EqualTo((512L, 2L << 20)));
            again.GetKernel().Launch(stream, new LaunchConfig(1, 32), values.Span, 32, 1);
        }

        Assert.Multiple(() =>
        {
            Assert.That(sums["kernels.launches"], Is.EqualTo(1));
            Assert.That(sums["kernels.compilations"], Is.EqualTo(1));
            Assert.That((sums["kernels.cache.misses"], sums["kernels.cache.hits"]), Is.EqualTo((1L, 1L)));
            Assert.That((sums["kernels.pool.misses"], sums["kernels.pool.in_use"], sums["kernels.pool.reserved"]), Is.EqualTo((1L, 0L, 0L)));
        });
    }
}
