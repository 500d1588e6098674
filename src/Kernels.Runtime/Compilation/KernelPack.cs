using System.Buffers.Binary;
using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;

namespace Kernels.Runtime;

/// <summary>
/// PTX of many kernels in their default configurations in one file, for where NVRTC is not. An entry is found by the digest of
/// source, headers, options and entry points: a kernel that changed since the pack was made is not found.
/// </summary>
/// <remarks>
/// The file: magic <c>KRNPACK</c> and a zero; schema (int32, little-endian, as all integers); number of entries (int32); for each,
/// ordered by name, its name (length in bytes as int32, UTF-8), its digest (32 bytes), length of the compressed code (int32) and the
/// code: a Deflate stream of magic, fields and SHA-256 as in the disk cache. At the end the SHA-256 of all bytes before.
/// </remarks>
public sealed class KernelPack
{
    /// <summary>Name of the environment variable that holds the pack's path.</summary>
    public const string EnvironmentVariable = "KERNELS_PACK";

    private const int Schema = 1;
    private const int DigestBytes = 32;

    private readonly Dictionary<string, PackEntry> _byDigest;

    /// <summary>A pack of these entries.</summary>
    /// <exception cref="ArgumentException">Two have the same name.</exception>
    public KernelPack(IEnumerable<PackEntry> entries)
    {
        ArgumentNullException.ThrowIfNull(entries);
        Entries = [.. entries.OrderBy(entry => entry.Name, StringComparer.Ordinal)];
        for (int i = 1; i < Entries.Count; i++)
        {
            if (Entries[i].Name == Entries[i - 1].Name)
                throw new ArgumentException($"Two entries are named '{Entries[i].Name}'.", nameof(entries));
        }

        // Two definitions may have the same inputs and with them the same code.
        _byDigest = [];
        foreach (PackEntry entry in Entries)
            _byDigest.TryAdd(entry.Digest, entry);
    }

    /// <summary>All entries, ordered by name.</summary>
    public IReadOnlyList<PackEntry> Entries { get; }

    /// <summary>File the pack was read from, or null.</summary>
    public string? Path { get; private init; }

    private static ReadOnlySpan<byte> Magic => "KRNPACK\0"u8;

    /// <summary>
    /// The pack that <c>KERNELS_PACK</c> names, else <c>kernels.pack</c> beside the application, else <c>native/kernels.pack</c> in
    /// the nearest folder above it that has one; null where there is none.
    /// </summary>
    /// <exception cref="InvalidDataException">The file is damaged, or <c>KERNELS_PACK</c> names one that is not there.</exception>
    public static KernelPack? FromEnvironment()
    {
        string? named = Environment.GetEnvironmentVariable(EnvironmentVariable);
        if (!string.IsNullOrEmpty(named))
            return File.Exists(named) ? Read(named) : throw new InvalidDataException(
                $"The pack '{named}' cannot be used: {EnvironmentVariable} names it and it is not there. `./build.sh ptx-pack` makes one.");
        string beside = System.IO.Path.Combine(AppContext.BaseDirectory, "kernels.pack");
        if (File.Exists(beside))
            return Read(beside);
        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            string candidate = System.IO.Path.Combine(folder.FullName, "native", "kernels.pack");
            if (File.Exists(candidate))
                return Read(candidate);
        }

