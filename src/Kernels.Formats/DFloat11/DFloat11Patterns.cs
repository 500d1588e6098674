using System.Diagnostics;
using System.Text;
using System.Text.RegularExpressions;

namespace Kernels.Formats.DFloat11;

/// <summary>
/// Matches group names against the regexes of a checkpoint, which come from whoever made the file. Plain names are compared; the rest run
/// on the engine without backtracking where it can take them, else under a time limit. Regexes are compiled when they are first needed,
/// and compiling and matching share one limit for the whole checkpoint.
/// </summary>
public sealed class DFloat11Patterns
{
    private const int MaxPatterns = 4096;
    private const int MaxPatternLength = 4096;
    private static readonly TimeSpan MatchTimeout = TimeSpan.FromMilliseconds(200);

    private readonly string? _file;
    private readonly DFloat11Pattern[] _patterns;
    private readonly string?[] _literals;
    private readonly Regex?[] _regexes;
    private TimeSpan _spent;

    /// <summary>Takes the patterns of a configuration. They are checked when a name is looked up.</summary>
    public DFloat11Patterns(IEnumerable<DFloat11Pattern> patterns, string? file = null)
    {
        ArgumentNullException.ThrowIfNull(patterns);
        _file = file;
        _patterns = [.. patterns];
        _literals = Array.ConvertAll(_patterns, pattern => Literal(pattern.Regex));
        _regexes = new Regex?[_patterns.Length];
    }

    /// <summary>Time for compiling and matching all patterns.</summary>
    internal TimeSpan TotalTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>The first pattern that matches the whole of <paramref name="groupName"/>, or null.</summary>
    /// <exception cref="InvalidModelException">
    /// There are more than 4,096 patterns, one that is needed is too long or no regular expression, or compiling and matching take longer
    /// than the limit.
    /// </exception>
    public DFloat11Pattern? Find(string groupName)
    {
        ArgumentNullException.ThrowIfNull(groupName);
        if (_patterns.Length > MaxPatterns)
            throw new InvalidModelException(_file, $"{DFloat11Config.PropertyName}.pattern_dict", $"has {_patterns.Length} patterns, above the limit of {MaxPatterns}");
        for (int i = 0; i < _patterns.Length; i++)
        {
            if (_literals[i] is { } literal ? literal == groupName : IsMatch(i, groupName))
                return _patterns[i];
        }
        return null;
    }

    /// <summary>The only name that a pattern matches, where it is a plain name with escaped punctuation; else null.</summary>
    private static string? Literal(string pattern)
    {
        var literal = new StringBuilder(pattern.Length);
        for (int i = 0; i < pattern.Length; i++)
        {
            char c = pattern[i];
            bool escaped = c == '\\' && i + 1 < pattern.Length && char.IsAscii(pattern[i + 1]) && char.IsPunctuation(pattern[i + 1]);
            if (escaped)
                c = pattern[++i];
            else if (!char.IsAsciiLetterOrDigit(c) && c != '_' && c != '-')
                return null;
            literal.Append(c);
        }
        return literal.ToString();
    }

    private bool IsMatch(int index, string groupName)
    {
        string pattern = _patterns[index].Regex;
        if (_spent > TotalTimeout)
            throw Invalid(pattern, $"is too much: matching the group names took more than {TotalTimeout.TotalSeconds} s in all");
        long start = Stopwatch.GetTimestamp();
        try
        {
            return (_regexes[index] ??= Compile(pattern)).IsMatch(groupName);
        }
        catch (RegexMatchTimeoutException e)
        {
            throw Invalid(pattern, $"takes more than {MatchTimeout.TotalMilliseconds} ms to match '{TensorName.Printable(groupName)}'", e);
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
        new(_file, $"{DFloat11Config.PropertyName}.pattern_dict", $"the pattern '{TensorName.Printable(pattern)}' {reason}", cause);
}
