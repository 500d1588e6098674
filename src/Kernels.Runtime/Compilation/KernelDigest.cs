using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace Kernels.Runtime;

/// <summary>Digests of everything that code depends on. Every part is preceded by its length, so that parts cannot run together.</summary>
internal static class KernelDigest
{
    /// <summary>Raised whenever the same inputs come to give other code; 2: PTX without the folder it was compiled in.</summary>
    private const int Schema = 2;

    /// <summary>What the same PTX comes from, whichever NVRTC made it: key of packs.</summary>
    public static string OfInputs(KernelSource source, CompileOptions options, IEnumerable<string> entryPoints)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        AppendInputs(hash, source, options, entryPoints);
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    /// <summary>What the same bytes come from: key of the disk cache.</summary>
    public static string OfCode(KernelSource source, CompileOptions options, IEnumerable<string> entryPoints,
        ComputeCapability architecture, CodeKind kind, Version compiler)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        AppendInputs(hash, source, options, entryPoints);
        Append(hash, kind == CodeKind.Cubin ? architecture.RealName : architecture.VirtualName);
        Append(hash, kind.ToString());
        Append(hash, compiler.ToString());
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    private static void AppendInputs(
        IncrementalHash hash, KernelSource source, CompileOptions options, IEnumerable<string> entryPoints)
    {
        Append(hash, Schema);
        Append(hash, source.Name);
        Append(hash, source.Text);
        AppendAll(hash, source.Headers.OrderBy(header => header.Key, StringComparer.Ordinal)
            .SelectMany(header => (string[])[header.Key, header.Value]));
        AppendAll(hash, options.ToArguments());
        AppendAll(hash, entryPoints);
    }

    private static void AppendAll(IncrementalHash hash, IEnumerable<string> parts)
    {
        string[] all = [.. parts];
        Append(hash, all.Length);
        foreach (string part in all)
            Append(hash, part);
    }

    private static void Append(IncrementalHash hash, string part)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(part);
        Append(hash, bytes.Length);
        hash.AppendData(bytes);
    }

    private static void Append(IncrementalHash hash, int number)
    {
        Span<byte> bytes = stackalloc byte[4];
        BinaryPrimitives.WriteInt32LittleEndian(bytes, number);
        hash.AppendData(bytes);
    }
}
