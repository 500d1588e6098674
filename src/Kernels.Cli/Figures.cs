using System.Globalization;
using Kernels.Formats;

namespace Kernels.Cli;

/// <summary>Numbers as the tables show them, in the invariant culture.</summary>
internal static class Figures
{
    public static string Bytes(long bytes) => bytes switch
    {
        < 10_000 => string.Create(CultureInfo.InvariantCulture, $"{bytes} B"),
        < 10_000_000 => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1e3:F1} kB"),
        < 10_000_000_000 => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1e6:F1} MB"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1e9:F2} GB"),
    };

    public static string Time(TimeSpan time) => time.TotalSeconds < 1
        ? string.Create(CultureInfo.InvariantCulture, $"{time.TotalMilliseconds:F1} ms")
        : string.Create(CultureInfo.InvariantCulture, $"{time.TotalSeconds:F2} s");

    public static string Rate(long bytes, TimeSpan time) =>
        string.Create(CultureInfo.InvariantCulture, $"{bytes / 1e6 / Math.Max(time.TotalSeconds, 1e-9):F0} MB/s");

    public static string Count(long count) => count.ToString("N0", CultureInfo.InvariantCulture);

    public static string Fixed(double value, int digits) => value.ToString($"F{digits}", CultureInfo.InvariantCulture);

    /// <summary>A name from a file, without what a terminal would obey.</summary>
    public static string Name(string name) => TensorName.Printable(name);

    public static string Percent(double part, double whole) => whole == 0 ? "-" : string.Create(CultureInfo.InvariantCulture, $"{100 * part / whole:F1} %");
}
