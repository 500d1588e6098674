using System.Collections.Immutable;

namespace Kernels.Runtime;

/// <summary>Where code came from.</summary>
public enum CodeOrigin
{
    /// <summary>NVRTC compiled it.</summary>
    Compiler,

    /// <summary>The disk cache had it.</summary>
    Cache,

    /// <summary>The pack had it.</summary>
    Pack,
}

/// <summary>Code of a kernel source for one architecture.</summary>
public sealed class CompiledKernel
{
    private ImmutableArray<KernelResources>? _resources;

    internal CompiledKernel(string sourceName, CodeKind kind, ComputeCapability architecture, byte[] image,
        IReadOnlyDictionary<string, string> loweredNames, string log, CodeOrigin origin, TimeSpan compileTime)
    {
        SourceName = sourceName;
        Kind = kind;
        Architecture = architecture;
        ImageBytes = image;
        LoweredNames = loweredNames;
        Log = log;
        Origin = origin;
        CompileTime = compileTime;
    }

    /// <summary>Name of the source.</summary>
    public string SourceName { get; }

    /// <summary>Cubin or PTX.</summary>
    public CodeKind Kind { get; }

    /// <summary>Architecture it is for; PTX runs on it and all later ones.</summary>
    public ComputeCapability Architecture { get; }

    /// <summary>The code: a cubin, or PTX text in UTF-8 with its terminating zero.</summary>
    public ReadOnlyMemory<byte> Image => ImageBytes;

    /// <summary>Name in the code of each entry point.</summary>
    public IReadOnlyDictionary<string, string> LoweredNames { get; }

    /// <summary>What the compiler wrote: warnings, and for cubins the assembler's report.</summary>
    public string Log { get; }

    /// <summary>Where it came from.</summary>
    public CodeOrigin Origin { get; }

    /// <summary>Time NVRTC took; zero where it was not asked.</summary>
    public TimeSpan CompileTime { get; }

    /// <summary>Registers, shared memory and spills of each kernel; empty for PTX, for which nothing was assembled.</summary>
    public ImmutableArray<KernelResources> Resources => _resources ??= AssemblerLog.Parse(Log);

    internal byte[] ImageBytes { get; }

    internal CompiledKernel WithOrigin(CodeOrigin origin) =>
        new(SourceName, Kind, Architecture, ImageBytes, LoweredNames, Log, origin, TimeSpan.Zero);
}
