using System.CommandLine;

namespace Kernels.Cli;

/// <summary>The <c>--threads</c> option. The output is the same for every value.</summary>
internal static class ThreadsOption
{
    public static Option<int?> Create() => new("--threads") { Description = "CPU threads; all cores by default. The output does not depend on it." };

    public static ParallelOptions ToParallelOptions(int? threads, CancellationToken cancellation) => threads is <= 0
        ? throw new ArgumentException($"--threads is {threads}; it must be at least 1.")
        : new ParallelOptions { MaxDegreeOfParallelism = threads ?? -1, CancellationToken = cancellation };
}
