using System.Collections.Immutable;
using System.Globalization;

namespace Kernels.Runtime;

/// <summary>Options of a compilation, apart from the architecture. Immutable; their order counts.</summary>
public sealed record CompileOptions
{
    /// <summary>C++17 with line information and nothing else.</summary>
    public static CompileOptions Default { get; } = new();

    /// <summary>Macros in the order they are defined.</summary>
    public ImmutableArray<KeyValuePair<string, string>> Defines { get; init; } = [];

    /// <summary>Further NVRTC options, as they stand, such as <c>--use_fast_math</c>.</summary>
    public ImmutableArray<string> Flags { get; init; } = [];

    /// <summary>Language standard.</summary>
    public string Standard { get; init; } = "c++17";

    /// <summary>Whether code carries the lines it came from, which profilers and the simulator show. Costs nothing at run time.</summary>
    public bool LineInfo { get; init; } = true;

    /// <summary>Registers a thread may use; null leaves it to the compiler.</summary>
    public int? MaxRegisters { get; init; }

    /// <summary>These options with a macro more.</summary>
    /// <exception cref="ArgumentException">The name is no identifier.</exception>
    public CompileOptions Define(string name, string value)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        ArgumentNullException.ThrowIfNull(value);
        if (!IsIdentifier(name))
            throw new ArgumentException($"'{name}' is no macro name.", nameof(name));
        return this with { Defines = Defines.Add(new KeyValuePair<string, string>(name, value)) };
    }

    /// <summary>These options with a macro more, defined as 1.</summary>
    public CompileOptions Define(string name) => Define(name, "1");

    /// <summary>These options with a macro more.</summary>
    public CompileOptions Define(string name, long value) => Define(name, value.ToString(CultureInfo.InvariantCulture));

    /// <summary>These options with an NVRTC option more.</summary>
    public CompileOptions Flag(string flag)
    {
        ArgumentException.ThrowIfNullOrEmpty(flag);
        return this with { Flags = Flags.Add(flag) };
    }

    /// <summary>The options as NVRTC takes them, without the architecture; what digests are made of.</summary>
    public IReadOnlyList<string> ToArguments()
    {
        var arguments = new List<string> { $"--std={Standard}" };
        if (LineInfo)
            arguments.Add("-lineinfo");
        if (MaxRegisters is { } registers)
            arguments.Add(string.Create(CultureInfo.InvariantCulture, $"--maxrregcount={registers}"));
        arguments.AddRange(Defines.Select(define => $"-D{define.Key}={define.Value}"));
        arguments.AddRange(Flags);
        return arguments;
    }

    /// <inheritdoc/>
    public bool Equals(CompileOptions? other) => other is not null && ToArguments().SequenceEqual(other.ToArguments());

    /// <inheritdoc/>
    public override int GetHashCode() =>
        ToArguments().Aggregate(0, (hash, argument) => HashCode.Combine(hash, argument.GetHashCode(StringComparison.Ordinal)));

    private static bool IsIdentifier(string name) =>
        !char.IsAsciiDigit(name[0]) && name.All(c => char.IsAsciiLetterOrDigit(c) || c == '_');
}
