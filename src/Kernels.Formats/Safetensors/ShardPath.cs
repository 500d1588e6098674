namespace Kernels.Formats.Safetensors;

/// <summary>Turns the file names that an index or a folder names into paths, and refuses those that lead outside the model's folder.</summary>
internal static class ShardPath
{
    private const string Extension = ".safetensors";

    /// <summary>The path of shard <paramref name="name"/> in <paramref name="folder"/>.</summary>
    /// <exception cref="InvalidModelException">The name is no plain file name, the file is missing, or a link leads outside the folder.</exception>
    internal static string Resolve(string folder, string name, string namedBy)
    {
        string shown = TensorName.Printable(name);
        if (name.Length == 0 || name.AsSpan().IndexOfAny("/\\:\0") >= 0 || name is "." or ".." || Path.IsPathRooted(name) || Path.GetFileName(name) != name)
            throw new InvalidModelException(namedBy, null, $"the shard name '{shown}' is no plain file name: shards lie beside their index");
        if (!name.EndsWith(Extension, StringComparison.Ordinal))
            throw new InvalidModelException(namedBy, null, $"the shard name '{shown}' does not end with '{Extension}'");
        string path = Path.Combine(folder, name);
        if (!File.Exists(path))
            throw new InvalidModelException(namedBy, null, $"the shard '{shown}' is missing");
        if (!StaysInside(folder, path, out string target))
            throw new InvalidModelException(namedBy, null, $"the shard '{shown}' is a link to '{target}', outside the model's folder");
        return path;
    }

    /// <summary>
    /// Whether a file is in the folder, or a link that stays there, or one into the blobs of a hub cache, whose layout is
    /// &lt;repository&gt;/snapshots/&lt;revision&gt;/&lt;file&gt; -> ../../blobs/&lt;digest&gt;.
    /// </summary>
    internal static bool StaysInside(string folder, string path, out string target)
    {
        target = path;
        if (File.ResolveLinkTarget(path, returnFinalTarget: true) is not { } final)
            return true;
        string root = Path.GetFullPath(folder);
        target = Path.GetFullPath(final.FullName);
        if (IsInside(root, target))
            return true;
        string? parent = Path.GetDirectoryName(Path.TrimEndingDirectorySeparator(root));
        return parent is not null && Path.GetFileName(parent) == "snapshots" && IsInside(Path.Combine(Path.GetDirectoryName(parent)!, "blobs"), target);
    }

    private static bool IsInside(string root, string path) =>
        path.StartsWith(Path.EndsInDirectorySeparator(root) ? root : root + Path.DirectorySeparatorChar, StringComparison.Ordinal);
}
