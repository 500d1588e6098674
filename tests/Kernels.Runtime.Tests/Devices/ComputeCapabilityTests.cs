namespace Kernels.Runtime.Tests.Devices;

public sealed class ComputeCapabilityTests
{
    [TestCase("sm_90", 9, 0)]
    [TestCase("compute_86", 8, 6)]
    [TestCase("8.9", 8, 9)]
    [TestCase("80", 8, 0)]
    [TestCase("sm_120", 12, 0)]
    [TestCase("10.0", 10, 0)]
    public void Every_usual_form_is_read(string text, int major, int minor) =>
        Assert.That(ComputeCapability.Parse(text), Is.EqualTo(new ComputeCapability(major, minor)));

    [TestCase("")]
    [TestCase("sm_")]
    [TestCase("9")]
    [TestCase("sm_90a")]
    [TestCase("-90")]
    [TestCase("9.0.1")]
    [TestCase("hopper")]
    public void Anything_else_is_refused_and_named(string text) =>
        Assert.That(() => ComputeCapability.Parse(text), Throws.TypeOf<FormatException>().With.Message.Contains($"'{text}'"));

    [Test]
    public void Names_and_order_follow_the_number()
    {
        var ada = new ComputeCapability(8, 9);
        var blackwell = new ComputeCapability(12, 0);
        Assert.That((ada.RealName, blackwell.VirtualName), Is.EqualTo(("sm_89", "compute_120")));
        Assert.That(ada < ComputeCapability.Hopper && blackwell > ComputeCapability.Hopper && ada >= ComputeCapability.Ampere);
    }
}
