namespace Kernels.Formats;

/// <summary>Tells files from pipes, sockets and devices without opening them: opening a pipe waits for its other end.</summary>
internal static class RegularFile
{
    /// <summary>
    /// Length of a file, links followed. Pipes, sockets and devices have 0, as an empty file has; none of the kinds of file that are read
    /// here is ever empty.
    /// </summary>
    internal static long Length(string path) => File.ResolveLinkTarget(path, returnFinalTarget: true) is FileInfo target ? target.Length : new FileInfo(path).Length;

    /// <summary>Refuses, before it is opened, what is empty or no regular file.</summary>
    /// <exception cref="InvalidModelException">The file is empty, or a pipe, a socket or a device.</exception>
    internal static void Check(string path)
    {
        if (Length(path) == 0)
            throw new InvalidModelException(path, null, "the file has 0 bytes: it is empty, or a pipe, a socket or a device and no regular file");
    }
}
