using System.Collections.Concurrent;
using Kernels.Native;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Kernels.Runtime;

/// <summary>
/// Gets code for kernels and loads it: compiled by NVRTC and kept in the disk cache, or, where NVRTC is not, from the pack.
/// Cubins for the device's own architecture; PTX where NVRTC does not know it, where the driver refuses cubins (remembered for the
/// driver), or where it was asked for. Safe for use by several threads; a kernel that two ask for at once is compiled once.
/// </summary>
public sealed class KernelCompiler
{
    private static readonly Lazy<KernelCompiler> Shared = new(() => new KernelCompiler(KernelCompilerOptions.FromEnvironment()));

    /// <summary>Set once the driver answered a cubin for the device's own architecture with CUDA_ERROR_NO_BINARY_FOR_GPU.</summary>
    private static volatile bool _driverRefusesCubins;

    private readonly ConcurrentDictionary<string, Lazy<CompiledKernel>> _underWay = new(StringComparer.Ordinal);
    private readonly ILogger _log;
    private long _compilations;

    /// <summary>A compiler with options of its own.</summary>
    public KernelCompiler(KernelCompilerOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        Options = options;
        _log = options.LoggerFactory?.CreateLogger<KernelCompiler>() ?? NullLogger<KernelCompiler>.Instance;
    }

    /// <summary>The compiler that the environment describes (<see cref="KernelCompilerOptions.FromEnvironment"/>).</summary>
    public static KernelCompiler Default => Shared.Value;

    /// <summary>What it uses.</summary>
    public KernelCompilerOptions Options { get; }

    /// <summary>Compilations by NVRTC so far.</summary>
    public long Compilations => Volatile.Read(ref _compilations);

    /// <summary>Whether NVRTC is there and may be used.</summary>
    public bool HasNvrtc => Options.UseNvrtc && NvrtcLibrary.TryLoad();

    /// <summary>Loads a kernel for a device.</summary>
    /// <exception cref="NotSupportedException">The device is older than the kernel needs.</exception>
    /// <exception cref="KernelCompilationException">The source has errors, or no code can be had; the message says what to do.</exception>
    /// <exception cref="CudaException">The driver refuses the code.</exception>
    public KernelModule Load(Device device, KernelDefinition definition)
    {
        ArgumentNullException.ThrowIfNull(device);
        ArgumentNullException.ThrowIfNull(definition);
        if (device.ComputeCapability < definition.MinimumArchitecture)
        {
            throw new NotSupportedException(
                $"Kernel {definition.Name} needs compute capability {definition.MinimumArchitecture}, and {device} has {device.ComputeCapability}.");
        }

        return HasNvrtc ? LoadCompiled(device, definition) : KernelModule.Load(device, FindPacked(definition));
    }

    /// <summary>Compiles and loads a source that is in no catalog.</summary>
    /// <param name="device">Device to load it on.</param>
    /// <param name="source">Source with its headers.</param>
    /// <param name="options">Options, or null for the default ones.</param>
    /// <param name="entryPoints">What is launched or addressed; at least one.</param>
    public KernelModule Load(Device device, KernelSource source, CompileOptions? options, params IReadOnlyList<string> entryPoints)
    {
        ArgumentNullException.ThrowIfNull(source);
        return Load(device, new KernelDefinition
        {
            Name = source.Name,
            Source = source,
            Options = options ?? CompileOptions.Default,
            EntryPoints = [.. entryPoints],
            MinimumArchitecture = default,
        });
    }

