namespace Kernels.Formats;

/// <summary>
/// A folder that appears under its name only when all its files are complete: filled under a temporary name beside it, then renamed.
/// Disposing without <see cref="Commit"/> removes what was written.
/// </summary>
internal sealed class AtomicFolder : IDisposable
{
    private readonly string _path;
    private bool _committed;

    /// <summary>Starts a folder. The target must not exist, or be empty.</summary>
    internal AtomicFolder(string path)
    {
        _path = System.IO.Path.TrimEndingDirectorySeparator(System.IO.Path.GetFullPath(path));
        if (File.Exists(_path) || (Directory.Exists(_path) && Directory.EnumerateFileSystemEntries(_path).Any()))
            throw new IOException($"'{path}' exists already. Remove it, or choose another name.");
        string parent = System.IO.Path.GetDirectoryName(_path) ?? throw new IOException($"'{path}' is no folder that can be written.");
        Directory.CreateDirectory(parent);
        Path = System.IO.Path.Combine(parent, $".{System.IO.Path.GetFileName(_path)}.{Guid.NewGuid():N}.tmp");
        Directory.CreateDirectory(Path);
    }

    /// <summary>The temporary path to write to.</summary>
    internal string Path { get; }

    /// <summary>Gives the folder its final name.</summary>
    internal void Commit()
    {
        if (Directory.Exists(_path))
            Directory.Delete(_path);
        Directory.Move(Path, _path);
        _committed = true;
    }

    public void Dispose()
    {
        if (!_committed)
            Directory.Delete(Path, recursive: true);
    }
}
