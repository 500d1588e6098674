using System.Globalization;
using System.Text;

namespace Kernels.Formats;

/// <summary>Names of tensors, groups and files as models give them: any text at all.</summary>
public static class TensorName
{
    private const int LongestShown = 200;

    /// <summary>
    /// A name fit for terminals and logs: at most 200 characters of it and <c>...</c>; control characters (escape sequences, line ends),
    /// invisible formatting (such as a change of the writing direction) and halves of surrogate pairs are shown as <c>?</c>.
    /// </summary>
    public static string Printable(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        var shown = new StringBuilder(Math.Min(name.Length, LongestShown) + 3);
        for (int i = 0; i < name.Length;)
        {
            bool isWhole = Rune.TryGetRuneAt(name, i, out Rune rune);
            int length = isWhole ? rune.Utf16SequenceLength : 1;
            if (shown.Length + length > LongestShown)
                return shown.Append("...").ToString();
            if (isWhole && !IsHidden(rune))
                shown.Append(name, i, length);
            else
                shown.Append('?');
            i += length;
        }
        return shown.ToString();
    }

    private static bool IsHidden(Rune rune) => Rune.GetUnicodeCategory(rune) is
        UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator;
}
