using Microsoft.Extensions.Logging;

namespace Kernels.Runtime;

/// <summary>What a <see cref="KernelCompiler"/> uses.</summary>
public sealed record KernelCompilerOptions
{
    private readonly KernelPack? _pack;
    private readonly Lazy<KernelPack?>? _packOfEnvironment;

    /// <summary>No cache, no pack, NVRTC where it is.</summary>
    public KernelCompilerOptions()
    {
    }

    private KernelCompilerOptions(Lazy<KernelPack?> pack) => _packOfEnvironment = pack;

    /// <summary>Disk cache, or null for none.</summary>
    public KernelCache? Cache { get; init; }

    /// <summary>Pack for where NVRTC is not, or null for none. That of the environment is read when it is first asked for.</summary>
    /// <exception cref="InvalidDataException">The pack of the environment is damaged or not where <c>KERNELS_PACK</c> says.</exception>
    public KernelPack? Pack
    {
        get => _pack ?? _packOfEnvironment?.Value;
        init => (_pack, _packOfEnvironment) = (value, null);
    }

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
    public static KernelCompilerOptions FromEnvironment() => new(new Lazy<KernelPack?>(KernelPack.FromEnvironment))
    {
        Cache = KernelCache.FromEnvironment(),
        ForcePtx = string.Equals(Environment.GetEnvironmentVariable("KERNELS_JIT"), "ptx", StringComparison.OrdinalIgnoreCase),
    };

    /// <summary>What was set; the pack by its path, as it may be damaged or not yet read.</summary>
    public override string ToString() =>
        $"cache {Cache?.Folder ?? "none"}, pack {_pack?.Path ?? (_packOfEnvironment is null ? "none" : "of the environment")}, " +
        $"NVRTC {UseNvrtc}, PTX {ForcePtx}, fail on a miss {FailOnCacheMiss}";
}
