namespace Kernels.Formats.Tests;

/// <summary>Where the repository keeps the data that tests read.</summary>
internal static class TestData
{
    internal static string Root { get; } = FindRoot();

    internal static string TinyBlockFfn { get; } = Path.Combine(Root, "samples", "models", "tiny-blockffn");

    internal static string DFloat11Sample { get; } = Path.Combine(Root, "tests", "data", "df11-sample");

    private static string FindRoot()
    {
        for (string? folder = AppContext.BaseDirectory; folder is not null; folder = Path.GetDirectoryName(folder))
        {
            if (File.Exists(Path.Combine(folder, "Kernels.sln")))
                return folder;
        }
        throw new DirectoryNotFoundException($"No folder above {AppContext.BaseDirectory} holds Kernels.sln.");
    }
}
