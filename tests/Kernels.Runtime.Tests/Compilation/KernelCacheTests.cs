using CsCheck;

namespace Kernels.Runtime.Tests.Compilation;

public sealed class KernelCacheTests
{
    private static readonly KernelSource WithHeader = new("cached.cu", """
        #include "value.cuh"
        extern "C" __global__ void cached(int* p) { *p = VALUE; }
        """, [new("value.cuh", "#define VALUE 1\n")]);

    private static KernelDefinition Definition => KernelCompilerTests.Define(WithHeader, "cached");

    [Test]
    [RequiresNvrtc]
    public void A_second_compilation_hits_the_cache_and_gives_the_same_code_names_and_log()
    {
        using var folder = new TemporaryFolder();
        (KernelCompiler first, KernelCompiler second) = (NewCompiler(folder), NewCompiler(folder));

        CompiledKernel compiled = first.Compile(Definition, ComputeCapability.Ampere, CodeKind.Cubin);
        CompiledKernel cached = second.Compile(Definition, ComputeCapability.Ampere, CodeKind.Cubin);

        Assert.Multiple(() =>
        {
            Assert.That((compiled.Origin, cached.Origin), Is.EqualTo((CodeOrigin.Compiler, CodeOrigin.Cache)));
            Assert.That((first.Compilations, second.Compilations), Is.EqualTo((1L, 0L)));
            Assert.That(second.Options.Cache!.Statistics, Is.EqualTo(new KernelCacheStatistics(Hits: 1, Misses: 0, Damaged: 0, Writes: 0, FailedWrites: 0)));
            Assert.That(cached.Image.ToArray(), Is.EqualTo(compiled.Image.ToArray()));
            Assert.That(cached.LoweredNames, Is.EquivalentTo(compiled.LoweredNames));
            Assert.That(cached.Resources, Is.EqualTo(compiled.Resources));
        });
    }

    [Test]
    [RequiresNvrtc]
    public void Whatever_the_code_depends_on_changes_the_entry()
    {
        using var folder = new TemporaryFolder();
        KernelCompiler compiler = NewCompiler(folder);
        var otherHeader = new KernelSource(WithHeader.Name, WithHeader.Text, [new("value.cuh", "#define VALUE 2\n")]);
        (string What, KernelDefinition Definition, int Architecture, CodeKind Kind)[] variants =
        [
            ("nothing", Definition, 80, CodeKind.Ptx),
            ("a header", Definition with { Source = otherHeader }, 80, CodeKind.Ptx),
            ("the source", Definition with { Source = new KernelSource(WithHeader.Name, WithHeader.Text + "\n", WithHeader.Headers) }, 80, CodeKind.Ptx),
            ("a macro", Definition with { Options = CompileOptions.Default.Define("X") }, 80, CodeKind.Ptx),
            ("the entry points", Definition with { EntryPoints = ["&cached"] }, 80, CodeKind.Ptx),
            ("the architecture", Definition, 86, CodeKind.Ptx),
            ("the kind", Definition, 80, CodeKind.Cubin),
        ];

        foreach ((string what, KernelDefinition definition, int architecture, CodeKind kind) in variants)
        {
            long before = compiler.Compilations;
            compiler.Compile(definition, ComputeCapability.FromValue(architecture), kind);
            Assert.That(compiler.Compilations - before, Is.EqualTo(1), $"{what} changed");
        }
    }

    [Test]
    [RequiresNvrtc]
    public void An_entry_with_a_byte_flipped_or_cut_off_is_compiled_anew_and_replaced()
    {
        using var folder = new TemporaryFolder();
        NewCompiler(folder).Compile(Definition, ComputeCapability.Ampere, CodeKind.Ptx);
        string file = Directory.GetFiles(folder.Path).Single();
        byte[] whole = File.ReadAllBytes(file);
        byte[] flipped = [.. whole];
        flipped[whole.Length / 2] ^= 4;

        foreach (byte[] damaged in (byte[][])[flipped, whole[..^1], whole[..10], []])
        {
            File.WriteAllBytes(file, damaged);
            KernelCompiler compiler = NewCompiler(folder);
            CompiledKernel code = compiler.Compile(Definition, ComputeCapability.Ampere, CodeKind.Ptx);
            Assert.That((code.Origin, compiler.Options.Cache!.Statistics.Misses), Is.EqualTo((CodeOrigin.Compiler, 1L)));
            Assert.That(compiler.Options.Cache.Statistics.Damaged, Is.Positive);
            Assert.That(File.ReadAllBytes(file), Is.EqualTo(whole));
        }
    }

