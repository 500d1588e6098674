namespace Kernels.Native;

/// <summary>Where NVRTC may be, best place first; in each place the newest version first.</summary>
internal static class NvrtcCandidates
{
    /// <summary>The newest major version whose library name is known; the driver's own where that is newer.</summary>
    private const int NewestKnownMajor = 13;

    public static IEnumerable<(string File, string Origin)> All(int? driverMajor)
    {
        string[] names = Names(driverMajor ?? NewestKnownMajor).ToArray();

        foreach (string variable in (string[])["CUDA_PATH", "CUDA_HOME"])
        {
            string? toolkit = Environment.GetEnvironmentVariable(variable);
            if (string.IsNullOrEmpty(toolkit))
                continue;
            foreach (string file in Existing(LibraryFolders(toolkit), names, toolkit))
                yield return (file, variable);
        }

        foreach (string name in names)
            yield return (name, "dynamic loader");

        foreach (string file in UsualFolders().SelectMany(folder => FilesIn(folder, names)))
            yield return (file, "toolkit folder");

        foreach (string file in SearchFolders.ApplicationAndAncestors()
            .Select(folder => Path.Combine(folder, "artifacts", "nvrtc", "usr", "lib", "x86_64-linux-gnu"))
            .SelectMany(folder => FilesIn(folder, names)))
            yield return (file, "fetched");
    }

    /// <summary>File names from this major version down. CUDA 11.2 to 11.8 share one name.</summary>
    private static IEnumerable<string> Names(int newest)
    {
        bool windows = OperatingSystem.IsWindows();
        for (int major = newest; major >= 12; major--)
            yield return windows ? $"nvrtc64_{major}0_0.dll" : $"libnvrtc.so.{major}";
        if (newest >= 11)
            yield return windows ? "nvrtc64_112_0.dll" : "libnvrtc.so.11.2";
    }

    private static string[] LibraryFolders(string toolkit) => OperatingSystem.IsWindows()
        ? [Path.Combine(toolkit, "bin"), Path.Combine(toolkit, "bin", "x64")]
        : [Path.Combine(toolkit, "lib64"), Path.Combine(toolkit, "targets", "x86_64-linux", "lib"), Path.Combine(toolkit, "lib")];

    /// <summary>The files that are there, or the one that was expected, so that the report shows that the place was looked at.</summary>
    private static string[] Existing(string[] folders, string[] names, string toolkit)
    {
        string[] files = folders.SelectMany(folder => FilesIn(folder, names)).ToArray();
        return files.Length > 0 ? files : [Path.Combine(folders[0], names.FirstOrDefault() ?? toolkit)];
    }

    private static IEnumerable<string> FilesIn(string folder, string[] names) =>
        names.Select(name => Path.Combine(folder, name)).Where(File.Exists);

    private static IEnumerable<string> UsualFolders()
    {
        if (OperatingSystem.IsWindows())
            return [];
        IEnumerable<string> toolkits = ["/usr/local/cuda", "/opt/cuda"];
        if (Directory.Exists("/usr/local"))
            toolkits = toolkits.Concat(Directory.EnumerateDirectories("/usr/local", "cuda-*").OrderDescending(StringComparer.Ordinal));
        return toolkits.SelectMany(LibraryFolders).Append("/usr/lib/x86_64-linux-gnu");
    }
}
