using System.Buffers.Binary;
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Kernels.Formats.Safetensors;

/// <summary>
/// Writes a safetensors file tensor by tensor, so that models larger than memory can be written. The file appears under its name only
/// when <see cref="Commit"/> succeeds; until then it is a temporary file in the same folder.
/// </summary>
/// <remarks>
/// Two ways: with the tensors declared at the start, in the order of the file, their data may be written in any order;
/// with <see cref="CreateAppending"/> they need not be known before, and are laid out as they come.
/// </remarks>
public sealed class SafetensorsWriter : IDisposable
{
    // Relaxed: names and JSON inside metadata stay readable; the result is still plain JSON, not HTML.
    private static readonly JsonWriterOptions JsonOptions = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    // Braces and the metadata's key; field names, element type and brackets of an entry.
    private const int HeaderOverhead = 32;
    private const int EntryOverhead = 64;

    private readonly AtomicFile _file;
    private readonly List<(TensorInfo Info, long Begin)> _tensors = [];
    private readonly Dictionary<string, int> _pending = new(StringComparer.Ordinal);
    private readonly HashSet<string> _names = new(StringComparer.Ordinal);
    private readonly IReadOnlyDictionary<string, string> _metadata;
    private readonly bool _appending;
    private readonly long _headerLength;
    private long _dataLength;

    /// <summary>Starts a file whose tensors are all known. The writer throws where its own use is wrong; nothing is written before.</summary>
    /// <param name="path">Final path.</param>
    /// <param name="tensors">All tensors, in the order of their data.</param>
    /// <param name="metadata">The header's <c>__metadata__</c>, or null.</param>
    /// <exception cref="IOException">The file cannot be written, or its header would be longer than the format allows.</exception>
    public SafetensorsWriter(string path, IEnumerable<TensorInfo> tensors, IReadOnlyDictionary<string, string>? metadata = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        ArgumentNullException.ThrowIfNull(tensors);
        _metadata = metadata ?? new Dictionary<string, string>();
        foreach (var tensor in tensors)
        {
            _pending.Add(Declare(tensor), _tensors.Count - 1);
        }
        _headerLength = CheckedHeaderLength(BuildHeader().Length, path);
        _file = new AtomicFile(path);
    }

    private SafetensorsWriter(string path, IReadOnlyDictionary<string, string>? metadata, long headerCapacity)
    {
        _metadata = metadata ?? new Dictionary<string, string>();
        _appending = true;
        _headerLength = CheckedHeaderLength(headerCapacity + HeaderOverhead, path);
        _file = new AtomicFile(path);
    }

    /// <summary>Starts a file whose tensors come one after the other, laid out as they come.</summary>
    /// <param name="path">Final path.</param>
    /// <param name="headerCapacity">Bytes to keep for the header, from <see cref="HeaderCapacity"/> and <see cref="MetadataCapacity"/>; what is not needed is filled with spaces.</param>
    /// <param name="metadata">The header's <c>__metadata__</c>, or null. Read when the file is committed, so entries may be added until then.</param>
    /// <exception cref="IOException">The file cannot be written, or the capacity is above what the format allows a header.</exception>
    public static SafetensorsWriter CreateAppending(string path, long headerCapacity, IReadOnlyDictionary<string, string>? metadata = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        ArgumentOutOfRangeException.ThrowIfNegative(headerCapacity);
        return new SafetensorsWriter(path, metadata, headerCapacity);
    }

    /// <summary>An upper bound for the bytes that a tensor's entry takes in the header.</summary>
    /// <param name="name">The tensor's name.</param>
    /// <param name="rank">Number of dimensions.</param>
    /// <param name="largest">No dimension and no offset is above this.</param>
    public static long HeaderCapacity(string name, int rank, long largest)
    {
        int digits = largest.ToString(CultureInfo.InvariantCulture).Length + 1;
        return TextCapacity(name) + EntryOverhead + (digits * (rank + 2L));
    }

    /// <summary>An upper bound for the bytes that a metadata entry takes in the header.</summary>
    public static long MetadataCapacity(string key, string value) => TextCapacity(key) + TextCapacity(value) + 2;

    /// <summary>Writes all tensors at once.</summary>
    /// <param name="path">Final path.</param>
    /// <param name="tensors">The tensors in the order of the file.</param>
    /// <param name="metadata">The header's <c>__metadata__</c>, or null.</param>
    /// <param name="cancellation">Stops the work; nothing is left under <paramref name="path"/> then.</param>
    public static void WriteAll(string path, IReadOnlyCollection<TensorView> tensors, IReadOnlyDictionary<string, string>? metadata = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(tensors);
        using var writer = new SafetensorsWriter(path, tensors.Select(tensor => tensor.Info), metadata);
        foreach (var tensor in tensors)
            writer.Write(tensor.Name, tensor.Data, cancellation);
        writer.Commit();
    }

