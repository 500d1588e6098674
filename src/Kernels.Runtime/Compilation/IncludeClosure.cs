using System.Text.RegularExpressions;

namespace Kernels.Runtime;

/// <summary>The headers that a source includes between quotation marks, and those that they include.</summary>
internal static partial class IncludeClosure
{
    /// <summary>
    /// Conditions are not evaluated: a header behind a false one is collected too, which costs nothing and keeps digests simple.
    /// </summary>
    public static IReadOnlyDictionary<string, string> Collect(string name, string text, Func<string, string?> find)
    {
        var headers = new SortedDictionary<string, string>(StringComparer.Ordinal);
        var open = new Stack<(string Name, string Text)>();
        open.Push((name, text));
        while (open.TryPop(out (string Name, string Text) file))
        {
            foreach (Match match in Include().Matches(file.Text))
            {
                string include = match.Groups[1].Value;
                if (headers.ContainsKey(include))
                    continue;
                string found = find(include) ?? throw new FileNotFoundException($"'{file.Name}' includes '{include}', which is not there.", include);
                headers.Add(include, found);
                open.Push((include, found));
            }
        }

        return headers;
    }

    [GeneratedRegex("""^[ \t]*#[ \t]*include[ \t]*"([^"]+)""", RegexOptions.Multiline | RegexOptions.CultureInvariant)]
    private static partial Regex Include();
}
