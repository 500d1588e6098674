using Kernels.Formats;
using Kernels.Formats.DFloat11;
using Kernels.Formats.Safetensors;
using Spectre.Console;

namespace Kernels.Cli;

/// <summary>A group that was decoded on the device.</summary>
/// <param name="Group">The group.</param>
/// <param name="Time">From the launch to the end of the decode.</param>
/// <param name="Statistics">How well it is compressed.</param>
internal sealed record DecodedGroup(DFloat11Group Group, TimeSpan Time, DFloat11Statistics Statistics);

/// <summary>The demo's table: a row a group, one for the tensors that stay as they are, and the sums.</summary>
internal static class DemoTable
{
    public static void Write(IReadOnlyList<DecodedGroup> groups, IReadOnlyList<TensorView> raw, DFloat11CompressionReport report, ModelComparison comparison)
    {
        HashSet<string> different = [.. comparison.Differences.Select(difference => difference.Tensor)];
        Table table = new Table().AddColumns("group", "tensors", "weights", "BF16", "DF11", "bits/weight", "entropy bound", "codes", "longest", "decode", "bits");
        foreach (TableColumn column in table.Columns.Skip(1))
            column.RightAligned();
        foreach ((DFloat11Group group, TimeSpan time, DFloat11Statistics statistics) in groups)
        {
            table.AddRow(
                Markup.Escape(Figures.Name(group.Name)), $"{group.Matrices.Length}", Figures.Count(group.ElementCount),
                Figures.Bytes(2 * group.ElementCount), Figures.Bytes(group.StoredBytes),
                Figures.Fixed(statistics.BitsPerElement, 3), Figures.Fixed(statistics.BoundPerElement, 3),
                $"{statistics.DistinctExponents}", $"{statistics.LongestCode} bits", Figures.Time(time),
                Verdict(group.Matrices.All(matrix => !different.Contains(matrix.Name))));
        }

        string rawBytes = Figures.Bytes(raw.Sum(tensor => tensor.ByteLength));
        table.AddRow("not compressed", $"{raw.Count}", "", rawBytes, rawBytes, "", "", "", "", "", Verdict(raw.All(tensor => !different.Contains(tensor.Name))));
        table.AddRow(
            "[bold]all[/]", $"{groups.Sum(group => group.Group.Matrices.Length) + raw.Count}", Figures.Count(groups.Sum(group => group.Group.ElementCount)),
            Figures.Bytes(report.OriginalBytes), Figures.Bytes(report.StoredBytes), "", "", "", "",
            Figures.Time(groups.Aggregate(TimeSpan.Zero, (sum, group) => sum + group.Time)), Verdict(comparison.AreEqual));
        WideTable.Write(table);
    }

    private static string Verdict(bool equal) => equal ? "[green]equal[/]" : "[red]differ[/]";
}
