namespace Kernels.Formats.Safetensors;

/// <summary>
/// The tensors of a model: one file, or a folder with <c>model.safetensors.index.json</c> and its shards, or a folder of
/// <c>*.safetensors</c> files without an index.
/// </summary>
/// <remarks>Thread-safe. Views are valid until the model is disposed.</remarks>
public sealed class SafetensorsModel : IDisposable
{
    private readonly Dictionary<string, TensorView> _byName = new(StringComparer.Ordinal);
    private readonly List<SafetensorsFile> _files = [];
    private readonly List<TensorView> _tensors = [];
    private readonly Dictionary<string, string> _metadata = new(StringComparer.Ordinal);

    private SafetensorsModel(string path, bool isFolder)
    {
        Path = path;
        IsFolder = isFolder;
    }

    /// <summary>Path the model was opened by.</summary>
    public string Path { get; }

    /// <summary>Whether <see cref="Path"/> is a folder.</summary>
    public bool IsFolder { get; }

    /// <summary>The folder that holds the model's files.</summary>
    public string Folder => IsFolder ? Path : System.IO.Path.GetDirectoryName(System.IO.Path.GetFullPath(Path))!;

    /// <summary>The open files.</summary>
    public IReadOnlyList<SafetensorsFile> Files => _files;

    /// <summary>All tensors: file after file, in each the order of their data.</summary>
    public IReadOnlyList<TensorView> Tensors => _tensors;

    /// <summary>The <c>__metadata__</c> of all files; where several files have a key, the first file's value.</summary>
    public IReadOnlyDictionary<string, string> Metadata => _metadata;

    /// <summary>Bytes of all tensors.</summary>
    public long ByteLength => _tensors.Sum(tensor => tensor.ByteLength);

    /// <summary>The tensor called <paramref name="name"/>.</summary>
    /// <exception cref="KeyNotFoundException">There is none.</exception>
    public TensorView this[string name] => TryGetTensor(name, out var tensor) ? tensor : throw new KeyNotFoundException($"{Path} has no tensor '{name}'.");

    /// <summary>Opens and validates a model.</summary>
    /// <param name="path">A <c>.safetensors</c> file, an index file, or a folder.</param>
    /// <exception cref="InvalidModelException">A file is invalid, the index disagrees with its shards, or a shard lies outside the folder.</exception>
    /// <exception cref="FileNotFoundException">There is nothing at <paramref name="path"/>, or no safetensors file in the folder.</exception>
    public static SafetensorsModel Open(string path) => Open(path, null);

    /// <summary>Opens a model. Beside the files that an index lists, those of the folder that <paramref name="unlisted"/> asks for belong to it, too.</summary>
    internal static SafetensorsModel Open(string path, Func<SafetensorsFile, bool>? unlisted)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        bool isIndex = File.Exists(path) && path.EndsWith(".index.json", StringComparison.Ordinal);
        var model = isIndex
            ? new SafetensorsModel(System.IO.Path.GetDirectoryName(System.IO.Path.GetFullPath(path))!, isFolder: true)
            : new SafetensorsModel(path, Directory.Exists(path));
        try
        {
            if (!model.IsFolder)
                model.Add(OpenFile(path));
            else
                model.AddFolder(isIndex ? path : System.IO.Path.Combine(path, SafetensorsIndex.FileName), unlisted);
            return model;
        }
        catch
        {
            model.Dispose();
            throw;
        }
    }

    /// <summary>Finds a tensor by name.</summary>
    public bool TryGetTensor(string name, out TensorView tensor) => _byName.TryGetValue(name, out tensor!);

    /// <summary>Unmaps all files. Every view and region of them becomes invalid.</summary>
    public void Dispose()
    {
        foreach (var file in _files)
            file.Dispose();
        _files.Clear();
    }

    private static SafetensorsFile OpenFile(string path) => File.Exists(path)
        ? SafetensorsFile.Open(path)
        : throw new FileNotFoundException($"There is no file or folder '{path}'.", path);

    private void AddFolder(string indexPath, Func<SafetensorsFile, bool>? unlisted)
    {
        SafetensorsIndex? index = File.Exists(indexPath) ? SafetensorsIndex.Read(indexPath) : null;
        var listed = new HashSet<string>((index?.WeightMap ?? []).Select(entry => entry.Value), StringComparer.Ordinal);
        var names = new SortedSet<string>(listed, StringComparer.Ordinal);
        if (index is null || unlisted is not null)
            names.UnionWith(Directory.EnumerateFiles(Path, "*.safetensors").Select(file => System.IO.Path.GetFileName(file)));
        if (names.Count == 0)
            throw new FileNotFoundException($"The folder '{Path}' holds no .safetensors file.", Path);
        foreach (string name in names)
        {
            var file = SafetensorsFile.Open(ShardPath.Resolve(Path, name, index?.Path ?? Path));
            if (index is null || listed.Contains(name) || unlisted!(file))
                Add(file);
            else
                file.Dispose();
        }
        if (index is not null)
            CheckIndex(index);
    }

    private void Add(SafetensorsFile file)
    {
        _files.Add(file);
        foreach (var tensor in file.Tensors)
        {
            if (!_byName.TryAdd(tensor.Name, tensor))
                throw new InvalidModelException(file.Path, tensor.Name, $"the tensor is in '{_byName[tensor.Name].File}' too");
            _tensors.Add(tensor);
        }
        foreach (var (key, value) in file.Metadata)
            _metadata.TryAdd(key, value);
    }

    private void CheckIndex(SafetensorsIndex index)
    {
        foreach (var (name, shard) in index.WeightMap)
        {
            if (!_byName.TryGetValue(name, out var tensor) || System.IO.Path.GetFileName(tensor.File) != shard)
                throw new InvalidModelException(index.Path, name, $"the index says that the tensor is in '{shard}', but it is not");
        }
    }
}
