namespace Kernels.Native;

/// <summary>No usable library was found. The message lists the candidates and says what to do.</summary>
public sealed class LibraryLoadException : Exception
{
    internal LibraryLoadException(LoaderReport report, string advice)
        : base($"No usable {report.Library} library was found. {advice}{Environment.NewLine}{report}") => Report = report;

    /// <summary>Every candidate and what became of it.</summary>
    public LoaderReport Report { get; }
}
