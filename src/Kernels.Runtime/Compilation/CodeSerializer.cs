using System.Security.Cryptography;
using System.Text;

namespace Kernels.Runtime;

/// <summary>
/// Compiled code as bytes: magic, schema, fields, and the SHA-256 of all that. Little-endian; strings as <see cref="BinaryWriter"/>
/// writes them.
/// </summary>
internal static class CodeSerializer
{
    private const int Schema = 1;
    private const int DigestBytes = 32;

    private static ReadOnlySpan<byte> Magic => "KRNCODE\0"u8;

    public static byte[] Write(CompiledKernel code)
    {
        using var bytes = new MemoryStream();
        using (var writer = new BinaryWriter(bytes, Encoding.UTF8, leaveOpen: true))
        {
            writer.Write(Magic);
            writer.Write(Schema);
            writer.Write((int)code.Kind);
            writer.Write(code.Architecture.Value);
            writer.Write(code.SourceName);
            writer.Write(code.LoweredNames.Count);
            foreach ((string name, string lowered) in code.LoweredNames.OrderBy(pair => pair.Key, StringComparer.Ordinal))
            {
                writer.Write(name);
                writer.Write(lowered);
            }

            writer.Write(code.Log);
            writer.Write(code.ImageBytes.Length);
            writer.Write(code.ImageBytes);
        }

        bytes.Write(SHA256.HashData(bytes.GetBuffer().AsSpan(0, (int)bytes.Length)));
        return bytes.ToArray();
    }

    /// <summary>Reads what <see cref="Write"/> wrote.</summary>
    /// <exception cref="InvalidDataException">The bytes are not that, or a byte is not as it was.</exception>
    public static CompiledKernel Read(byte[] bytes, CodeOrigin origin)
    {
        if (bytes.Length < Magic.Length + DigestBytes || !bytes.AsSpan().StartsWith(Magic))
            throw new InvalidDataException("no code entry");
        ReadOnlySpan<byte> covered = bytes.AsSpan(0, bytes.Length - DigestBytes);
        if (!SHA256.HashData(covered).AsSpan().SequenceEqual(bytes.AsSpan(covered.Length)))
            throw new InvalidDataException("digest does not match");

        // From here on the bytes are those that Write wrote, so that only the schema can differ.
        using var reader = new BinaryReader(new MemoryStream(bytes, 0, covered.Length), Encoding.UTF8);
        reader.BaseStream.Position = Magic.Length;
        int schema = reader.ReadInt32();
        if (schema != Schema)
            throw new InvalidDataException($"schema {schema}, expected {Schema}");
        var kind = (CodeKind)reader.ReadInt32();
        ComputeCapability architecture = ComputeCapability.FromValue(reader.ReadInt32());
        string sourceName = reader.ReadString();
        int count = reader.ReadInt32();
        var names = new Dictionary<string, string>(count, StringComparer.Ordinal);
        for (int i = 0; i < count; i++)
            names.Add(reader.ReadString(), reader.ReadString());
        string log = reader.ReadString();
        byte[] image = reader.ReadBytes(reader.ReadInt32());
        return new CompiledKernel(sourceName, kind, architecture, image, names, log, origin, TimeSpan.Zero);
    }
}
