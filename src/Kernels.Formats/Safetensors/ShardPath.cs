namespace Kernels.Formats.Safetensors;

/// <summary>Turns the file names that an index or a folder names into paths, and refuses those that lead outside the model's folder.</summary>
internal static class ShardPath
{
    private const string Extension = ".safetensors";

    /// <summary>The path of shard <paramref name="name"/> in <paramref name="folder"/>.</summary>
    /// <exception cref="InvalidModelException">The name is no plain file name, the file is missing, or a link leads outside the folder.</exception>
    internal static string Resolve(string folder, string name, string namedBy)
    {
        string shown = InvalidModelException.Printable(name);
        if (name.Length == 0 || name.AsSpan().IndexOfAny("/\\:\0") >= 0 || name is "." or ".." || Path.IsPathRooted(name) || Path.GetFileName(name) != name)
            throw new InvalidModelException(namedBy, null, $"the shard name '{shown}' is no plain file name: shards lie beside their index");
        if (!name.EndsWith(Extension, StringComparison.Ordinal))
            throw new InvalidModelException(namedBy, null, $"the shard name '{shown}' does not end with '{Extension}'");
        string path = Path.Combine(folder, name);
        if (!File.Exists(path))
            throw new InvalidModelException(namedBy, null, $"the shard '{shown}' is missing");
        CheckLink(folder, path, namedBy);
        return path;
    }

    // A link may stay inside the folder, or point into the blobs of a hub cache, whose layout is
    // <repository>/snapshots/<revision>/<file> -> ../../blobs/<digest>.
    private static void CheckLink(string folder, string path, string namedBy)
    {
        if (File.ResolveLinkTarget(path, returnFinalTarget: true) is not { } target)
            return;
        string root = Path.GetFullPath(folder);
        string resolved = Path.GetFullPath(target.FullName);
        if (IsInside(root, resolved))
            return;
        string? parent = Path.GetDirectoryName(Path.TrimEndingDirectorySeparator(root));
        if (parent is not null && Path.GetFileName(parent) == "snapshots" && IsInside(Path.Combine(Path.GetDirectoryName(parent)!, "blobs"), resolved))
            return;
        throw new InvalidModelException(namedBy, null, $"the shard '{Path.GetFileName(path)}' is a link to '{resolved}', outside the model's folder");
    }

    private static bool IsInside(string root, string path) =>
        path.StartsWith(Path.EndsInDirectorySeparator(root) ? root : root + Path.DirectorySeparatorChar, StringComparison.Ordinal);
}
