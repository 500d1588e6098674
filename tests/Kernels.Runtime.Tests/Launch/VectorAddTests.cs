namespace Kernels.Runtime.Tests.Launch;

[RequiresDevice]
[RequiresNvrtc]
public sealed class VectorAddTests
{
    [Test]
    public void A_kernel_compiled_at_run_time_adds_two_vectors_of_1000_elements()
    {
        Device device = TestDevice.Device;
        using Stream stream = device.CreateStream();
        using KernelModule module = TestDevice.Compiler.Load(device, TestKernels.VectorAdd, null, "vector_add");
        Kernel kernel = module.GetKernel("vector_add");
        float[] a = [.. Enumerable.Range(0, 1000).Select(i => i * 0.5f)];
        float[] b = [.. Enumerable.Range(0, 1000).Select(i => 1000f - i)];
        using DeviceBuffer<float> deviceA = device.Allocate<float>(a, stream);
        using DeviceBuffer<float> deviceB = device.Allocate<float>(b, stream);
        using DeviceBuffer<float> sum = device.Allocate<float>(a.Length);

        kernel.Launch(stream, LaunchConfig.Cover(a.Length, 128), deviceA.Span, deviceB.Span, sum.Span, a.Length);

        Assert.That(sum.Span.ToArray(stream), Is.EqualTo(a.Zip(b, (x, y) => x + y)));
    }
}
