using Kernels.Testing.Child;

namespace Kernels.Runtime.Tests.Compilation;

public sealed class KernelPackTests
{
    private static readonly KernelDefinition Increment = KernelCompilerTests.Define(TestKernels.Increment, "increment");
    private static readonly KernelDefinition Scale = KernelCompilerTests.Define(TestKernels.Templates, "ops::scale<float, 2>", "ops::scale<int, 2>");

    [Test]
    [RequiresNvrtc]
    public void A_pack_written_and_read_holds_every_kernel_of_the_catalog_and_is_the_same_file_again()
    {
        using var folder = new TemporaryFolder();
        NewPack(Scale, Increment).Write(folder["a.pack"]);
        KernelPack read = KernelPack.Read(folder["a.pack"]);
        read.Write(folder["b.pack"]);

        Assert.Multiple(() =>
        {
            Assert.That(read.Entries.Select(entry => entry.Name), Is.EqualTo((string[])[Increment.Name, Scale.Name]));
            Assert.That(read.Find(Scale)!.LoweredNames.Keys, Is.EquivalentTo(Scale.EntryPoints));
            Assert.That(read.Find(Increment)!.Architecture, Is.EqualTo(ComputeCapability.Ampere));
            Assert.That(File.ReadAllBytes(folder["b.pack"]), Is.EqualTo(File.ReadAllBytes(folder["a.pack"])));
            Assert.That(Directory.GetFiles(folder.Path), Has.Length.EqualTo(2), "no temporary file stays");
        });
    }

    [Test]
    [RequiresNvrtc]
    [RequiresDevice]
    public void Without_Nvrtc_a_kernel_runs_from_the_pack()
    {
        Device device = TestDevice.Device;
        using Stream stream = device.CreateStream();
        var compiler = new KernelCompiler(new KernelCompilerOptions { UseNvrtc = false, Pack = NewPack(Increment) });
        using KernelModule module = compiler.Load(device, Increment);
        using DeviceBuffer<int> values = device.Allocate<int>([1, 2], stream);

        module.GetKernel("increment").Launch(stream, new LaunchConfig(1, 32), values.Span, 2, 40);

        Assert.That(values.Span.ToArray(stream), Is.EqualTo((int[])[41, 42]));
        Assert.That((module.Code!.Origin, compiler.Compilations), Is.EqualTo((CodeOrigin.Pack, 0L)));
    }

    [Test]
    [RequiresNvrtc]
    [RequiresDevice]
    public void A_process_in_which_Nvrtc_is_hidden_runs_from_the_pack_that_the_environment_names()
    {
        using var folder = new TemporaryFolder();
        NewPack(VectorAdd.Definition).Write(folder["kernels.pack"]);

        ChildResult child = ChildProcess.Run(["add"], ("KERNELS_NVRTC", "none"), ("KERNELS_PACK", folder["kernels.pack"]));

        Assert.That((child["origin"], child["kind"], child["compilations"], child["sum"]), Is.EqualTo(("Pack", "Ptx", "0", "9900")));
    }

    [Test]
    [RequiresDevice]
    public void A_process_without_Nvrtc_and_without_the_kernel_says_what_to_do()
    {
        using var folder = new TemporaryFolder();
        new KernelPack([]).Write(folder["empty.pack"]);

        ChildResult child = ChildProcess.Run(["add"], ("KERNELS_NVRTC", "none"), ("KERNELS_PACK", folder["empty.pack"]));

        Assert.That(child.ExitCode, Is.EqualTo(3));
        Assert.That(child.Output, Does.Contain("testing/vector_add").And.Contain("does not have").And.Contain("./build.sh nvrtc")
            .And.Contain("KERNELS_NVRTC").And.Contain("NVRTC is hidden"));
    }

    [Test]
    [RequiresNvrtc]
    public void A_kernel_that_changed_is_not_found_and_told_stale()
    {
        KernelPack pack = NewPack(Increment, Scale);
        KernelDefinition changed = Increment with { Options = CompileOptions.Default.Define("X") };

        Assert.That(pack.Find(changed), Is.Null);
        Assert.That(pack.Compare([Increment, Scale]), Is.Empty);
        Assert.That(pack.Compare([changed, VectorAdd.Definition]), Is.EquivalentTo((PackDiscrepancy[])
        [
            new(Increment.Name, PackState.Stale), new(VectorAdd.Definition.Name, PackState.Missing), new(Scale.Name, PackState.Extra),
        ]));
    }

    [Test]
    public void A_pack_of_which_any_byte_changed_or_is_missing_is_refused_with_its_path()
    {
        using var folder = new TemporaryFolder();
        var code = new CompiledKernel("a.cu", CodeKind.Ptx, ComputeCapability.Ampere, [65, 0], new Dictionary<string, string> { ["a"] = "a" }, "", CodeOrigin.Compiler, default);
        new KernelPack([new PackEntry("a", new string('0', 64), code)]).Write(folder["whole.pack"]);
        byte[] bytes = File.ReadAllBytes(folder["whole.pack"]);
        Assert.That(KernelPack.Read(folder["whole.pack"]).Entries, Has.Count.EqualTo(1));

        for (int at = 0; at < bytes.Length; at++)
        {
            byte[] changed = [.. bytes];
            changed[at] ^= 0x10;
            File.WriteAllBytes(folder["bad.pack"], changed);
            Assert.That(() => KernelPack.Read(folder["bad.pack"]), Throws.TypeOf<InvalidDataException>().With.Message.Contains("bad.pack"));
        }

        File.WriteAllBytes(folder["bad.pack"], bytes[..^1]);
        Assert.That(() => KernelPack.Read(folder["bad.pack"]), Throws.TypeOf<InvalidDataException>());
    }

    [TestCase("bad.pack", "does not begin")]
    [TestCase("absent.pack", "is not there")]
    [RequiresNvrtc]
    [RequiresDevice]
    public void A_pack_that_cannot_be_used_matters_only_where_Nvrtc_is_not_and_is_then_named_with_reason_and_remedy(string pack, string reason)
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder["bad.pack"], new string('x', 100));

        ChildResult with = ChildProcess.Run(["add"], ("KERNELS_CACHE", folder["cache"]), ("KERNELS_PACK", folder[pack]));
        ChildResult without = ChildProcess.Run(["add"], ("KERNELS_NVRTC", "none"), ("KERNELS_PACK", folder[pack]));

        Assert.That((with.ExitCode, without.ExitCode), Is.EqualTo((0, 3)), with.Error + without.Error);
        Assert.That(without.Output, Does.Contain(folder[pack]).And.Contain(reason).And.Contain("./build.sh ptx-pack"));
    }

    [Test]
    public void Two_entries_of_one_name_are_refused()
    {
        var code = new CompiledKernel("a.cu", CodeKind.Ptx, ComputeCapability.Ampere, [0], new Dictionary<string, string>(), "", CodeOrigin.Compiler, default);

        Assert.That(() => new KernelPack([new("same", new string('0', 64), code), new("same", new string('1', 64), code)]),
            Throws.ArgumentException.With.Message.Contains("'same'"));
    }

    private static KernelPack NewPack(params KernelDefinition[] catalog) => KernelPack.Create(new KernelCompiler(new KernelCompilerOptions()), catalog);
}
