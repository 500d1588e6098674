using Spectre.Console;

namespace Kernels.Cli;

/// <summary>Tables of figures keep their columns whole: lines may be wider than a narrow terminal, or than the 80 columns assumed for a file.</summary>
internal static class WideTable
{
    private const int Columns = 140;

    public static void Write(Table table)
    {
        table.Border = TableBorder.Simple;
        AnsiConsole.Profile.Width = Math.Max(AnsiConsole.Profile.Width, Columns);
        AnsiConsole.Write(table);
    }
}
