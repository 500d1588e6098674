namespace Kernels.Runtime.Tests.Launch;

public sealed class KernelArgumentsTests
{
    [Test]
    public void Arguments_that_do_not_fit_are_refused_with_the_limits()
    {
        Assert.That(() =>
        {
            var arguments = new KernelArguments();
            for (int i = 0; i <= KernelArguments.MaxCount; i++)
                arguments.Add(i);
        }, Throws.InvalidOperationException.With.Message.Contains("64 of 64 arguments"));
        Assert.That(() =>
        {
            var arguments = new KernelArguments();
            arguments.Add(default(Large));
            arguments.Add(default(Large));
        }, Throws.InvalidOperationException.With.Message.Contains("of 600 bytes").And.Message.Contains("600 of 1024 bytes"));
    }

    [TestCase(0, 1u)]
    [TestCase(1, 1u)]
    [TestCase(128, 1u)]
    [TestCase(129, 2u)]
    [TestCase(1000, 8u)]
    public void A_cover_has_a_thread_an_element_and_at_least_one_block(int count, uint blocks) =>
        Assert.That(LaunchConfig.Cover(count, 128), Is.EqualTo(new LaunchConfig(blocks, 128)));

    [Test]
    public void Extents_are_checked()
    {
        Assert.That(() => (Dim3)(-1), Throws.TypeOf<OverflowException>());
        Assert.That(() => LaunchConfig.Cover(-1, 32), Throws.TypeOf<ArgumentOutOfRangeException>());
        Assert.That(new Dim3(2, 3, 4).Count, Is.EqualTo(24));
    }

    private unsafe struct Large
    {
        public fixed byte Bytes[600];
    }
}
