namespace Kernels.Formats;

/// <summary>
/// A folder that appears under its name only when all its files are complete: filled under a temporary name beside it, then renamed.
/// Disposing without <see cref="Commit"/> removes what was written.
/// </summary>
internal sealed class AtomicFolder : IDisposable
{
    private readonly string _shownPath;
    private readonly string _path;
    private bool _committed;

    /// <summary>Starts a folder. The target must not exist, or be empty.</summary>
    /// <exception cref="IOException">The folder exists or cannot be written; the message names it as <paramref name="path"/> does.</exception>
    internal AtomicFolder(string path)
    {
        _shownPath = path;
        _path = System.IO.Path.TrimEndingDirectorySeparator(System.IO.Path.GetFullPath(path));
        if (File.Exists(_path) || (Directory.Exists(_path) && Directory.EnumerateFileSystemEntries(_path).Any()))
            throw new IOException($"'{path}' exists already. Remove it, or choose another name.");
        string parent = System.IO.Path.GetDirectoryName(_path) ?? throw new IOException($"'{path}' is no folder that can be written.");
        Path = System.IO.Path.Combine(parent, $".{System.IO.Path.GetFileName(_path)}.{Guid.NewGuid():N}.tmp");
        try
        {
            Directory.CreateDirectory(Path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Unwritable(e);
        }
    }

    /// <summary>The temporary path to write to.</summary>
    internal string Path { get; }

    /// <summary>Runs work that fills the folder; what cannot be written is named by the final path.</summary>
    /// <exception cref="IOException">A file of the folder cannot be written.</exception>
    internal void Fill(Action<string> work)
    {
        try
        {
            work(Path);
        }
        catch (IOException e) when (e.Message.Contains(Path, StringComparison.Ordinal))
        {
            throw new IOException(e.Message.Replace(Path, _shownPath, StringComparison.Ordinal), e);
        }
    }

    /// <summary>Gives the folder its final name.</summary>
    internal void Commit()
    {
        try
        {
            if (Directory.Exists(_path))
                Directory.Delete(_path);
            Directory.Move(Path, _path);
            _committed = true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Unwritable(e);
        }
    }

    public void Dispose()
    {
        if (!_committed)
            Directory.Delete(Path, recursive: true);
    }

    private IOException Unwritable(Exception cause) => AtomicFile.Unwritable(cause, Path, _path, _shownPath);
}
