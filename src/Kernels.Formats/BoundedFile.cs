namespace Kernels.Formats;

/// <summary>Reads small files (indexes, configurations) whole, with a limit against files that are not what they seem.</summary>
internal static class BoundedFile
{
    internal static byte[] ReadAllBytes(string path, long limit)
    {
        RegularFile.Check(path);
        using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read);
        if (stream.Length > limit)
            throw new InvalidModelException(path, null, $"the file has {stream.Length} bytes, above the limit of {limit} for its kind");
        byte[] bytes = new byte[stream.Length];
        stream.ReadExactly(bytes);
        // A byte order mark is no JSON, but editors leave it.
        return bytes.AsSpan().StartsWith("\uFEFF"u8) ? bytes[3..] : bytes;
    }
}
