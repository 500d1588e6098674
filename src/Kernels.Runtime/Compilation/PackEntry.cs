namespace Kernels.Runtime;

/// <summary>A kernel in a pack.</summary>
/// <param name="Name">Name of the definition.</param>
/// <param name="Digest">SHA-256, in hexadecimal, of source, headers, options and entry points.</param>
/// <param name="Code">PTX.</param>
public sealed record PackEntry(string Name, string Digest, CompiledKernel Code);
