using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;

namespace Kernels.Formats.DFloat11;

/// <summary>An entry of <c>pattern_dict</c>: modules whose whole name matches the regex are groups of the given matrices.</summary>
/// <param name="Regex">A regular expression for the whole module name. Untrusted: see <see cref="DFloat11Patterns"/>.</param>
/// <param name="SubPaths">Sub-paths of the matrices inside the module, in order; empty where the module itself is the matrix.</param>
public sealed record DFloat11Pattern(string Regex, ImmutableArray<string> SubPaths);

/// <summary>The <c>dfloat11_config</c> of a checkpoint.</summary>
public sealed class DFloat11Config
{
    /// <summary>The property of <c>config.json</c>.</summary>
    public const string PropertyName = "dfloat11_config";

    /// <summary>The version that our writer states.</summary>
    public const string WrittenVersion = "0.5.0";

    private const long MaxFileLength = 64 << 20;
    private static readonly Version OldestVersion = new(0, 2);
    private static readonly Version NewestVersion = new(0, 5, int.MaxValue);

    /// <summary>Describes a checkpoint.</summary>
    public DFloat11Config(string version, DFloat11Layout layout, IEnumerable<DFloat11Pattern> patterns)
    {
        ArgumentNullException.ThrowIfNull(version);
        ArgumentNullException.ThrowIfNull(layout);
        ArgumentNullException.ThrowIfNull(patterns);
        Version = version;
        Layout = layout;
        Patterns = [.. patterns];
    }

    /// <summary>Version of the layout, such as <c>0.5.0</c>.</summary>
    public string Version { get; }

    /// <summary>Threads a block and bytes a thread.</summary>
    public DFloat11Layout Layout { get; }

    /// <summary>The entries of <c>pattern_dict</c>, in order.</summary>
    public ImmutableArray<DFloat11Pattern> Patterns { get; }

    /// <summary>Reads <c>dfloat11_config</c> from a <c>config.json</c>; null where the file has none.</summary>
    /// <exception cref="InvalidModelException">The file is no JSON object, the entry is malformed, or its version is not supported.</exception>
    public static DFloat11Config? Read(string configPath)
    {
        ArgumentException.ThrowIfNullOrEmpty(configPath);
        byte[] json = BoundedFile.ReadAllBytes(configPath, MaxFileLength);
        return Guard(configPath, json, root => root.TryGetProperty(PropertyName, out var entry) ? Parse(configPath, entry) : null);
    }

    /// <summary>Reads the entry itself, as our writer keeps it in a file's metadata.</summary>
    internal static DFloat11Config Parse(string file, ReadOnlyMemory<byte> json) => Guard(file, json, root => Parse(file, root))!;

    /// <summary>Writes the value of <c>dfloat11_config</c>.</summary>
    internal void Write(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteString("version", Version);
        json.WriteStartArray("threads_per_block");
        json.WriteNumberValue(Layout.ThreadsPerBlock);
        json.WriteEndArray();
        json.WriteNumber("bytes_per_thread", Layout.BytesPerThread);
        json.WriteStartObject("pattern_dict");
        foreach (var pattern in Patterns)
        {
            json.WriteStartArray(pattern.Regex);
            foreach (string subPath in pattern.SubPaths)
                json.WriteStringValue(subPath);
            json.WriteEndArray();
        }
        json.WriteEndObject();
        json.WriteEndObject();
    }

    private static DFloat11Config? Guard(string file, ReadOnlyMemory<byte> json, Func<JsonElement, DFloat11Config?> parse)
    {
        try
        {
            using var document = JsonDocument.Parse(json, new JsonDocumentOptions { MaxDepth = 64, AllowDuplicateProperties = false });
            if (document.RootElement.ValueKind != JsonValueKind.Object)
                throw new InvalidModelException(file, null, "the configuration is no JSON object");
            return parse(document.RootElement);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw new InvalidModelException(file, null, $"the configuration is no valid JSON: {e.Message}", e);
        }
    }

    private static DFloat11Config Parse(string file, JsonElement entry)
    {
        if (entry.ValueKind != JsonValueKind.Object)
            throw Invalid(file, null, "is no object");
        string version = Text(file, Field(file, entry, "version"), "version");
        CheckVersion(file, version);
        return new DFloat11Config(version, ParseLayout(file, entry), ParsePatterns(file, Field(file, entry, "pattern_dict")));
    }

    private static void CheckVersion(string file, string text)
    {
        if (!System.Version.TryParse(text, out var version))
            throw Invalid(file, "version", $"is '{TensorName.Printable(text)}', not a version such as {WrittenVersion}");
        if (version < OldestVersion)
            throw Invalid(file, "version", $"is {text}: checkpoints before 0.2.0 hold pickled code tables, which are not read because they can run code. Compress the original model again");
        if (version > NewestVersion)
            throw Invalid(file, "version", $"is {text}; versions 0.2.0 to 0.5.0 are supported");
    }

    private static DFloat11Layout ParseLayout(string file, JsonElement entry)
    {
        JsonElement threads = Field(file, entry, "threads_per_block");
        long perBlock = 1;
        if (threads.ValueKind == JsonValueKind.Array)
        {
            // Dimensions of a block, as a launch takes them.
            if (threads.GetArrayLength() is < 1 or > 3)
                throw Invalid(file, "threads_per_block", $"has {threads.GetArrayLength()} dimensions; 1 to 3 are possible");
            foreach (var dimension in threads.EnumerateArray())
                perBlock *= Integer(file, dimension, "threads_per_block", 1, 1024);
        }
        else
        {
            perBlock = Integer(file, threads, "threads_per_block", 1, 1024);
        }
        if (perBlock > 1024)
            throw Invalid(file, "threads_per_block", $"gives {perBlock} threads, above the limit of 1024");
        return new DFloat11Layout((int)perBlock, (int)Integer(file, Field(file, entry, "bytes_per_thread"), "bytes_per_thread", 4, 64));
    }

    private static List<DFloat11Pattern> ParsePatterns(string file, JsonElement dictionary)
    {
        if (dictionary.ValueKind != JsonValueKind.Object)
            throw Invalid(file, "pattern_dict", "is no object");
        var patterns = new List<DFloat11Pattern>();
        foreach (var property in dictionary.EnumerateObject())
        {
            string shown = TensorName.Printable(property.Name);
            if (property.Value.ValueKind != JsonValueKind.Array)
                throw Invalid(file, "pattern_dict", $"the entry of '{shown}' is no list");
            patterns.Add(new(property.Name, [.. property.Value.EnumerateArray().Select(item => Text(file, item, $"pattern_dict['{shown}']"))]));
        }
        return patterns;
    }

    private static JsonElement Field(string file, JsonElement entry, string name) =>
        entry.TryGetProperty(name, out var field) ? field : throw Invalid(file, name, "is missing");

    private static string Text(string file, JsonElement element, string field) => element.ValueKind == JsonValueKind.String
        ? element.GetString()!
        : throw Invalid(file, field, $"holds a {element.ValueKind} where a string is expected");

    private static long Integer(string file, JsonElement element, string field, long least, long most)
    {
        if (element.ValueKind != JsonValueKind.Number || !element.TryGetInt64(out long value))
            throw Invalid(file, field, "is no integer");
        if (value < least || value > most)
            throw Invalid(file, field, string.Create(CultureInfo.InvariantCulture, $"is {value}; {least} to {most} are possible"));
        return value;
    }

    private static InvalidModelException Invalid(string file, string? field, string reason) =>
        new(file, field is null ? PropertyName : $"{PropertyName}.{field}", reason);
}
