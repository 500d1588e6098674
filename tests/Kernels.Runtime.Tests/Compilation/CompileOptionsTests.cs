namespace Kernels.Runtime.Tests.Compilation;

public sealed class CompileOptionsTests
{
    [Test]
    public void Options_become_arguments_in_the_order_they_were_given()
    {
        CompileOptions options = CompileOptions.Default.Define("B", 2).Define("A", "x + 1").Define("C").Flag("--use_fast_math") with { MaxRegisters = 64 };

        Assert.That(options.ToArguments(), Is.EqualTo(
            (string[])["--std=c++17", "-lineinfo", "--maxrregcount=64", "-DB=2", "-DA=x + 1", "-DC=1", "--use_fast_math"]));
    }

    [Test]
    public void Options_with_the_same_arguments_are_equal_and_others_are_not()
    {
        CompileOptions ab = CompileOptions.Default.Define("A").Define("B"), again = CompileOptions.Default.Define("A").Define("B");
        CompileOptions ba = CompileOptions.Default.Define("B").Define("A");

        Assert.That(ab, Is.EqualTo(again));
        Assert.That(ab.GetHashCode(), Is.EqualTo(again.GetHashCode()));
        Assert.That(ab, Is.Not.EqualTo(ba), "order counts");
    }

    [TestCase("1X")]
    [TestCase("A B")]
    [TestCase("A=1 -DB")]
    public void A_macro_name_that_is_no_identifier_is_refused(string name) =>
        Assert.That(() => CompileOptions.Default.Define(name), Throws.ArgumentException.With.Message.Contains(name));
}
