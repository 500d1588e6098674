using System.Text.RegularExpressions;

namespace Kernels.Cli.Tests;

/// <summary>What the documents refer to is there.</summary>
public sealed partial class DocumentationTests
{
    private static IEnumerable<string> Documents() =>
        Directory.GetFiles(KernelsTool.RepositoryPath("."), "*.md").Concat(Directory.GetFiles(KernelsTool.RepositoryPath("docs"), "*.md", SearchOption.AllDirectories)).Select(Path.GetFullPath);

    [TestCaseSource(nameof(Documents))]
    public void Every_relative_link_leads_to_a_file(string document)
    {
        string[] targets = [.. Link().Matches(File.ReadAllText(document)).Select(match => match.Groups[1].Value)
            .Where(target => !target.Contains("://", StringComparison.Ordinal) && !target.StartsWith('#'))];
        foreach (string target in targets)
            Assert.That(Path.Exists(Path.Combine(Path.GetDirectoryName(document)!, target.Split('#')[0])), Is.True, $"{Path.GetFileName(document)} links to {target}");
    }

    [GeneratedRegex(@"\]\(([^)\s]+)\)")]
    private static partial Regex Link();
}
