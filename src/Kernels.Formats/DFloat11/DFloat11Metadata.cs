using System.Buffers;
using System.Collections.Immutable;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Kernels.Formats.Safetensors;

namespace Kernels.Formats.DFloat11;

/// <summary>
/// What DF11's own fields do not tell and our writer puts into the safetensors <c>__metadata__</c>, where other readers ignore it: the
/// names and shapes of a group's matrices, the order of the original tensors, and the configuration (a single file has no config.json).
/// </summary>
internal static class DFloat11Metadata
{
    internal const string Prefix = "dfloat11.";
    internal const string ConfigKey = Prefix + "config";
    internal const string OrderKey = Prefix + "order";
    private const string GroupPrefix = Prefix + "group.";

    private static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    internal static string GroupKey(string group) => GroupPrefix + group;

    /// <summary>[["name", [rows, columns]], ...]</summary>
    internal static string WriteMatrices(IEnumerable<DFloat11Matrix> matrices) => Write(json =>
    {
        json.WriteStartArray();
        foreach (var matrix in matrices)
        {
            json.WriteStartArray();
            json.WriteStringValue(matrix.Name);
            json.WriteStartArray();
            foreach (long dimension in matrix.Shape)
                json.WriteNumberValue(dimension);
            json.WriteEndArray();
            json.WriteEndArray();
        }
        json.WriteEndArray();
    });

    internal static string WriteOrder(IEnumerable<string> names) => Write(json =>
    {
        json.WriteStartArray();
        foreach (string name in names)
            json.WriteStringValue(name);
        json.WriteEndArray();
    });

    internal static string WriteConfig(DFloat11Config config) => Write(config.Write);

    internal static List<(string Name, ImmutableArray<long> Shape)> ReadMatrices(string file, string key, string text) => Read(file, key, text, root =>
    {
        var matrices = new List<(string, ImmutableArray<long>)>();
        foreach (var entry in root.EnumerateArray())
        {
            if (entry.GetArrayLength() != 2)
                throw new InvalidModelException(file, key, $"entry {matrices.Count} is no pair of name and shape");
            string name = entry[0].GetString() ?? "";
            if (entry[1].GetArrayLength() > SafetensorsHeader.MaxRank)
                throw new InvalidModelException(file, key, $"entry {matrices.Count} has {entry[1].GetArrayLength()} dimensions, above the limit of {SafetensorsHeader.MaxRank}");
            ImmutableArray<long> shape = [.. entry[1].EnumerateArray().Select(dimension => dimension.GetInt64())];
            if (name.Length == 0 || shape.Any(dimension => dimension < 0))
                throw new InvalidModelException(file, key, $"entry {matrices.Count} has an empty name or a negative dimension");
            matrices.Add((name, shape));
        }
        return matrices;
    });

    internal static List<string> ReadOrder(string file, string text) =>
        Read(file, OrderKey, text, root => root.EnumerateArray().Select(name => name.GetString() ?? "").ToList());

    private static string Write(Action<Utf8JsonWriter> write)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer, Options))
            write(json);
        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

    private static T Read<T>(string file, string key, string text, Func<JsonElement, T> read)
    {
        try
        {
            using var document = JsonDocument.Parse(text);
            return read(document.RootElement);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException and not InvalidModelException)
        {
            // InvalidOperationException: a value of another kind; FormatException: a number that is no 64-bit integer.
            throw new InvalidModelException(file, key, $"the metadata is malformed: {e.Message}", e);
        }
    }
}