    /// <summary>Writes the data of a declared tensor. Each tensor is written once, in any order.</summary>
    public void Write(string name, ByteRegion data, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(name);
        if (!_pending.TryGetValue(name, out int index))
            throw new ArgumentException($"'{name}' was not declared, or is written already.", nameof(name));
        var (info, begin) = _tensors[index];
        CheckLength(info, data);
        _file.Write(data, 8 + _headerLength + begin, cancellation);
        _pending.Remove(name);
    }

    /// <summary>Writes a tensor behind those written so far; only for a writer made by <see cref="CreateAppending"/>.</summary>
    public void Append(TensorInfo tensor, ByteRegion data, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(tensor);
        if (!_appending)
            throw new InvalidOperationException("The tensors of this file were declared: use Write.");
        CheckLength(tensor, data);
        _file.Write(data, 8 + _headerLength + _dataLength, cancellation);
        Declare(tensor);
    }

    /// <summary>Writes the header, flushes the file to the disk and gives it its name.</summary>
    /// <exception cref="InvalidOperationException">A declared tensor was not written, or the header does not fit the kept capacity.</exception>
    public void Commit()
    {
        if (_pending.Count > 0)
            throw new InvalidOperationException($"{_pending.Count} declared tensors were not written, '{_pending.Keys.First()}' among them.");
        byte[] json = BuildHeader();
        if (json.Length > _headerLength)
            throw new InvalidOperationException($"The header takes {json.Length} bytes, but {_headerLength} were kept for it.");
        byte[] header = new byte[8 + _headerLength];
        BinaryPrimitives.WriteInt64LittleEndian(header, _headerLength);
        json.CopyTo(header, 8);
        header.AsSpan(8 + json.Length).Fill((byte)' ');
        _file.Write(header, 0);
        _file.Commit();
    }

    /// <summary>Removes the temporary file if the writer was not committed.</summary>
    public void Dispose() => _file.Dispose();

    private static void CheckLength(TensorInfo info, ByteRegion data)
    {
        if (data.Length != info.ByteLength)
            throw new ArgumentException($"'{info.Name}' of {info.Dtype.Name()} {info.ShapeText} takes {info.ByteLength} bytes, but {data.Length} were given.", nameof(data));
    }

    // Before any data is written: a header that no reader takes must not cost the work.
    private static long CheckedHeaderLength(long length, string path)
    {
        long aligned = (length + 7) & ~7L;
        return aligned <= SafetensorsHeader.MaxLength
            ? aligned
            : throw new IOException($"'{path}' cannot be written: names, shapes and metadata take {aligned} bytes of header, above the format's limit of {SafetensorsHeader.MaxLength}.");
    }

    private static long TextCapacity(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return JsonEncodedText.Encode(text, JsonOptions.Encoder).EncodedUtf8Bytes.Length + 2;
    }

    private string Declare(TensorInfo tensor)
    {
        if (tensor.Name == "__metadata__" || !_names.Add(tensor.Name))
            throw new ArgumentException($"The tensor name '{tensor.Name}' is used twice or reserved.", nameof(tensor));
        if (tensor.Shape.Length > SafetensorsHeader.MaxRank)
            throw new ArgumentException($"'{TensorName.Printable(tensor.Name)}' has {tensor.Shape.Length} dimensions, above the limit of {SafetensorsHeader.MaxRank}.", nameof(tensor));
        _tensors.Add((tensor, _dataLength));
        _dataLength = checked(_dataLength + tensor.ByteLength);
        return tensor.Name;
    }

    private byte[] BuildHeader()
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, JsonOptions))
        {
            json.WriteStartObject();
            if (_metadata.Count > 0)
            {
                json.WriteStartObject("__metadata__");
                foreach (var (key, value) in _metadata)
                    json.WriteString(key, value);
                json.WriteEndObject();
            }
            foreach (var (info, begin) in _tensors)
            {
                json.WriteStartObject(info.Name);
                json.WriteString("dtype", info.Dtype.Name());
                json.WriteStartArray("shape");
                foreach (long dimension in info.Shape)
                    json.WriteNumberValue(dimension);
                json.WriteEndArray();
                json.WriteStartArray("data_offsets");
                json.WriteNumberValue(begin);
                json.WriteNumberValue(begin + info.ByteLength);
                json.WriteEndArray();
                json.WriteEndObject();
            }
            json.WriteEndObject();
        }
        return buffer.ToArray();
    }
}
