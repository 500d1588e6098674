using Microsoft.Win32.SafeHandles;

namespace Kernels.Formats;

/// <summary>
/// A file that appears under its name only when it is complete: written to a temporary file in the same folder, flushed to the disk,
/// then renamed. Disposing without <see cref="Commit"/> removes the temporary file and leaves what was there before.
/// </summary>
internal sealed class AtomicFile : IDisposable
{
    private readonly string _path;
    private readonly string _temporaryPath;
    private SafeFileHandle? _handle;

    internal AtomicFile(string path)
    {
        _path = Path.GetFullPath(path);
        string folder = Path.GetDirectoryName(_path) ?? throw new ArgumentException($"'{path}' is no path of a file.", nameof(path));
        Directory.CreateDirectory(folder);
        _temporaryPath = Path.Combine(folder, $".{Path.GetFileName(_path)}.{Guid.NewGuid():N}.tmp");
        _handle = File.OpenHandle(_temporaryPath, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.None);
    }

    internal SafeFileHandle Handle => _handle ?? throw new ObjectDisposedException(nameof(AtomicFile));

    /// <summary>Writes a region of any length at an offset.</summary>
    internal void Write(ByteRegion data, long offset, CancellationToken cancellation = default)
    {
        const int step = 1 << 24;
        for (long at = 0; at < data.Length; at += step)
        {
            cancellation.ThrowIfCancellationRequested();
            RandomAccess.Write(Handle, data.Span(at, (int)Math.Min(step, data.Length - at)), offset + at);
        }
        data.KeepAlive();
    }

    /// <summary>Writes a small file whole.</summary>
    internal static void WriteAllBytes(string path, ReadOnlySpan<byte> bytes)
    {
        using var file = new AtomicFile(path);
        RandomAccess.Write(file.Handle, bytes, 0);
        file.Commit();
    }

    /// <summary>Flushes the file to the disk and gives it its final name, replacing a file that is there.</summary>
    internal void Commit()
    {
        RandomAccess.FlushToDisk(Handle);
        Handle.Dispose();
        _handle = null;
        File.Move(_temporaryPath, _path, overwrite: true);
    }

    public void Dispose()
    {
        if (_handle is null)
            return;
        _handle.Dispose();
        _handle = null;
        File.Delete(_temporaryPath);
    }
}
