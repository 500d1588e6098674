using Kernels.Native;
namespace Kernels.Runtime.Tests.Graphs;

[RequiresDevice]
[RequiresNvrtc]
public sealed class GraphTests
{
    [Test]
    public void A_captured_launch_runs_only_when_the_graph_is_launched_and_as_often()
    {
        Device device = TestDevice.Device;
        using Stream stream = device.CreateStream();
        using KernelModule module = TestDevice.Compiler.Load(device, TestKernels.Increment, null, "increment");
        Kernel increment = module.GetKernel();
        using DeviceBuffer<int> values = device.Allocate<int>(new int[100], stream);

        using Graph graph = Graph.Capture(stream, s =>
        {
            increment.Launch(s, LaunchConfig.Cover(100, 32), values.Span, 100, 2);
            increment.Launch(s, LaunchConfig.Cover(100, 32), values.Span, 50, 1);
        });
        Assert.That(values.Span.ToArray(stream), Is.All.Zero);
        Assert.That(graph.NodeCount, Is.EqualTo(2));
        using GraphExec exec = graph.Instantiate();
        for (int i = 0; i < 3; i++)
            exec.Launch(stream);

        Assert.That(values.Span.ToArray(stream), Is.EqualTo(Enumerable.Range(0, 100).Select(i => i < 50 ? 9 : 6)));
    }

    [Test]
    public void Work_that_throws_ends_the_capture_and_the_stream_works_on()
    {
        using Stream stream = TestDevice.Device.CreateStream();
        using DeviceBuffer<int> values = TestDevice.Device.Allocate<int>(4);

        Assert.That(() => Graph.Capture(stream, _ => throw new InvalidOperationException("mine")), Throws.InvalidOperationException.With.Message.EqualTo("mine"));

        Assert.That(stream.IsCapturing, Is.False);
        values.Span.Fill(8, stream);
        Assert.That(values.Span.ToArray(stream), Is.All.EqualTo(8));
    }

    [Test]
    public void Synchronising_a_captured_stream_fails_naming_call_and_error()
    {
        using Stream stream = TestDevice.Device.CreateStream();

        Assert.That(() => Graph.Capture(stream, s => s.Synchronize()), Throws.TypeOf<CudaException>()
            .With.Message.Contains("cuStreamSynchronize").And.Message.Contains("CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED"));
    }

    [Test]
    public void An_executable_graph_takes_over_other_parameters()
    {
        Device device = TestDevice.Device;
        using Stream stream = device.CreateStream();
        using KernelModule module = TestDevice.Compiler.Load(device, TestKernels.Increment, null, "increment");
        Kernel increment = module.GetKernel();
        using DeviceBuffer<int> values = device.Allocate<int>(new int[10], stream);
        using Graph by1 = Graph.Capture(stream, s => increment.Launch(s, new LaunchConfig(1, 32), values.Span, 10, 1));
        using Graph by5 = Graph.Capture(stream, s => increment.Launch(s, new LaunchConfig(1, 32), values.Span, 10, 5));
        using GraphExec exec = by1.Instantiate();

        Assert.That(exec.TryUpdate(by5));
        exec.Launch(stream);

        Assert.That(values.Span.ToArray(stream), Is.All.EqualTo(5));
    }

    [Test]
    public void A_disposed_graph_is_refused_as_an_update()
    {
        using Stream stream = TestDevice.Device.CreateStream();
        using DeviceBuffer<int> values = TestDevice.Device.Allocate<int>(4);
        using Graph graph = Graph.Capture(stream, s => values.Span.Fill(1, s));
        using GraphExec exec = graph.Instantiate();
        graph.Dispose();

        Assert.That(() => exec.TryUpdate(graph), Throws.TypeOf<ObjectDisposedException>());
    }

    [Test]
    public void Pooled_buffers_may_be_disposed_while_a_stream_is_captured()
    {
        Device device = TestDevice.Device;
        using Stream stream = device.CreateStream(), owner = device.CreateStream();
        using var pool = new DevicePool(device);
        using DeviceBuffer<int> values = device.Allocate<int>(4);
        DeviceBuffer<byte> pooled = pool.Allocate<byte>(100, owner);

        using Graph graph = Graph.Capture(stream, s =>
        {
            values.Span.Fill(1, s);
            pooled.UsedOn(s);
            pooled.Dispose();
            Assert.That(pool.Statistics.LargestFree, Is.LessThan(pool.Statistics.BytesReserved), "the captured use has no end yet");
        });

        Assert.That(graph.NodeCount, Is.EqualTo(1));
        Assert.That(pool.Trim(), Is.EqualTo(2 << 20));
    }

    [Test]
    public void Buffers_from_the_driver_may_be_disposed_while_a_stream_is_captured()
    {
        Device device = TestDevice.Device;
        using Stream stream = device.CreateStream();
        if (!AllowsFreeInRelaxedMode(device, stream))
            Assert.Ignore("This driver invalidates a capture at cuMemFree, although the thread is in relaxed mode, where CUDA allows the call.");
        using DeviceBuffer<int> values = device.Allocate<int>(4);
        DeviceBuffer<byte> direct = device.Allocate<byte>(100);
        using Graph graph = Graph.Capture(stream, s =>
        {
            values.Span.Fill(1, s);
            direct.Dispose();
        });
        Assert.That(graph.NodeCount, Is.EqualTo(1));
    }

    // The driver's own calls, without anything of the library between.
    private static unsafe bool AllowsFreeInRelaxedMode(Device device, Stream stream)
    {
        device.MakeCurrent();
        CUdeviceptr memory;
        Assert.That(Driver.cuMemAlloc_v2(&memory, 100), Is.EqualTo(CUresult.CUDA_SUCCESS));
        Assert.That(Driver.cuStreamBeginCapture_v2(stream.Handle, CUstreamCaptureMode.CU_STREAM_CAPTURE_MODE_THREAD_LOCAL), Is.EqualTo(CUresult.CUDA_SUCCESS));
        CUstreamCaptureMode mode = CUstreamCaptureMode.CU_STREAM_CAPTURE_MODE_RELAXED;
        _ = Driver.cuThreadExchangeStreamCaptureMode(&mode);
        _ = Driver.cuMemFree_v2(memory);
        _ = Driver.cuThreadExchangeStreamCaptureMode(&mode);
        CUgraph graph;
        CUresult result = Driver.cuStreamEndCapture(stream.Handle, &graph);
        if (graph.Value != 0)
            _ = Driver.cuGraphDestroy(graph);
        return result == CUresult.CUDA_SUCCESS;
    }
}
