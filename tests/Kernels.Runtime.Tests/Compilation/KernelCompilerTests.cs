namespace Kernels.Runtime.Tests.Compilation;

[RequiresNvrtc]
public sealed class KernelCompilerTests
{
    [Test]
    [RequiresDevice]
    public void Name_expressions_find_template_instances_in_namespaces()
    {
        Device device = TestDevice.Device;
        using Stream stream = device.CreateStream();
        using KernelModule module = TestDevice.Compiler.Load(
            device, TestKernels.Templates, CompileOptions.Default.Define("OFFSET", 1), "ops::scale<float, 3>", "ops::scale<int, -2>");
        using DeviceBuffer<float> floats = device.Allocate<float>([1, 2.5f], stream);
        using DeviceBuffer<int> integers = device.Allocate<int>([1, 20], stream);

        module.GetKernel("ops::scale<float, 3>").Launch(stream, new LaunchConfig(1, 32), floats.Span, floats.Span, 2);
        module.GetKernel("ops::scale<int, -2>").Launch(stream, new LaunchConfig(1, 32), integers.Span, integers.Span, 2);

        Assert.That(floats.Span.ToArray(stream), Is.EqualTo((float[])[4, 8.5f]));
        Assert.That(integers.Span.ToArray(stream), Is.EqualTo((int[])[-1, -39]));
        Assert.That(() => module.GetKernel("ops::scale<int, 9>"), Throws.TypeOf<KeyNotFoundException>()
            .With.Message.Contains("ops::scale<int, 9>").And.Message.Contains("'ops::scale<float, 3>'"));
        Assert.That(() => module.GetKernel(), Throws.InvalidOperationException);
    }

    [Test]
    [RequiresDevice]
    public void A_global_is_found_by_its_name_expression()
    {
        using Stream stream = TestDevice.Device.CreateStream();
        using KernelModule module = TestDevice.Compiler.Load(TestDevice.Device, TestKernels.Templates, null, "ops::scale<int, 1>", "&ops::bias");

        Assert.That(module.GetGlobal("&ops::bias").Cast<int>().ToArray(stream), Is.EqualTo((int[])[7]));
        Assert.That(() => module.GetGlobal("nothing"), Throws.TypeOf<KeyNotFoundException>().With.Message.Contains("nothing"));
    }

    [Test]
    public void A_source_with_an_error_fails_with_the_log_the_options_and_the_name()
    {
        var source = new KernelSource("broken.cu", "extern \"C\" __global__ void broken(int* p)\n{\n  *p = undeclared;\n}\n");
        var definition = Define(source, "broken") with { Options = CompileOptions.Default.Define("WIDTH", 4) };

        KernelCompilationException error = Assert.Throws<KernelCompilationException>(
            () => NewCompiler().Compile(definition, ComputeCapability.Ampere, CodeKind.Ptx))!;

        Assert.Multiple(() =>
        {
            Assert.That(error.SourceName, Is.EqualTo("broken.cu"));
            Assert.That(error.Log, Does.Contain("broken.cu(3)").And.Contain("undeclared"));
            Assert.That(error.Options, Does.Contain("-DWIDTH=4").And.Contain("--gpu-architecture=compute_80"));
            Assert.That(error.Message, Does.Contain("NVRTC_ERROR_COMPILATION").And.Contain("undeclared").And.Contain("-DWIDTH=4"));
        });
    }

    [Test]
    public void An_entry_point_that_is_not_there_is_named()
    {
        Assert.That(() => NewCompiler().Compile(Define(TestKernels.Increment, "decrement"), ComputeCapability.Ampere, CodeKind.Ptx),
            Throws.TypeOf<KernelCompilationException>().With.Message.Contains("decrement"));
    }

    [Test]
    public void A_cubin_tells_registers_and_that_nothing_spills()
    {
        CompiledKernel cubin = NewCompiler().Compile(Define(TestKernels.VectorAdd, "vector_add"), ComputeCapability.Ampere, CodeKind.Cubin);

        KernelResources resources = cubin.Resources.Single();
        Assert.That((resources.LoweredName, resources.Architecture), Is.EqualTo(("vector_add", "sm_80")));
        Assert.That(resources.Registers, Is.InRange(4, 32));
        Assert.That((resources.SpillStoreBytes, resources.SpillLoadBytes, resources.StackBytes, resources.SharedBytes), Is.EqualTo((0, 0, 0, 0)));
        Assert.That(cubin.Image.Span[..4].ToArray(), Is.EqualTo("\u007fELF"u8.ToArray()));
    }