    [Test]
    public void No_change_of_a_stored_entry_is_taken_for_it()
    {
        var code = new CompiledKernel("a.cu", CodeKind.Ptx, ComputeCapability.Ampere, [1, 2, 3, 0], new Dictionary<string, string> { ["f<1>"] = "_Z1f" }, "log", CodeOrigin.Compiler, default);
        byte[] bytes = CodeSerializer.Write(code);

        Gen.Select(Gen.Int[0, bytes.Length - 1], Gen.Byte[1, 255]).Sample((at, by) =>
        {
            byte[] changed = [.. bytes];
            changed[at] ^= by;
            Assert.That(() => CodeSerializer.Read(changed, CodeOrigin.Cache), Throws.TypeOf<InvalidDataException>());
        });
        Assert.That(CodeSerializer.Read(bytes, CodeOrigin.Cache).LoweredNames["f<1>"], Is.EqualTo("_Z1f"));
    }

    [Test]
    [RequiresNvrtc]
    public void Where_misses_are_set_to_fail_a_hit_works_and_a_miss_names_the_kernel()
    {
        using var folder = new TemporaryFolder();
        NewCompiler(folder).Compile(Definition, ComputeCapability.Ampere, CodeKind.Ptx);
        var strict = new KernelCompiler(new KernelCompilerOptions { Cache = new KernelCache(folder.Path), FailOnCacheMiss = true });

        Assert.That(strict.Compile(Definition, ComputeCapability.Ampere, CodeKind.Ptx).Origin, Is.EqualTo(CodeOrigin.Cache));
        Assert.That(() => strict.Compile(Definition, ComputeCapability.Hopper, CodeKind.Ptx), Throws.TypeOf<KernelCompilationException>()
            .With.Message.Contains("testing/cached.cu").And.Message.Contains("9.0").And.Message.Contains(folder.Path));
    }

    [Test]
    public void A_folder_that_is_made_is_private_and_one_that_others_can_write_to_turns_the_cache_off_and_stays_as_it_is()
    {
        if (OperatingSystem.IsWindows())
        {
            Assert.Ignore("Modes of folders are those of Unix.");
            return;
        }

        using var folder = new TemporaryFolder();
        const UnixFileMode Private = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
        const UnixFileMode Open = Private | UnixFileMode.GroupWrite | UnixFileMode.OtherWrite | UnixFileMode.OtherExecute;
        Directory.CreateDirectory(folder["open"]);
        File.SetUnixFileMode(folder["open"], Open);

        var made = new KernelCache(folder["new/deep"]);
        var open = new KernelCache(folder["open"]);

        Assert.That((made.WhyOff, File.GetUnixFileMode(made.Folder)), Is.EqualTo(((string?)null, Private)));
        Assert.That(open.WhyOff, Does.Contain(folder["open"]).And.Contain("0723").And.Contain("KERNELS_CACHE"));
        Assert.That(File.GetUnixFileMode(open.Folder), Is.EqualTo(Open));
    }

    [Test]
    [RequiresNvrtc]
    public void A_cache_that_cannot_be_made_is_off_and_compiling_goes_on()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder["file"], "in the way");
        var cache = new KernelCache(folder["file"]);
        var compiler = new KernelCompiler(new KernelCompilerOptions { Cache = cache });

        Assert.That(compiler.Compile(Definition, ComputeCapability.Ampere, CodeKind.Ptx).Origin, Is.EqualTo(CodeOrigin.Compiler));
        Assert.That(cache.Statistics.Writes, Is.Zero);
        Assert.That(cache.WhyOff, Does.Contain(folder["file"]));
    }

    [Test]
    [RequiresNvrtc]
    public void After_clearing_everything_is_compiled_again()
    {
        using var folder = new TemporaryFolder();
        KernelCompiler compiler = NewCompiler(folder);
        compiler.Compile(Definition, ComputeCapability.Ampere, CodeKind.Ptx);
        compiler.Options.Cache!.Clear();
        compiler.Compile(Definition, ComputeCapability.Ampere, CodeKind.Ptx);

        Assert.That(compiler.Compilations, Is.EqualTo(2));
        Assert.That(Directory.GetFiles(folder.Path), Has.Length.EqualTo(1), "no temporary file or lock stays");
    }

    [Test]
    [RequiresDevice]
    [RequiresNvrtc]
    public void Processes_that_start_at_once_compile_a_kernel_once_for_all_of_them_and_a_later_one_not_at_all()
    {
        using var folder = new TemporaryFolder();
        ChildResult[] children = new ChildResult[3];
        Parallel.For(0, children.Length, i => children[i] = ChildProcess.Run(["add"], ("KERNELS_CACHE", folder.Path), ("KERNELS_PACK", null)));
        ChildResult later = ChildProcess.Run(["add"], ("KERNELS_CACHE", folder.Path));

        Assert.That(children.Select(child => child["sum"]), Is.All.EqualTo("9900"));
        // Where the driver refuses cubins, both kinds are made.
        Assert.That(children.Sum(child => int.Parse(child["compilations"], System.Globalization.CultureInfo.InvariantCulture)),
            Is.EqualTo(Directory.GetFiles(folder.Path, "*.code").Length));
        Assert.That((later["origin"], later["compilations"]), Is.EqualTo(("Cache", "0")));
    }

    private static KernelCompiler NewCompiler(TemporaryFolder folder) => new(new KernelCompilerOptions { Cache = new KernelCache(folder.Path) });
}
