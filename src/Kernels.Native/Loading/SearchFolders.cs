namespace Kernels.Native;

/// <summary>The folders in which the loader looks for files.</summary>
internal static class SearchFolders
{
    public static string Application => AppContext.BaseDirectory;

    /// <summary>The application's folder and its ancestors, nearest first.</summary>
    public static IEnumerable<string> ApplicationAndAncestors()
    {
        for (DirectoryInfo? folder = new(Application); folder is not null; folder = folder.Parent)
            yield return folder.FullName;
    }

    /// <summary>
    /// The file that a relative path names: from the current folder, else from the nearest ancestor of the application that has
    /// it (so that a path relative to the repository works from any test program's folder). Bare names are left to the dynamic
    /// loader where no such file is in the current folder.
    /// </summary>
    public static string Resolve(string path)
    {
        if (Path.IsPathRooted(path))
            return path;
        if (File.Exists(path))
            return Path.GetFullPath(path);
        if (path.AsSpan().IndexOfAny('/', '\\') < 0)
            return path;
        return ApplicationAndAncestors().Select(folder => Path.GetFullPath(path, folder)).FirstOrDefault(File.Exists)
            ?? Path.GetFullPath(path);
    }
}
