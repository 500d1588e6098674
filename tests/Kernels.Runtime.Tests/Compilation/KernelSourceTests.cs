using System.Reflection;

namespace Kernels.Runtime.Tests.Compilation;

public sealed class KernelSourceTests
{
    [TestCase("kernels/testing/shifted.cu")]
    [TestCase("shifted.cu")]
    public void An_embedded_source_comes_with_the_headers_it_includes_and_those_they_include(string name)
    {
        KernelSource source = KernelSource.FromResource(Assembly.GetExecutingAssembly(), name);

        Assert.That(source.Name, Is.EqualTo("shifted.cu"));
        Assert.That(source.Text, Does.Contain("void shifted").And.Not.Contain("\r"));
        Assert.That(source.Headers.Keys, Is.EquivalentTo((string[])["shift.cuh", "nested/more.cuh"]));
        Assert.That(source.Headers["nested/more.cuh"], Does.Contain("#define MORE 3"));
    }

    [Test]
    public void A_source_that_is_not_embedded_is_named() => Assert.That(
        () => KernelSource.FromResource(Assembly.GetExecutingAssembly(), "absent.cu"),
        Throws.TypeOf<FileNotFoundException>().With.Message.Contains("absent.cu").And.Message.Contains("Kernels.Runtime.Tests"));

    [Test]
    public void A_header_that_is_not_there_is_named_with_the_file_that_includes_it() => Assert.That(
        () => IncludeClosure.Collect("a.cu", "#include \"b.cuh\"\n", name => name == "b.cuh" ? "#include \"c.cuh\"" : null),
        Throws.TypeOf<FileNotFoundException>().With.Message.Contains("'b.cuh' includes 'c.cuh'"));

    [Test]
    public void Headers_that_include_each_other_end_the_search()
    {
        var texts = new Dictionary<string, string> { ["x"] = "#include \"y\"", ["y"] = "// #include \"no\"\n#include \"x\"\n#include <z>" };

        IReadOnlyDictionary<string, string> headers = IncludeClosure.Collect("a.cu", "#include \"x\"", texts.GetValueOrDefault);

        Assert.That(headers.Keys, Is.EqualTo((string[])["x", "y"]));
    }

    [Test]
    [RequiresDevice]
    [RequiresNvrtc]
    public void An_embedded_source_with_headers_compiles_and_runs()
    {
        using Stream stream = TestDevice.Device.CreateStream();
        KernelSource source = KernelSource.FromResource(Assembly.GetExecutingAssembly(), "shifted.cu");
        using KernelModule module = TestDevice.Compiler.Load(TestDevice.Device, source, null, "shifted");
        using DeviceBuffer<int> values = TestDevice.Device.Allocate<int>([1, 2, 3], stream);

        module.GetKernel().Launch(stream, new LaunchConfig(1, 3), values.Span);

        Assert.That(values.Span.ToArray(stream), Is.EqualTo((int[])[7, 11, 15]));
    }
}
