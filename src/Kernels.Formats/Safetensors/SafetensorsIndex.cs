using System.Text.Json;

namespace Kernels.Formats.Safetensors;

/// <summary>The index of a sharded model, <c>model.safetensors.index.json</c>: which shard holds which tensor.</summary>
public sealed class SafetensorsIndex
{
    /// <summary>The usual file name of an index.</summary>
    public const string FileName = "model.safetensors.index.json";

    private const long MaxLength = SafetensorsHeader.MaxLength;

    private SafetensorsIndex(string path) => Path = path;

    /// <summary>Path of the index file.</summary>
    public string Path { get; }

    /// <summary>Shard file name of each tensor, in the order of the file.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> WeightMap { get; private set; } = [];

    /// <summary>Reads and validates an index. The shards are not opened.</summary>
    /// <exception cref="InvalidModelException">The file is no index.</exception>
    public static SafetensorsIndex Read(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        byte[] json = BoundedFile.ReadAllBytes(path, MaxLength);
        var index = new SafetensorsIndex(path);
        try
        {
            index.WeightMap = index.Parse(json);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw new InvalidModelException(path, null, $"the index is no valid JSON: {e.Message}", e);
        }
        return index;
    }

    /// <summary>Writes an index beside its shards, under its final name only once it is complete.</summary>
    /// <param name="path">Where to write.</param>
    /// <param name="weightMap">Tensor name and shard file name.</param>
    /// <param name="totalBytes">Bytes of all tensors.</param>
    public static void Write(string path, IEnumerable<KeyValuePair<string, string>> weightMap, long totalBytes)
    {
        ArgumentNullException.ThrowIfNull(weightMap);
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Indented = true }))
        {
            json.WriteStartObject();
            json.WriteStartObject("metadata");
            json.WriteNumber("total_size", totalBytes);
            json.WriteEndObject();
            json.WriteStartObject("weight_map");
            foreach (var (tensor, shard) in weightMap)
                json.WriteString(tensor, shard);
            json.WriteEndObject();
            json.WriteEndObject();
        }
        AtomicFile.WriteAllBytes(path, buffer.GetBuffer().AsSpan(0, (int)buffer.Length));
    }

    private List<KeyValuePair<string, string>> Parse(ReadOnlySpan<byte> json)
    {
        var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = 64 });
        if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
            throw new InvalidModelException(Path, null, "the index is no JSON object");
        List<KeyValuePair<string, string>>? map = null;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            bool isMap = reader.ValueTextEquals("weight_map"u8);
            reader.Read();
            if (!isMap)
            {
                reader.Skip();
                continue;
            }
            if (map is not null)
                throw new InvalidModelException(Path, null, "weight_map occurs twice");
            map = ParseMap(ref reader);
        }
        while (reader.Read())
        {
            // The reader throws for anything but white space.
        }
        return map ?? throw new InvalidModelException(Path, null, "the index has no weight_map");
    }

    private List<KeyValuePair<string, string>> ParseMap(ref Utf8JsonReader reader)
    {
        if (reader.TokenType != JsonTokenType.StartObject)
            throw new InvalidModelException(Path, null, "weight_map is no object");
        var map = new List<KeyValuePair<string, string>>();
        var names = new HashSet<string>(StringComparer.Ordinal);
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            string tensor = reader.GetString()!;
            reader.Read();
            if (reader.TokenType != JsonTokenType.String)
                throw new InvalidModelException(Path, tensor, "the entry of weight_map is no string");
            if (!names.Add(tensor))
                throw new InvalidModelException(Path, tensor, "the name occurs twice in weight_map");
            map.Add(new(tensor, reader.GetString()!));
        }
        return map;
    }
}
