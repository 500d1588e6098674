using Microsoft.Win32.SafeHandles;

namespace Kernels.Formats;

/// <summary>
/// A file that appears under its name only when it is complete: written to a temporary file in the same folder, flushed to the disk,
/// then renamed. Disposing without <see cref="Commit"/>, or after one that failed, removes the temporary file and leaves what was there
/// before.
/// </summary>
internal sealed class AtomicFile : IDisposable
{
    private readonly string _shownPath;
    private readonly string _path;
    private readonly string _temporaryPath;
    private readonly SafeFileHandle _handle;
    private bool _committed;

    /// <exception cref="IOException">The file cannot be written; the message names it as <paramref name="path"/> does.</exception>
    internal AtomicFile(string path)
    {
        _shownPath = path;
        _path = Path.GetFullPath(path);
        if (Directory.Exists(_path))
            throw new IOException($"'{path}' cannot be written: it is a folder.");
        string folder = Path.GetDirectoryName(_path) ?? throw new ArgumentException($"'{path}' is no path of a file.", nameof(path));
        _temporaryPath = Path.Combine(folder, $".{Path.GetFileName(_path)}.{Guid.NewGuid():N}.tmp");
        try
        {
            Directory.CreateDirectory(folder);
            _handle = File.OpenHandle(_temporaryPath, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.None);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Unwritable(e, _temporaryPath, _path, path);
        }
    }

    internal SafeFileHandle Handle
    {
        get
        {
            ObjectDisposedException.ThrowIf(_handle.IsClosed, this);
            return _handle;
        }
    }

    /// <summary>Writes a region of any length at an offset.</summary>
    internal void Write(ByteRegion data, long offset, CancellationToken cancellation = default)
    {
        const int step = 1 << 24;
        for (long at = 0; at < data.Length; at += step)
        {
            cancellation.ThrowIfCancellationRequested();
            Write(data.Span(at, (int)Math.Min(step, data.Length - at)), offset + at);
        }
        data.KeepAlive();
    }

    /// <summary>Writes bytes at an offset.</summary>
    internal void Write(ReadOnlySpan<byte> bytes, long offset)
    {
        try
        {
            RandomAccess.Write(Handle, bytes, offset);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Unwritable(e, _temporaryPath, _path, _shownPath);
        }
    }

    /// <summary>Writes a small file whole.</summary>
    internal static void WriteAllBytes(string path, ReadOnlySpan<byte> bytes)
    {
        using var file = new AtomicFile(path);
        file.Write(bytes, 0);
        file.Commit();
    }

    /// <summary>Flushes the file to the disk and gives it its final name, replacing a file that is there.</summary>
    internal void Commit()
    {
        try
        {
            RandomAccess.FlushToDisk(Handle);
            _handle.Dispose();
            File.Move(_temporaryPath, _path, overwrite: true);
            _committed = true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Unwritable(e, _temporaryPath, _path, _shownPath);
        }
    }

    public void Dispose()
    {
        _handle.Dispose();
        // Once only: a second call must not delete what has got the name since.
        if (!_committed)
            File.Delete(_temporaryPath);
        _committed = true;
    }

    /// <summary>
    /// An exception that names the output as the user did, and not the hidden file or folder beside it. A plain IOException: a missing
    /// file or folder is what the input can be, too.
    /// </summary>
    internal static IOException Unwritable(Exception cause, string temporaryPath, string fullPath, string shownPath) =>
        new($"'{shownPath}' cannot be written: {cause.Message.Replace(temporaryPath, fullPath, StringComparison.Ordinal)}", cause);
}
