using System.Text.Json;

namespace Kernels.Formats.Safetensors;

/// <summary>Parses and validates the JSON header of a safetensors file.</summary>
internal sealed class SafetensorsHeader
{
    /// <summary>The format's own limit for the header, in bytes.</summary>
    internal const long MaxLength = 100_000_000;

    /// <summary>The most dimensions of a tensor that are read and written.</summary>
    internal const int MaxRank = 64;

    private const string MetadataKey = "__metadata__";

    private readonly string _file;
    private readonly HashSet<string> _names = new(StringComparer.Ordinal);

    private SafetensorsHeader(string file) => _file = file;

    /// <summary>Tensors with the first byte's offset in the data, in the order of their data.</summary>
    internal List<(TensorInfo Info, long Begin)> Tensors { get; } = [];

    internal Dictionary<string, string> Metadata { get; } = new(StringComparer.Ordinal);

    /// <summary>Parses a header and checks it against the length of the data that follows it.</summary>
    internal static SafetensorsHeader Parse(string file, ReadOnlySpan<byte> json, long dataLength)
    {
        var header = new SafetensorsHeader(file);
        if (json.IsEmpty || json[0] != (byte)'{')
            throw new InvalidModelException(file, null, "the header does not start with '{'");
        try
        {
            header.ReadObject(json);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // InvalidOperationException: a string that is no valid UTF-8 or UTF-16.
            throw new InvalidModelException(file, null, $"the header is no valid JSON: {e.Message}", e);
        }
        header.CheckLayout(dataLength);
        return header;
    }

