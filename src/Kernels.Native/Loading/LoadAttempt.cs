namespace Kernels.Native;

/// <summary>One candidate that the loader looked at.</summary>
/// <param name="Candidate">File or library name.</param>
/// <param name="Origin">Why it was looked at: an environment variable, a folder, the dynamic loader's own search.</param>
/// <param name="Outcome">What became of it.</param>
/// <param name="Reason">Why.</param>
public sealed record LoadAttempt(string Candidate, string Origin, LoadOutcome Outcome, string Reason)
{
    /// <summary>One line, as <c>kernels info</c> prints it.</summary>
    public override string ToString() => $"{Outcome switch
    {
        LoadOutcome.Taken => "taken",
        LoadOutcome.Refused => "refused",
        _ => "not loaded",
    }}: {Candidate} ({Origin}): {Reason}";
}
