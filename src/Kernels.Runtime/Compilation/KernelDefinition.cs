using System.Collections.Immutable;

namespace Kernels.Runtime;

/// <summary>
/// A kernel as an assembly publishes it: source, options of the default configuration, and what of it is launched. Catalogs of
/// these are what packs are made of and what <c>kernels compile</c> compiles.
/// </summary>
public sealed record KernelDefinition
{
    /// <summary>Name of the kernel and its configuration, unique in a catalog: <c>lossless/df11_decode</c>.</summary>
    public required string Name { get; init; }

    /// <summary>Source with its headers.</summary>
    public required KernelSource Source { get; init; }

    /// <summary>Options of this configuration.</summary>
    public CompileOptions Options { get; init; } = CompileOptions.Default;

    /// <summary>
    /// What is launched or addressed: C++ names of kernels, with template arguments where they have some
    /// (<c>decode&lt;4&gt;</c>), or names of <c>extern "C"</c> kernels.
    /// </summary>
    public required ImmutableArray<string> EntryPoints { get; init; }

    /// <summary>Lowest architecture the kernel needs.</summary>
    public ComputeCapability MinimumArchitecture { get; init; } = ComputeCapability.Ampere;

    /// <summary>Name of the definition.</summary>
    public override string ToString() => Name;
}
