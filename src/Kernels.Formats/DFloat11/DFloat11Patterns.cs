using System.Diagnostics;
using System.Text.RegularExpressions;

namespace Kernels.Formats.DFloat11;

/// <summary>
/// Matches group names against the regexes of a checkpoint, which come from whoever made the file. They run on the engine without
/// backtracking where it can take them, else under a time limit, and all matches of a checkpoint together under another.
/// </summary>
public sealed class DFloat11Patterns
{
    private const int MaxPatternLength = 4096;
    private static readonly TimeSpan MatchTimeout = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan TotalTimeout = TimeSpan.FromSeconds(5);

    private readonly string? _file;
    private readonly List<(DFloat11Pattern Pattern, Regex Regex)> _patterns = [];
    private TimeSpan _spent;

    /// <summary>Compiles the patterns of a configuration.</summary>
    /// <exception cref="InvalidModelException">A pattern is too long or no regular expression.</exception>
    public DFloat11Patterns(IEnumerable<DFloat11Pattern> patterns, string? file = null)
    {
        ArgumentNullException.ThrowIfNull(patterns);
        _file = file;
        foreach (var pattern in patterns)
            _patterns.Add((pattern, Compile(pattern.Regex)));
    }

    /// <summary>The first pattern that matches the whole of <paramref name="groupName"/>, or null.</summary>
    /// <exception cref="InvalidModelException">Matching takes longer than the limit.</exception>
    public DFloat11Pattern? Find(string groupName)
    {
        ArgumentNullException.ThrowIfNull(groupName);
        foreach (var (pattern, regex) in _patterns)
        {
            if (IsMatch(regex, pattern.Regex, groupName))
                return pattern;
        }
        return null;
    }

    private bool IsMatch(Regex regex, string pattern, string groupName)
    {
        if (_spent > TotalTimeout)
            throw Invalid(pattern, $"matching the group names took more than {TotalTimeout.TotalSeconds} s in all");
        long start = Stopwatch.GetTimestamp();
        try
        {
            return regex.IsMatch(groupName);
        }
        catch (RegexMatchTimeoutException e)
        {
            throw Invalid(pattern, $"matching '{InvalidModelException.Printable(groupName)}' took more than {MatchTimeout.TotalMilliseconds} ms", e);
        }
        finally
        {
            _spent += Stopwatch.GetElapsedTime(start);
        }
    }

    private Regex Compile(string pattern)
    {
        if (pattern.Length > MaxPatternLength)
            throw Invalid(pattern, $"has {pattern.Length} characters, above the limit of {MaxPatternLength}");
        // Python's spelling of a named group.
        string translated = pattern.Replace("(?P<", "(?<", StringComparison.Ordinal);
        const RegexOptions options = RegexOptions.CultureInvariant;
        try
        {
            // On its own first, so that what is no regex by itself does not become one inside the brackets.
            _ = new Regex(translated, options, MatchTimeout);
            string whole = $@"\A(?:{translated})\z";
            try
            {
                return new Regex(whole, options | RegexOptions.NonBacktracking, MatchTimeout);
            }
            catch (NotSupportedException)
            {
                return new Regex(whole, options, MatchTimeout);
            }
        }
        catch (Exception e) when (e is ArgumentException or InsufficientExecutionStackException)
        {
            throw Invalid(pattern, $"is no regular expression: {e.Message}", e);
        }
    }

    private InvalidModelException Invalid(string pattern, string reason, Exception? cause = null) =>
        new(_file, $"{DFloat11Config.PropertyName}.pattern_dict", $"the pattern '{InvalidModelException.Printable(pattern)}' {reason}", cause);
}
