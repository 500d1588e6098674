using System.Collections.Immutable;
using Kernels.Runtime;

namespace Kernels.Lossless;

/// <summary>The kernels of this assembly in their default configurations: what packs hold and <c>kernels compile</c> compiles.</summary>
public static class LosslessKernels
{
    /// <summary>All of them.</summary>
    public static ImmutableArray<KernelDefinition> All { get; } =
    [
        DFloat11Kernel.Define(threads: 512, DFloat11Kernel.SmallWindow),
        DFloat11Kernel.Define(threads: 512, DFloat11Kernel.LargeWindow),
    ];
}
