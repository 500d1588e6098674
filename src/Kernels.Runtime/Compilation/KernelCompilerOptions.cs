using Microsoft.Extensions.Logging;

namespace Kernels.Runtime;

/// <summary>What a <see cref="KernelCompiler"/> uses.</summary>
public sealed record KernelCompilerOptions
{
    /// <summary>Disk cache, or null for none.</summary>
    public KernelCache? Cache { get; init; }

    /// <summary>Pack for where NVRTC is not, or null for none.</summary>
    public KernelPack? Pack { get; init; }

    /// <summary>Whether NVRTC may be used. With false the compiler behaves as where there is none.</summary>
    public bool UseNvrtc { get; init; } = true;

    /// <summary>Whether PTX is made even where the driver would take cubins.</summary>
    public bool ForcePtx { get; init; }

    /// <summary>Whether a compilation that the cache does not have fails: for tests that nothing is compiled a second time.</summary>
    public bool FailOnCacheMiss { get; init; }

    /// <summary>Where to log, or null.</summary>
    public ILoggerFactory? LoggerFactory { get; init; }

    /// <summary>
    /// As the environment says: the user's cache folder (<c>KERNELS_CACHE</c>, else under <c>XDG_CACHE_HOME</c> or
    /// <c>~/.cache</c>), the pack (<c>KERNELS_PACK</c>, else <c>kernels.pack</c> beside the application or
    /// <c>native/kernels.pack</c> in a folder above it), and PTX where <c>KERNELS_JIT</c> is <c>ptx</c>.
    /// </summary>
    public static KernelCompilerOptions FromEnvironment() => new()
    {
        Cache = KernelCache.FromEnvironment(),
        Pack = KernelPack.FromEnvironment(),
        ForcePtx = string.Equals(Environment.GetEnvironmentVariable("KERNELS_JIT"), "ptx", StringComparison.OrdinalIgnoreCase),
    };
}
