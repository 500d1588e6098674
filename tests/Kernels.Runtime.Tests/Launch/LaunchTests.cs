using System.Runtime.InteropServices;

namespace Kernels.Runtime.Tests.Launch;

[RequiresDevice]
[RequiresNvrtc]
[NonParallelizable]
public sealed class LaunchTests
{
    private static readonly KernelSource Sizes = new("sizes.cu", """
        struct Pair { long long a; char b; };
        extern "C" __global__ void sizes(long long* out, char c, short s, int i, long long l, float f, double d, Pair pair, const int* in)
        {
          if (threadIdx.x != 0) return;
          out[0] = c; out[1] = s; out[2] = i; out[3] = l; out[4] = f; out[5] = d; out[6] = pair.a; out[7] = pair.b; out[8] = in[1];
        }
        """);

    private static readonly KernelSource Shared = new("reverse.cu", """
        extern "C" __global__ void reverse(int* values, int n)
        {
          extern __shared__ int staged[];
          for (int i = threadIdx.x; i < n; i += blockDim.x) staged[i] = values[i];
          __syncthreads();
          for (int i = threadIdx.x; i < n; i += blockDim.x) values[i] = staged[n - 1 - i];
        }
        """);

    private static readonly KernelSource Grid = new("grid.cu", """
        extern "C" __global__ void grid(unsigned* arrived, unsigned* seen)
        {
          if (threadIdx.x != 0) return;
          atomicAdd(arrived, 1u);
          // Ends only where all blocks are resident at once.
          while (atomicAdd(arrived, 0u) < gridDim.x) { }
          seen[blockIdx.x] = *arrived;
        }
        """);

    [Test]
    public void Arguments_of_every_size_arrive()
    {
        Device device = TestDevice.Device;
        using Stream stream = device.CreateStream();
        using KernelModule module = TestDevice.Compiler.Load(device, Sizes, null, "sizes");
        using DeviceBuffer<long> result = device.Allocate<long>(9);
        using DeviceBuffer<int> input = device.Allocate<int>([5, 6], stream);
        var pair = new Pair { A = -1L << 40, B = 9 };
        long[] expected = [1, -2, 3, 1L << 50, 4, 5, pair.A, 9, 6];

        module.GetKernel().Launch(stream, new LaunchConfig(1, 32), result.Span, (sbyte)1, (short)-2, 3, 1L << 50, 4f, 5.0, pair, input.Pointer);
        Assert.That(result.Span.ToArray(stream), Is.EqualTo(expected));

        result.Span.Clear(stream);
        var arguments = new KernelArguments();
        arguments.Add(result.Span);
        arguments.Add((sbyte)1);
        arguments.Add((short)-2);
        arguments.Add(3);
        arguments.Add(1L << 50);
        arguments.Add(4f);
        arguments.Add(5.0);
        arguments.Add(pair);
        arguments.Add(input.Pointer);
        module.GetKernel().Launch(stream, new LaunchConfig(1, 32), arguments);
        Assert.That(result.Span.ToArray(stream), Is.EqualTo(expected));
    }

    [Test]
    public void A_launch_allocates_0_managed_bytes()
    {
        Device device = TestDevice.Device;
        using Stream stream = device.CreateStream();
        using KernelModule module = TestDevice.Compiler.Load(device, TestKernels.VectorAdd, null, "vector_add");
        Kernel kernel = module.GetKernel();
        using DeviceBuffer<float> a = device.Allocate<float>(64), b = device.Allocate<float>(64), sum = device.Allocate<float>(64);
        using Event @event = device.CreateEvent();
        a.Span.Clear(stream);
        b.Span.Clear(stream);
        using Graph graph = Graph.Capture(stream, s => kernel.Launch(s, LaunchConfig.Cover(64, 32), a.Span, b.Span, sum.Span, 64));
        using GraphExec exec = graph.Instantiate();
        Launch(); // types and tables that are made once

        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 100; i++)
            Launch();
        long allocated = GC.GetAllocatedBytesForCurrentThread() - before;

