using System.Collections.Immutable;
using System.Globalization;
using System.Text.RegularExpressions;

namespace Kernels.Runtime;

/// <summary>Reads what <c>--ptxas-options=-v</c> writes into NVRTC's log.</summary>
/// <remarks>
/// <code>
/// ptxas info    : Compiling entry function 'scale' for 'sm_80'
/// ptxas info    : Function properties for scale
///     0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads
/// ptxas info    : Used 10 registers, 1 barriers, 4096 bytes smem, 372 bytes cmem[0]
/// </code>
/// </remarks>
internal static partial class AssemblerLog
{
    public static ImmutableArray<KernelResources> Parse(string log)
    {
        var kernels = ImmutableArray.CreateBuilder<KernelResources>();
        KernelResources? open = null;
        bool own = false;
        foreach (string line in log.Split('\n'))
        {
            if (Entry().Match(line) is { Success: true } entry)
            {
                Close();
                open = new KernelResources(entry.Groups[1].Value, entry.Groups[2].Value, 0, 0, 0, 0, 0, 0, 0);
            }
            else if (open is null)
            {
                continue;
            }
            else if (Properties().Match(line) is { Success: true } properties)
            {
                // Device functions that were not inlined have properties of their own under the kernel's heading.
                own = properties.Groups[1].Value == open.LoweredName;
            }
            else if (Frame().Match(line) is { Success: true } frame)
            {
                if (own)
                    open = open with { StackBytes = Number(frame, 1), SpillStoreBytes = Number(frame, 2), SpillLoadBytes = Number(frame, 3) };
            }
            else if (Used().Match(line) is { Success: true } used)
            {
                open = open with
                {
                    Registers = Number(used, 1),
                    Barriers = Number(Barrier().Match(line), 1),
                    SharedBytes = Number(Shared().Match(line), 1),
                    ConstantBytes = Constant().Matches(line).Sum(match => Number(match, 1)),
                };
                Close();
            }
        }

        Close();
        return kernels.ToImmutable();

        void Close()
        {
            if (open is not null)
                kernels.Add(open);
            open = null;
            own = false;
        }
    }

    private static int Number(Match match, int group) =>
        match.Success ? int.Parse(match.Groups[group].ValueSpan, NumberStyles.None, CultureInfo.InvariantCulture) : 0;

    [GeneratedRegex("Compiling entry function '([^']+)' for '([^']+)'")]
    private static partial Regex Entry();

    [GeneratedRegex(@"Function properties for (\S+)")]
    private static partial Regex Properties();

    [GeneratedRegex(@"(\d+) bytes stack frame, (\d+) bytes spill stores, (\d+) bytes spill loads")]
    private static partial Regex Frame();

    [GeneratedRegex(@"Used (\d+) registers")]
    private static partial Regex Used();

    [GeneratedRegex(@"(\d+) barriers")]
    private static partial Regex Barrier();

    [GeneratedRegex(@"(\d+) bytes smem")]
    private static partial Regex Shared();

    [GeneratedRegex(@"(\d+) bytes cmem\[\d+\]")]
    private static partial Regex Constant();
}
