namespace Kernels.Formats.Tests;

public sealed class TensorNameTests
{
    [TestCase("model.layers.0.weight", "model.layers.0.weight")]
    [TestCase("x+y (z).\u00e9 \U0001F600", "x+y (z).\u00e9 \U0001F600")]
    [TestCase("a\u001b[2Jb\r\nc\u009bd", "a?[2Jb??c?d")]
    [TestCase("a\u202eb\u2028c\u200bd", "a?b?c?d")]
    public void Printable_keeps_what_is_visible(string name, string shown) => Assert.That(TensorName.Printable(name), Is.EqualTo(shown));

    [Test]
    public void Printable_replaces_halves_of_surrogate_pairs() => Assert.That(TensorName.Printable("a\ud800b\udc00"), Is.EqualTo("a?b?"));

    [Test]
    public void Printable_cuts_after_200_characters_and_not_inside_a_pair()
    {
        Assert.That(TensorName.Printable(new string('a', 200)), Is.EqualTo(new string('a', 200)));
        Assert.That(TensorName.Printable(new string('a', 1_000_000)), Is.EqualTo(new string('a', 200) + "..."));
        Assert.That(TensorName.Printable(new string('a', 199) + "\U0001F600"), Is.EqualTo(new string('a', 199) + "..."));
    }
}
