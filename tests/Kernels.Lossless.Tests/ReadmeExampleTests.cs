using Kernels.Formats.DFloat11;
using Kernels.Formats.Safetensors;
using Kernels.Runtime;
using Kernels.Testing;

namespace Kernels.Lossless.Tests;

/// <summary>The example of the README: it runs, and the README shows it as it is here.</summary>
public sealed class ReadmeExampleTests
{
    [Test]
    [RequiresDevice]
    public void The_readmes_example_decodes_every_group_to_the_original_bits()
    {
        var decoded = new Dictionary<string, ushort[]>();
        void Use(DFloat11Group group, DeviceBuffer<ushort> weights, Stream stream) => decoded.Add(group.Name, weights.Span.ToArray(stream));
        string path = Bfloat16Groups.RepositoryPath("tests/data/df11-sample");

        // <readme>
        using Device device = Device.Open();                    // or Device.FromContext(yourContext)
        using Stream stream = device.CreateStream();            // or Stream.FromHandle(device, yourStream)
        using var pool = new DevicePool(device);
        using var decoder = new DFloat11DeviceDecoder(device);  // compiles, or takes the cache or the pack
        using var checkpoint = DFloat11Checkpoint.Open(path);   // memory-mapped, validated

        using DeviceBuffer<ulong> status = pool.Allocate<ulong>(1, stream);
        foreach (DFloat11Group group in checkpoint.Groups)
        {
            using var compressed = DFloat11DeviceGroup.Upload(group, pool, stream);
            using DeviceBuffer<ushort> weights = pool.Allocate<ushort>(group.ElementCount, stream);
            decoder.Decode(compressed, weights, status, stream); // one launch; nothing waits
            Use(group, weights, stream);                         // BF16 bits; group.Matrices tells which is where
            DFloat11DeviceDecoder.ThrowIfCorrupt(group, status.Span.ToArray(stream)[0]);
        }
        // </readme>

        using SafetensorsModel model = Bfloat16Groups.OpenModel();
        foreach (DFloat11Group group in checkpoint.Groups)
            Assert.That(decoded[group.Name], Is.EqualTo(Bfloat16Groups.Original(model, group)), group.Name);
    }

    [Test]
    public void The_readme_shows_the_example_as_it_is()
    {
        string source = File.ReadAllText(Bfloat16Groups.RepositoryPath("tests/Kernels.Lossless.Tests/ReadmeExampleTests.cs"));
        string readme = File.ReadAllText(Bfloat16Groups.RepositoryPath("README.md"));
        string[] example = Between(source, "// <readme>\n", "        // </readme>").Split('\n');
        string[] shown = Between(readme, "```csharp\n", "```").Split('\n');
        Assert.That(shown.Where(line => line.Length > 0), Is.EqualTo(example.Where(line => line.Length > 0).Select(line => line[8..])));
    }

    private static string Between(string text, string start, string end)
    {
        int from = text.IndexOf(start, StringComparison.Ordinal) + start.Length;
        return text[from..text.IndexOf(end, from, StringComparison.Ordinal)];
    }
}
