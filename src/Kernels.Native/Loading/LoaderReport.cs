namespace Kernels.Native;

/// <summary>How the loader found a library, or why it did not.</summary>
/// <param name="Library">What was looked for: <c>CUDA driver</c> or <c>NVRTC</c>.</param>
/// <param name="Attempts">Every candidate in the order they were looked at.</param>
public sealed record LoaderReport(string Library, IReadOnlyList<LoadAttempt> Attempts)
{
    /// <summary>The candidate in use, or null.</summary>
    public LoadAttempt? Taken => Attempts.FirstOrDefault(attempt => attempt.Outcome == LoadOutcome.Taken);

    /// <summary>One line a candidate.</summary>
    public override string ToString() =>
        string.Join(Environment.NewLine, Attempts.Select(attempt => attempt.ToString()).Prepend($"{Library}:"));
}
