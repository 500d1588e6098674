using System.Collections.Immutable;

namespace Kernels.Runtime;

/// <summary>A kernel could not be compiled or no code for it could be had. The message carries the compiler's log.</summary>
public sealed class KernelCompilationException : Exception
{
    internal KernelCompilationException(string sourceName, string reason, string log = "", IEnumerable<string>? options = null,
        Exception? inner = null)
        : this(sourceName, reason, log, [.. options ?? []], inner)
    {
    }

    private KernelCompilationException(string sourceName, string reason, string log, ImmutableArray<string> options, Exception? inner)
        : base(Compose(sourceName, reason, log, options), inner)
    {
        SourceName = sourceName;
        Log = log;
        Options = options;
    }

    /// <summary>Name of the source.</summary>
    public string SourceName { get; }

    /// <summary>What the compiler wrote.</summary>
    public string Log { get; }

    /// <summary>Options of the compilation.</summary>
    public ImmutableArray<string> Options { get; }

    private static string Compose(string sourceName, string reason, string log, ImmutableArray<string> options)
    {
        string message = $"{sourceName}: {reason}";
        if (!options.IsEmpty)
            message += $"{Environment.NewLine}options: {string.Join(' ', options)}";
        return log.Length == 0 ? message : $"{message}{Environment.NewLine}{log.TrimEnd('\0', '\n')}";
    }
}