    /// <summary>Compiles a kernel for an architecture, from the cache where it is there. Needs no device.</summary>
    /// <exception cref="KernelCompilationException">The source has errors, or there is no NVRTC.</exception>
    public CompiledKernel Compile(KernelDefinition definition, ComputeCapability architecture, CodeKind kind)
    {
        ArgumentNullException.ThrowIfNull(definition);
        if (!HasNvrtc)
            throw NoNvrtc(definition, "Compiling needs it.");

        string key = KernelDigest.OfCode(
            definition.Source, definition.Options, definition.EntryPoints, architecture, kind, NvrtcLibrary.Version!);
        Lazy<CompiledKernel> underWay = _underWay.GetOrAdd(key, _ => new Lazy<CompiledKernel>(() => GetOrCompile(key)));
        try
        {
            return underWay.Value;
        }
        finally
        {
            _underWay.TryRemove(new KeyValuePair<string, Lazy<CompiledKernel>>(key, underWay));
        }

        CompiledKernel GetOrCompile(string cacheKey)
        {
            if (Options.Cache?.TryGet(cacheKey) is { } cached)
            {
                _log.LogDebug("{Kernel}: {Kind} for {Architecture} from the cache.", definition.Name, kind, architecture);
                return cached;
            }

            if (Options.FailOnCacheMiss)
            {
                throw new KernelCompilationException(definition.Source.Name,
                    $"{kind} of {definition.Name} for {architecture} is not in the cache {Options.Cache?.Folder ?? "(none)"}, and a miss is set to fail.");
            }

            IDisposable? right = null;
            if (Options.Cache?.WaitForOthers(cacheKey, out right) is { } madeMeanwhile)
                return madeMeanwhile;
            using (right)
            {
                CompiledKernel compiled = NvrtcProgram.Compile(
                    definition.Source, definition.Options, architecture, kind, definition.EntryPoints);
                Interlocked.Increment(ref _compilations);
                _log.LogInformation("{Kernel}: compiled to {Kind} for {Architecture} in {Milliseconds:F0} ms.",
                    definition.Name, kind, architecture, compiled.CompileTime.TotalMilliseconds);
                Options.Cache?.Put(cacheKey, compiled);
                return compiled;
            }
        }
    }

    private KernelModule LoadCompiled(Device device, KernelDefinition definition)
    {
        ComputeCapability architecture = device.ComputeCapability;
        if (!Options.ForcePtx && !_driverRefusesCubins && NvrtcArchitectures.Contains(architecture))
        {
            CompiledKernel cubin = Compile(definition, architecture, CodeKind.Cubin);
            CUresult result = KernelModule.TryLoad(device, cubin, out KernelModule? module, out _);
            if (module is not null)
                return module;
            if (result != CUresult.CUDA_ERROR_NO_BINARY_FOR_GPU)
                return KernelModule.Load(device, cubin); // throws with the log
            _driverRefusesCubins = true;
            _log.LogDebug("The driver {Driver} takes no cubins; PTX from now on.", DriverLibrary.Path);
        }

        ComputeCapability ptx = NvrtcArchitectures.NewestUpTo(architecture) ?? throw new KernelCompilationException(
            definition.Source.Name, $"NVRTC {NvrtcLibrary.Version} compiles for no architecture up to {architecture}, which {device} has.");
        return KernelModule.Load(device, Compile(definition, ptx, CodeKind.Ptx));
    }

    private CompiledKernel FindPacked(KernelDefinition definition)
    {
        KernelPack? pack;
        try
        {
            pack = Options.Pack;
        }
        catch (InvalidDataException error)
        {
            throw NoNvrtc(definition, error.Message);
        }

        return pack is null
            ? throw NoNvrtc(definition, "There is no pack of compiled kernels either.")
            : pack.Find(definition) ?? throw NoNvrtc(definition, pack.Explain(definition));
    }

    private KernelCompilationException NoNvrtc(KernelDefinition definition, string reason)
    {
        string library = Options.UseNvrtc
            ? NvrtcLibrary.Report is { } report ? $"{Environment.NewLine}{report}" : ""
            : $"{Environment.NewLine}This compiler was told not to use NVRTC.";
        return new KernelCompilationException(definition.Source.Name,
            $"No code for kernel {definition.Name}: NVRTC is not there. {reason} Install a CUDA toolkit and set CUDA_PATH, or run " +
            $"`./build.sh nvrtc`, or set KERNELS_NVRTC to the path of libnvrtc.{library}");
    }
}