    [Test]
    public void Registers_that_are_too_few_show_as_spills()
    {
        var source = new KernelSource("crowded.cu", """
            extern "C" __global__ void crowded(float* p, int n)
            {
              float v[64];
              #pragma unroll
              for (int i = 0; i < 64; i++) v[i] = p[i * n + threadIdx.x];
              for (int step = 0; step < n; step++)
              {
                #pragma unroll
                for (int i = 0; i < 64; i++) v[i] = v[i] * v[(i + 1) & 63] + v[(i + 7) & 63];
              }
              #pragma unroll
              for (int i = 0; i < 64; i++) p[i * n + threadIdx.x] = v[i];
            }
            """);
        KernelDefinition definition = Define(source, "crowded") with { Options = CompileOptions.Default with { MaxRegisters = 24 } };

        KernelResources resources = NewCompiler().Compile(definition, ComputeCapability.Ampere, CodeKind.Cubin).Resources.Single();

        Assert.That(resources.Registers, Is.LessThanOrEqualTo(24));
        Assert.That(resources.SpillStoreBytes, Is.Positive);
        Assert.That(resources.SpillLoadBytes, Is.Positive);
    }

    [Test]
    public void Ptx_is_zero_terminated_text_for_the_architecture_with_line_information()
    {
        CompiledKernel ptx = NewCompiler().Compile(Define(TestKernels.VectorAdd, "vector_add"), ComputeCapability.Hopper, CodeKind.Ptx);
        string text = System.Text.Encoding.UTF8.GetString(ptx.Image.Span);

        Assert.That(text, Does.Contain(".target sm_90").And.Contain(".entry vector_add").And.EndsWith("\0"));
        Assert.That(text, Does.Match(@"\.file\s+1 ""vector_add\.cu""\s"), "no folder of the machine that compiled it");
        Assert.That(ptx.Resources, Is.Empty);
    }

    [Test]
    [RequiresDevice]
    public void A_kernel_for_newer_devices_is_refused_naming_both_capabilities()
    {
        KernelDefinition definition = Define(TestKernels.Increment, "increment") with { MinimumArchitecture = new ComputeCapability(99, 0) };

        Assert.That(() => TestDevice.Compiler.Load(TestDevice.Device, definition), Throws.TypeOf<NotSupportedException>()
            .With.Message.Contains("99.0").And.Message.Contains($"{TestDevice.Device.ComputeCapability}"));
    }

    [Test]
    [RequiresDevice]
    public void Ptx_is_loaded_where_it_is_asked_for()
    {
        var compiler = new KernelCompiler(new KernelCompilerOptions { ForcePtx = true });
        using KernelModule module = compiler.Load(TestDevice.Device, Define(TestKernels.Increment, "increment"));

        Assert.That(module.Code!.Kind, Is.EqualTo(CodeKind.Ptx));
        Assert.That(module.Code.Architecture, Is.LessThanOrEqualTo(TestDevice.Device.ComputeCapability));
    }

    [Test]
    [RequiresDevice]
    public void A_second_kernel_is_not_compiled_to_a_cubin_where_the_driver_refused_the_first()
    {
        var compiler = new KernelCompiler(new KernelCompilerOptions());
        using KernelModule first = compiler.Load(TestDevice.Device, Define(TestKernels.Increment, "increment"));
        long compilations = compiler.Compilations;
        using KernelModule second = compiler.Load(TestDevice.Device, Define(TestKernels.VectorAdd, "vector_add"));

        Assert.That(second.Code!.Kind, Is.EqualTo(first.Code!.Kind));
        Assert.That(compiler.Compilations - compilations, Is.EqualTo(1));
    }

    [Test]
    public void A_kernel_that_eight_threads_ask_for_is_compiled_once()
    {
        using var folder = new TemporaryFolder();
        var compiler = new KernelCompiler(new KernelCompilerOptions { Cache = new KernelCache(folder.Path) });
        KernelDefinition definition = Define(TestKernels.Increment, "increment");
        using var start = new Barrier(8);
        var images = new CompiledKernel[8];
        Thread[] threads = [.. Enumerable.Range(0, 8).Select(i => new Thread(() =>
        {
            start.SignalAndWait();
            images[i] = compiler.Compile(definition, ComputeCapability.Ampere, CodeKind.Ptx);
        }))];
        foreach (Thread thread in threads)
            thread.Start();
        foreach (Thread thread in threads)
            thread.Join();

        Assert.That(compiler.Compilations, Is.EqualTo(1));
        Assert.That(images.Select(code => Convert.ToHexString(code.Image.Span)).Distinct().Count(), Is.EqualTo(1));
    }

    internal static KernelDefinition Define(KernelSource source, params string[] entryPoints) =>
        new() { Name = $"testing/{source.Name}", Source = source, EntryPoints = [.. entryPoints] };

    private static KernelCompiler NewCompiler() => new(new KernelCompilerOptions());
}