        return null;
    }

    /// <summary>Compiles every kernel of a catalog to PTX for the lowest architecture it needs.</summary>
    /// <exception cref="KernelCompilationException">A kernel does not compile, or there is no NVRTC.</exception>
    public static KernelPack Create(KernelCompiler compiler, IEnumerable<KernelDefinition> catalog)
    {
        ArgumentNullException.ThrowIfNull(compiler);
        ArgumentNullException.ThrowIfNull(catalog);
        return new KernelPack(catalog.Select(definition => new PackEntry(
            definition.Name, DigestOf(definition),
            compiler.Compile(definition, definition.MinimumArchitecture, CodeKind.Ptx).WithOrigin(CodeOrigin.Pack))));
    }

    /// <summary>Reads a pack.</summary>
    /// <exception cref="InvalidDataException">The file is no pack, of another schema, or damaged.</exception>
    public static KernelPack Read(string path)
    {
        byte[] bytes = File.ReadAllBytes(path);
        try
        {
            return new KernelPack(ReadEntries(bytes)) { Path = path };
        }
        catch (Exception error) when (error is InvalidDataException or ArgumentException or EndOfStreamException)
        {
            throw new InvalidDataException($"The pack '{path}' cannot be used: {error.Message}. `./build.sh ptx-pack` makes it anew.", error);
        }
    }

    /// <summary>Writes the pack to a file, which has its name only when it is whole.</summary>
    public void Write(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        using var bytes = new MemoryStream();
        using (var writer = new BinaryWriter(bytes, Encoding.UTF8, leaveOpen: true))
        {
            writer.Write(Magic);
            writer.Write(Schema);
            writer.Write(Entries.Count);
            foreach (PackEntry entry in Entries)
            {
                byte[] name = Encoding.UTF8.GetBytes(entry.Name);
                byte[] code = Compress(CodeSerializer.Write(entry.Code));
                writer.Write(name.Length);
                writer.Write(name);
                writer.Write(Convert.FromHexString(entry.Digest));
                writer.Write(code.Length);
                writer.Write(code);
            }
        }

        bytes.Write(SHA256.HashData(bytes.GetBuffer().AsSpan(0, (int)bytes.Length)));
        string temporary = $"{path}.{Guid.NewGuid():N}.tmp";
        try
        {
            File.WriteAllBytes(temporary, bytes.ToArray());
            File.Move(temporary, path, overwrite: true);
        }
        catch
        {
            File.Delete(temporary);
            throw;
        }
    }

    /// <summary>Code of a kernel exactly as it is defined, or null.</summary>
    public CompiledKernel? Find(KernelDefinition definition)
    {
        ArgumentNullException.ThrowIfNull(definition);
        return _byDigest.GetValueOrDefault(DigestOf(definition))?.Code;
    }

    /// <summary>How the pack differs from a catalog; empty where it is fresh and complete.</summary>
    public IReadOnlyList<PackDiscrepancy> Compare(IEnumerable<KernelDefinition> catalog)
    {
        ArgumentNullException.ThrowIfNull(catalog);
        var packed = Entries.ToDictionary(entry => entry.Name, entry => entry.Digest, StringComparer.Ordinal);
        var differences = new List<PackDiscrepancy>();
        foreach (KernelDefinition definition in catalog)
        {
            if (!packed.Remove(definition.Name, out string? digest))
                differences.Add(new PackDiscrepancy(definition.Name, PackState.Missing));
            else if (digest != DigestOf(definition))
                differences.Add(new PackDiscrepancy(definition.Name, PackState.Stale));
        }

        differences.AddRange(packed.Keys.Select(name => new PackDiscrepancy(name, PackState.Extra)));
        return differences;
    }

    /// <summary>Why <see cref="Find"/> gives null.</summary>
    internal string Explain(KernelDefinition definition) => Entries.Any(entry => entry.Name == definition.Name)
        ? $"The pack {Path} is stale: {definition.Name} changed since it was made, or is not in its default configuration."
        : $"The pack {Path} does not have {definition.Name}.";

    private static string DigestOf(KernelDefinition definition) =>
        KernelDigest.OfInputs(definition.Source, definition.Options, definition.EntryPoints);

    private static List<PackEntry> ReadEntries(byte[] bytes)
    {
        if (bytes.Length < Magic.Length + 8 + DigestBytes || !bytes.AsSpan().StartsWith(Magic))
            throw new InvalidDataException("it does not begin as a pack does");
        int end = bytes.Length - DigestBytes;
        if (!SHA256.HashData(bytes.AsSpan(0, end)).AsSpan().SequenceEqual(bytes.AsSpan(end)))
            throw new InvalidDataException("its digest does not match its bytes");

        int at = Magic.Length;
        int schema = ReadInt32();
        if (schema != Schema)
            throw new InvalidDataException($"its schema is {schema}, and this version reads {Schema}");
        int count = ReadInt32();
        var entries = new List<PackEntry>();
        for (int i = 0; i < count; i++)
        {
            string name = Encoding.UTF8.GetString(ReadBytes(ReadInt32()));
            string digest = Convert.ToHexStringLower(ReadBytes(DigestBytes));
            byte[] code = Decompress(ReadBytes(ReadInt32()).ToArray());
            entries.Add(new PackEntry(name, digest, CodeSerializer.Read(code, CodeOrigin.Pack)));
        }

        return entries;

        int ReadInt32() => BinaryPrimitives.ReadInt32LittleEndian(ReadBytes(4));

        ReadOnlySpan<byte> ReadBytes(int length)
        {
            if (length < 0 || length > end - at)
                throw new InvalidDataException($"a field of {length} bytes at {at} does not fit into {end}");
            at += length;
            return bytes.AsSpan(at - length, length);
        }
    }

    private static byte[] Compress(byte[] code)
    {
        using var compressed = new MemoryStream();
        using (var deflate = new DeflateStream(compressed, CompressionLevel.SmallestSize))
            deflate.Write(code);
        return compressed.ToArray();
    }

    private static byte[] Decompress(byte[] compressed)
    {
        using var code = new MemoryStream();
        using (var inflate = new DeflateStream(new MemoryStream(compressed), CompressionMode.Decompress))
            inflate.CopyTo(code);
        return code.ToArray();
    }
}