        Assert.That(allocated, Is.Zero);
        stream.Synchronize();

        void Launch()
        {
            kernel.Launch(stream, LaunchConfig.Cover(64, 32), a.Span, b.Span, sum.Span, 64);
            var arguments = new KernelArguments();
            arguments.Add(a.Span);
            arguments.Add(b.Span);
            arguments.Add(sum.Span);
            arguments.Add(64);
            kernel.Launch(stream, LaunchConfig.Cover(64, 32), arguments);
            exec.Launch(stream);
            sum.Span.Clear(stream);
            @event.Record(stream);
            stream.Wait(@event);
        }
    }

    [Test]
    public void Dynamic_shared_memory_above_48_KiB_is_there_after_opting_in()
    {
        Device device = TestDevice.Device;
        const int Count = 24 * 1024;
        using Stream stream = device.CreateStream();
        using KernelModule module = TestDevice.Compiler.Load(device, Shared, null, "reverse");
        Kernel kernel = module.GetKernel();
        using DeviceBuffer<int> values = device.Allocate<int>(Enumerable.Range(0, Count).ToArray(), stream);
        var config = new LaunchConfig(1, 256, Count * sizeof(int));

        Assert.That(() => kernel.Launch(stream, config, values.Span, Count), Throws.TypeOf<CudaException>()
            .With.Message.Contains("reverse").And.Message.Contains("dynamic shared memory 98304").And.Message.Contains("CUDA_ERROR_INVALID_VALUE"));
        kernel.MaxDynamicSharedBytes = Count * sizeof(int);
        kernel.Launch(stream, config, values.Span, Count);

        Assert.That(values.Span.ToArray(stream), Is.EqualTo(Enumerable.Range(0, Count).Reverse()));
        Assert.That(kernel.MaxDynamicSharedBytes, Is.EqualTo(Count * sizeof(int)));
        Assert.That(() => kernel.MaxDynamicSharedBytes = 1 << 20, Throws.TypeOf<CudaException>()
            .With.Message.Contains("1048576").And.Message.Contains($"{device.Properties.SharedMemoryPerBlockOptin}"));
    }

    [Test]
    public void Blocks_of_a_cooperative_launch_meet()
    {
        Device device = TestDevice.Device;
        if (!device.Properties.CooperativeLaunch)
            Assert.Ignore($"{device} has no cooperative launches.");
        using Stream stream = device.CreateStream();
        using KernelModule module = TestDevice.Compiler.Load(device, Grid, null, "grid");
        using DeviceBuffer<uint> arrived = device.Allocate<uint>([0], stream), seen = device.Allocate<uint>(8);

        module.GetKernel().Launch(stream, new LaunchConfig(8, 32, Cooperative: true), arrived.Span, seen.Span);

        Assert.That(seen.Span.ToArray(stream), Is.All.EqualTo(8));
    }

    [Test]
    public void A_kernel_tells_its_attributes_and_occupancy()
    {
        using KernelModule module = TestDevice.Compiler.Load(TestDevice.Device, TestKernels.VectorAdd, null, "vector_add");
        Kernel kernel = module.GetKernel();

        Assert.Multiple(() =>
        {
            Assert.That(kernel.Registers, Is.InRange(1, 255));
            Assert.That(kernel.MaxThreadsPerBlock, Is.InRange(32, 1024));
            Assert.That((kernel.StaticSharedBytes, kernel.LocalBytes), Is.EqualTo((0, 0)));
            Assert.That(kernel.GetResidentBlocks(256), Is.InRange(1, TestDevice.Device.Properties.MaxThreadsPerMultiprocessor / 256));
            Assert.That(kernel.SuggestLaunch().Block, Is.InRange(32, 1024));
            Assert.That(kernel.ParameterSizes?.ToArray(), Is.Null.Or.EqualTo((uint[])[8, 8, 8, 4]));
        });
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct Pair
    {
        public long A;
        public sbyte B;
    }
}
