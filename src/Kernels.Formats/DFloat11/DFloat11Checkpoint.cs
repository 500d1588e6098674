using System.Text;
using Kernels.Formats.Safetensors;

namespace Kernels.Formats.DFloat11;

/// <summary>
/// A DF11 checkpoint of version 0.2.0 to 0.5.0: one file, or a folder with a shard a group. Groups are validated when it is opened;
/// nothing is decoded yet.
/// </summary>
/// <remarks>
/// The names and shapes of a group's matrices come from the metadata that our writer records; else the names from the configuration's
/// patterns; else the matrices are flat and numbered.
/// </remarks>
public sealed class DFloat11Checkpoint : IDisposable
{
    private const string EncodedSuffix = "." + DFloat11Fields.EncodedExponent;

    private readonly SafetensorsModel _model;
    private readonly List<DFloat11Group> _groups = [];
    private readonly List<TensorView> _rawTensors = [];
    private readonly Dictionary<string, string> _metadata = new(StringComparer.Ordinal);

    private DFloat11Checkpoint(SafetensorsModel model) => _model = model;

    /// <summary>Path the checkpoint was opened by.</summary>
    public string Path => _model.Path;

    /// <summary>The safetensors files underneath.</summary>
    public SafetensorsModel Container => _model;

    /// <summary>The configuration, or null where the checkpoint has none.</summary>
    public DFloat11Config? Config { get; private set; }

    /// <summary>The groups, in the order of their data.</summary>
    public IReadOnlyList<DFloat11Group> Groups => _groups;

    /// <summary>The tensors that are not compressed, under their own names.</summary>
    public IReadOnlyList<TensorView> RawTensors => _rawTensors;

    /// <summary>The <c>__metadata__</c> of the model, without what our writer records for itself.</summary>
    public IReadOnlyDictionary<string, string> Metadata => _metadata;

    /// <summary>Names of the original tensors in their original order, or null where the checkpoint does not tell.</summary>
    public IReadOnlyList<string>? OriginalOrder { get; private set; }

    /// <summary>Opens and validates a checkpoint.</summary>
    /// <param name="path">A file, or a folder of shards.</param>
    /// <exception cref="InvalidModelException">A file, the configuration or a group is invalid, or its version is not supported.</exception>
    /// <exception cref="FileNotFoundException">There is nothing at <paramref name="path"/>.</exception>
    public static DFloat11Checkpoint Open(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        // Before the files: a 0.1.0 checkpoint has no safetensors, and its configuration says why.
        string folder = Directory.Exists(path) ? path : System.IO.Path.GetDirectoryName(System.IO.Path.GetFullPath(path))!;
        string configPath = System.IO.Path.Combine(folder, "config.json");
        DFloat11Config? config = File.Exists(configPath) ? DFloat11Config.Read(configPath) : null;
        // Shards of groups are in no index. Other files that are in none hold the same model again, as consolidated.safetensors does.
        var checkpoint = new DFloat11Checkpoint(SafetensorsModel.Open(path, unlisted: file => file.Tensors.Any(tensor => IsGroup(tensor.Name))));
        try
        {
            checkpoint.Read(config, configPath);
            return checkpoint;
        }
        catch
        {
            checkpoint.Dispose();
            throw;
        }
    }

    /// <summary>Whether a model holds DF11 groups.</summary>
    public static bool IsCheckpoint(SafetensorsModel model)
    {
        ArgumentNullException.ThrowIfNull(model);
        return model.Tensors.Any(tensor => IsGroup(tensor.Name));
    }

    /// <summary>Closes the files. Groups and views become invalid.</summary>
    public void Dispose() => _model.Dispose();

    private static bool IsGroup(string tensor) => tensor.Length > EncodedSuffix.Length && tensor.EndsWith(EncodedSuffix, StringComparison.Ordinal);

    private void Read(DFloat11Config? config, string configPath)
    {
        // What lies in the file itself was written with it; a config.json may have been replaced.
        if (_model.Metadata.TryGetValue(DFloat11Metadata.ConfigKey, out string? recorded))
            config = DFloat11Config.Parse(Path, Encoding.UTF8.GetBytes(recorded));
        Config = config;
        var layout = config?.Layout ?? DFloat11Layout.Default;
        var patterns = new DFloat11Patterns(config?.Patterns ?? [], configPath);

        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (var file in _model.Files)
        {
            var fields = new HashSet<string>(StringComparer.Ordinal);
            foreach (var tensor in file.Tensors.Where(tensor => IsGroup(tensor.Name)))
            {
                string name = tensor.Name[..^EncodedSuffix.Length];
                fields.UnionWith(DFloat11Fields.All.Select(field => $"{name}.{field}"));
                _groups.Add(new DFloat11GroupReader(file, name, layout, patterns).Read());
            }
            _rawTensors.AddRange(file.Tensors.Where(tensor => !fields.Contains(tensor.Name)));
        }
        foreach (string name in _rawTensors.Select(tensor => tensor.Name).Concat(_groups.SelectMany(group => group.Matrices).Select(matrix => matrix.Name)))
        {
            if (name == "__metadata__")
                throw new InvalidModelException(Path, name, "the name is reserved and cannot be a tensor's");
            if (!names.Add(name))
                throw new InvalidModelException(Path, name, "the name stands for two tensors of the checkpoint");
        }
        ReadMetadata(names);
    }

    private void ReadMetadata(HashSet<string> names)
    {
        foreach (var (key, value) in _model.Metadata)
        {
            if (!key.StartsWith(DFloat11Metadata.Prefix, StringComparison.Ordinal))
                _metadata.Add(key, value);
        }
        if (!_model.Metadata.TryGetValue(DFloat11Metadata.OrderKey, out string? text))
            return;
        var order = DFloat11Metadata.ReadOrder(Path, text);
        if (order.Count != names.Count || !names.SetEquals(order))
            throw new InvalidModelException(Path, DFloat11Metadata.OrderKey, $"the metadata lists {order.Count} tensors, which are not the {names.Count} of the checkpoint");
        OriginalOrder = order;
    }
}