    private void ReadObject(ReadOnlySpan<byte> json)
    {
        var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = 8 });
        reader.Read();
        bool sawMetadata = false;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            string name = reader.GetString()!;
            reader.Read();
            if (name == MetadataKey)
            {
                if (sawMetadata)
                    throw new InvalidModelException(_file, MetadataKey, "occurs twice in the header");
                sawMetadata = true;
                ReadMetadata(ref reader);
                continue;
            }
            if (!_names.Add(name))
                throw new InvalidModelException(_file, name, "the name occurs twice in the header");
            ReadTensor(ref reader, name);
        }
        while (reader.Read())
        {
            // Nothing may follow but white space; the reader throws for anything else.
        }
    }

    private void ReadMetadata(ref Utf8JsonReader reader)
    {
        if (reader.TokenType != JsonTokenType.StartObject)
            throw new InvalidModelException(_file, MetadataKey, "is no object of strings");
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            string key = reader.GetString()!;
            reader.Read();
            if (reader.TokenType != JsonTokenType.String)
                throw new InvalidModelException(_file, MetadataKey, $"the value of '{TensorName.Printable(key)}' is no string");
            if (!Metadata.TryAdd(key, reader.GetString()!))
                throw new InvalidModelException(_file, MetadataKey, $"the key '{TensorName.Printable(key)}' occurs twice");
        }
    }

    private void ReadTensor(ref Utf8JsonReader reader, string name)
    {
        if (reader.TokenType != JsonTokenType.StartObject)
            throw new InvalidModelException(_file, name, "the header's entry is no object");
        string? dtypeName = null;
        List<long>? shape = null;
        List<long>? offsets = null;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            string key = reader.GetString()!;
            reader.Read();
            bool again = key switch { "dtype" => dtypeName is not null, "shape" => shape is not null, "data_offsets" => offsets is not null, _ => false };
            if (again)
                throw new InvalidModelException(_file, name, $"the field '{key}' occurs twice");
            switch (key)
            {
                case "dtype":
                    if (reader.TokenType != JsonTokenType.String)
                        throw new InvalidModelException(_file, name, "dtype is no string");
                    dtypeName = reader.GetString()!;
                    break;
                case "shape":
                    shape = ReadIntegers(ref reader, name, "shape", MaxRank);
                    break;
                case "data_offsets":
                    offsets = ReadIntegers(ref reader, name, "data_offsets", 2);
                    break;
                default:
                    throw new InvalidModelException(_file, name, $"unknown field '{TensorName.Printable(key)}' (dtype, shape and data_offsets are known)");
            }
        }
        if (dtypeName is null || shape is null || offsets is null)
            throw new InvalidModelException(_file, name, $"the field '{(dtypeName is null ? "dtype" : shape is null ? "shape" : "data_offsets")}' is missing");
        AddTensor(name, dtypeName, [.. shape], offsets);
    }

    private void AddTensor(string name, string dtypeName, long[] shape, List<long> offsets)
    {
        if (!SafetensorsDtypes.TryParse(dtypeName, out SafetensorsDtype dtype))
            throw new InvalidModelException(_file, name, $"unknown element type '{TensorName.Printable(dtypeName)}' (known: {SafetensorsDtypes.KnownNames})");
        if (!TensorInfo.TryByteLength(dtype, shape, out long length, out string? problem))
            throw new InvalidModelException(_file, name, problem!);
        if (offsets.Count != 2)
            throw new InvalidModelException(_file, name, $"data_offsets has {offsets.Count} entries instead of 2");
        (long begin, long end) = (offsets[0], offsets[1]);
        if (begin > end)
            throw new InvalidModelException(_file, name, $"data_offsets [{begin}, {end}] end before they begin");
        if (end - begin != length)
            throw new InvalidModelException(_file, name, $"data_offsets [{begin}, {end}] hold {end - begin} bytes, but {dtypeName} [{string.Join(", ", shape)}] takes {length}");
        Tensors.Add((new TensorInfo(name, dtype, shape), begin));
    }

    private List<long> ReadIntegers(ref Utf8JsonReader reader, string name, string field, int limit)
    {
        if (reader.TokenType != JsonTokenType.StartArray)
            throw new InvalidModelException(_file, name, $"{field} is no array");
        var values = new List<long>();
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            if (reader.TokenType != JsonTokenType.Number || !reader.TryGetInt64(out long value) || value < 0)
                throw new InvalidModelException(_file, name, $"entry {values.Count} of {field} is no integer from 0 to 2^63-1");
            if (values.Count == limit)
                throw new InvalidModelException(_file, name, $"{field} has more than {limit} entries");
            values.Add(value);
        }
        return values;
    }

    // The data must be covered exactly: no overlap (two tensors that alias), no hole and no tail (bytes that nobody looks at).
    private void CheckLayout(long dataLength)
    {
        // Empty tensors first among equals, so that they do not look like overlaps.
        Tensors.Sort(static (a, b) => a.Begin != b.Begin ? a.Begin.CompareTo(b.Begin) : a.Info.ByteLength != b.Info.ByteLength && (a.Info.ByteLength == 0 || b.Info.ByteLength == 0)
            ? a.Info.ByteLength.CompareTo(b.Info.ByteLength) : string.CompareOrdinal(a.Info.Name, b.Info.Name));
        long next = 0;
        string? previous = null;
        foreach (var (info, begin) in Tensors)
        {
            if (begin > dataLength || info.ByteLength > dataLength - begin)
                throw new InvalidModelException(_file, info.Name, $"data_offsets [{begin}, {begin + info.ByteLength}] are outside the file's {dataLength} bytes of data");
            if (begin < next)
                throw new InvalidModelException(_file, info.Name, $"data starts at {begin}, inside '{TensorName.Printable(previous ?? "")}', which ends at {next}");
            if (begin > next)
                throw new InvalidModelException(_file, info.Name, $"data starts at {begin}, but the tensor before it ends at {next}: bytes between them belong to no tensor");
            next = begin + info.ByteLength;
            previous = info.Name;
        }
        if (next != dataLength)
            throw new InvalidModelException(_file, null, $"the tensors end at byte {next} of the data, but the file holds {dataLength} bytes of data");
    }
}
