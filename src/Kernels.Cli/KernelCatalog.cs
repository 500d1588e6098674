using System.Collections.Immutable;
using Kernels.Lossless;
using Kernels.Runtime;

namespace Kernels.Cli;

/// <summary>Every kernel of the library, from the catalogs of its assemblies.</summary>
internal static class KernelCatalog
{
    public static ImmutableArray<KernelDefinition> All => LosslessKernels.All;
}
