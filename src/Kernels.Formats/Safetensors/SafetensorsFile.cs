using System.Buffers.Binary;
using System.IO.MemoryMappedFiles;

namespace Kernels.Formats.Safetensors;

/// <summary>
/// One safetensors file, mapped into memory and fully validated when opened. Tensors may be larger than 2 GiB. Reading touches only
/// the pages that are asked for.
/// </summary>
/// <remarks>Thread-safe. The file must not be shortened while it is open: the operating system ends a process that reads past the end of a mapped file.</remarks>
public sealed unsafe class SafetensorsFile : IDisposable
{
    private readonly Dictionary<string, TensorView> _byName = new(StringComparer.Ordinal);
    private readonly MemoryMappedFile _file;
    private readonly MemoryMappedViewAccessor _view;
    private bool _disposed;

    private SafetensorsFile(string path, MemoryMappedFile file, MemoryMappedViewAccessor view, long length)
    {
        Path = path;
        _file = file;
        _view = view;
        byte* pointer = null;
        view.SafeMemoryMappedViewHandle.AcquirePointer(ref pointer);
        try
        {
            pointer += view.PointerOffset;
            long headerLength = CheckedHeaderLength(path, new ReadOnlySpan<byte>(pointer, 8), length);
            var header = SafetensorsHeader.Parse(path, new ReadOnlySpan<byte>(pointer + 8, (int)headerLength), length - 8 - headerLength);
            var data = new ByteRegion(pointer + 8 + headerLength, length - 8 - headerLength, this);
            var tensors = new List<TensorView>(header.Tensors.Count);
            foreach (var (info, begin) in header.Tensors)
            {
                var tensor = new TensorView(info, data.Slice(begin, info.ByteLength), path);
                tensors.Add(tensor);
                _byName.Add(info.Name, tensor);
            }
            Tensors = tensors;
            Metadata = header.Metadata;
        }
        catch
        {
            view.SafeMemoryMappedViewHandle.ReleasePointer();
            throw;
        }
    }

    /// <summary>Path the file was opened by.</summary>
    public string Path { get; }

    /// <summary>All tensors, in the order of their data.</summary>
    public IReadOnlyList<TensorView> Tensors { get; }

    /// <summary>The header's <c>__metadata__</c>; empty where it has none.</summary>
    public IReadOnlyDictionary<string, string> Metadata { get; }

    /// <summary>Maps and validates a file.</summary>
    /// <exception cref="InvalidModelException">The file is no valid safetensors file; the message names tensor and reason.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static SafetensorsFile Open(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        RegularFile.Check(path);
        var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0);
        MemoryMappedFile? mapped = null;
        MemoryMappedViewAccessor? view = null;
        try
        {
            long length = stream.Length;
            if (length < 8)
                throw new InvalidModelException(path, null, $"the file has {length} bytes; a safetensors file starts with 8 bytes of header length");
            mapped = MemoryMappedFile.CreateFromFile(stream, null, 0, MemoryMappedFileAccess.Read, HandleInheritability.None, leaveOpen: false);
            view = mapped.CreateViewAccessor(0, length, MemoryMappedFileAccess.Read);
            return new SafetensorsFile(path, mapped, view, length);
        }
        catch
        {
            view?.Dispose();
            mapped?.Dispose();
            stream.Dispose();
            throw;
        }
    }

    /// <summary>Finds a tensor by name.</summary>
    public bool TryGetTensor(string name, out TensorView tensor) => _byName.TryGetValue(name, out tensor!);

    /// <summary>Unmaps the file. Every view and region of it becomes invalid.</summary>
    public void Dispose()
    {
        if (_disposed)
            return;
        _disposed = true;
        _view.SafeMemoryMappedViewHandle.ReleasePointer();
        _view.Dispose();
        _file.Dispose();
    }

    private static long CheckedHeaderLength(string path, ReadOnlySpan<byte> prefix, long fileLength)
    {
        ulong length = BinaryPrimitives.ReadUInt64LittleEndian(prefix);
        if (length > (ulong)SafetensorsHeader.MaxLength)
            throw new InvalidModelException(path, null, $"the header length {length} is above the format's limit of {SafetensorsHeader.MaxLength} bytes (is this a safetensors file?)");
        if (length > (ulong)(fileLength - 8))
            throw new InvalidModelException(path, null, $"the header length {length} goes beyond the file's {fileLength} bytes: the file is truncated or is no safetensors file");
        return (long)length;
    }
}
