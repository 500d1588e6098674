namespace Kernels.Runtime;

/// <summary>How a pack differs from a catalog.</summary>
public enum PackState
{
    /// <summary>The pack does not have the kernel.</summary>
    Missing,

    /// <summary>Source, headers, options or entry points changed since the pack was made.</summary>
    Stale,

    /// <summary>The pack has a kernel that the catalog does not have.</summary>
    Extra,
}

/// <summary>One difference between a pack and a catalog.</summary>
/// <param name="Name">Name of the kernel.</param>
/// <param name="State">What is wrong with it.</param>
public sealed record PackDiscrepancy(string Name, PackState State);
