using Kernels.Native;

namespace Kernels.Runtime.Tests.Launch;

[RequiresDevice]
[RequiresNvrtc]
public sealed class LaunchErrorTests
{
    [Test]
    public void A_block_that_is_too_large_fails_naming_kernel_shape_and_limits()
    {
        using Stream stream = TestDevice.Device.CreateStream();
        using KernelModule module = Load();

        Assert.That(() => module.GetKernel().Launch(stream, new LaunchConfig(3, 2048), 0UL, 0, 0), Throws.TypeOf<CudaException>()
            .With.Property(nameof(CudaException.Call)).EqualTo("cuLaunchKernel")
            .And.Property(nameof(CudaException.Result)).EqualTo(CUresult.CUDA_ERROR_INVALID_VALUE)
            .And.Message.Contains("increment with grid (3, 1, 1), block (2048, 1, 1)").And.Message.Contains("1024 threads")
            .And.Message.Contains("on device 0").And.Message.Contains($"stream {stream.Handle}"));
        Assert.That(stream.Synchronize, Throws.Nothing, "such an error is not sticky");
    }

    [Test]
    public void Too_few_or_wrong_arguments_are_refused_before_the_launch()
    {
        if (DriverLibrary.Version < 12040)
            Assert.Ignore($"Drivers before 12.4 do not tell parameters; this is {DriverLibrary.Version}.");
        using Stream stream = TestDevice.Device.CreateStream();
        using KernelModule module = Load();
        Kernel kernel = module.GetKernel();

        Assert.That(() => kernel.Launch(stream, new LaunchConfig(1, 32), 0UL, 0),
            Throws.ArgumentException.With.Message.EqualTo("increment takes 3 arguments and was given 2."));
        Assert.That(() => kernel.Launch(stream, new LaunchConfig(1, 32), 0UL, 0L, 0),
            Throws.ArgumentException.With.Message.EqualTo("Argument 1 of increment has 8 bytes and its parameter has 4."));
    }

    [Test]
    public void Disposed_modules_and_streams_are_refused()
    {
        using Stream stream = TestDevice.Device.CreateStream();
        KernelModule module = Load();
        Kernel kernel = module.GetKernel();
        module.Dispose();
        module.Dispose();

        Assert.That(() => kernel.Launch(stream, new LaunchConfig(1, 32), 0UL, 0, 0), Throws.TypeOf<ObjectDisposedException>());
        Assert.That(() => module.GetKernel(), Throws.TypeOf<ObjectDisposedException>());
    }

    [Test]
    public void Code_that_the_driver_refuses_fails_with_its_log()
    {
        byte[] ptx = [.. ".version 8.4\n.target sm_80\n.address_size 64\n.visible .entry bad() { frobnicate.u32 %r1; ret; }\n\0"u8];
        var code = new CompiledKernel("bad.cu", CodeKind.Ptx, ComputeCapability.Ampere, ptx, new Dictionary<string, string>(), "", CodeOrigin.Pack, default);

        Assert.That(() => KernelModule.Load(TestDevice.Device, code), Throws.TypeOf<CudaException>()
            .With.Message.Contains("cuModuleLoadDataEx").And.Message.Contains("bad.cu").And.Message.Contains("frobnicate"));
    }

    /// <summary>In a process of its own: after it the context is lost.</summary>
    [Test]
    public void An_illegal_address_names_the_kernel_and_its_shape_and_every_later_call_fails()
    {
        ChildResult child = ChildProcess.Run(["illegal-address"]);

        Assert.That(child.ExitCode, Is.Zero, child.Output + child.Error);
        Assert.That((child["result"], child["sticky"]), Is.EqualTo(("CUDA_ERROR_ILLEGAL_ADDRESS", "True")));
        Assert.That(child["message"], Does.Contain("wild_store with grid (2, 1, 1), block (64, 1, 1)"));
        Assert.That(child["device"], Does.Contain("cuCtxSynchronize"));
        Assert.That(child["later"], Does.Contain("cuMemAlloc_v2").And.Contain("CUDA_ERROR_ILLEGAL_ADDRESS"));
    }

    private static KernelModule Load() => TestDevice.Compiler.Load(TestDevice.Device, TestKernels.Increment, null, "increment");
}
