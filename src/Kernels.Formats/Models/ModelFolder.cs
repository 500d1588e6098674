using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Kernels.Formats.Safetensors;

namespace Kernels.Formats;

/// <summary>What lies beside the tensors of a model: its configuration, and files such as the tokenizer, which are copied as they are.</summary>
internal static class ModelFolder
{
    internal const string ConfigName = "config.json";
    private const long MaxConfigLength = 64 << 20;

    /// <summary>Weights, in this format or another in which repositories keep the same ones again.</summary>
    private static readonly string[] WeightExtensions = [".safetensors", ".bin", ".pt", ".pth", ".ckpt", ".gguf", ".h5", ".msgpack", ".onnx", ".pkl"];

    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Whether an output path means a single file and not a folder.</summary>
    internal static bool IsFile(string path) => path.EndsWith(".safetensors", StringComparison.OrdinalIgnoreCase);

    /// <summary>
    /// Copies the files at the top of a folder that hold neither weights nor the configuration. Hidden files, and links that lead outside,
    /// are left out; of empty files, and of what is no regular file, only the name is kept.
    /// </summary>
    internal static void CopyOthers(string from, string to, CancellationToken cancellation)
    {
        foreach (string file in Directory.EnumerateFiles(from))
        {
            cancellation.ThrowIfCancellationRequested();
            string name = Path.GetFileName(file);
            bool isModel = name == ConfigName || name.StartsWith('.') || name.EndsWith(".index.json", StringComparison.Ordinal)
                || WeightExtensions.Contains(Path.GetExtension(name), StringComparer.OrdinalIgnoreCase);
            if (isModel || !ShardPath.StaysInside(from, file, out _))
                continue;
            // What has no bytes is not opened: it may be a pipe.
            if (RegularFile.Length(file) == 0)
                File.WriteAllBytes(Path.Combine(to, name), []);
            else
                File.Copy(file, Path.Combine(to, name));
        }
    }

    /// <summary>Reads and validates the configuration of a folder, without one property; empty where there is no folder or it has none.</summary>
    /// <exception cref="InvalidModelException">The file is no JSON object that can be written again.</exception>
    internal static JsonObject ReadConfig(string? folder, string without)
    {
        string? path = folder is null ? null : Path.Combine(folder, ConfigName);
        if (path is null || !File.Exists(path))
            return [];
        byte[] json = BoundedFile.ReadAllBytes(path, MaxConfigLength);
        try
        {
            var root = JsonNode.Parse(json, documentOptions: new JsonDocumentOptions { MaxDepth = 64, AllowDuplicateProperties = false });
            var config = root as JsonObject ?? throw new InvalidModelException(path, null, "the configuration is no JSON object");
            config.Remove(without);
            // Strings are decoded only now: one that is no valid UTF-16, such as "\ud800", could not be written later.
            _ = config.ToJsonString(Indented);
            return config;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or ArgumentException)
        {
            throw new InvalidModelException(path, null, $"the configuration is no valid JSON: {e.Message}", e);
        }
    }

    /// <summary>Writes a configuration, unless it is empty.</summary>
    internal static void WriteConfig(JsonObject config, string to)
    {
        if (config.Count > 0)
            AtomicFile.WriteAllBytes(Path.Combine(to, ConfigName), Encoding.UTF8.GetBytes(config.ToJsonString(Indented) + "\n"));
    }

    /// <summary>Refuses to write over a file of the model that is being read.</summary>
    internal static void CheckOutput(SafetensorsModel input, string output)
    {
        string target = Path.GetFullPath(output);
        if (input.Files.Any(file => Path.GetFullPath(file.Path) == target) || (input.IsFolder && Path.TrimEndingDirectorySeparator(Path.GetFullPath(input.Path)) == Path.TrimEndingDirectorySeparator(target)))
            throw new IOException($"'{output}' is the input itself. Choose another name.");
    }
}
