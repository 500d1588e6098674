using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Kernels.Runtime;

/// <summary>
/// Compiled code on disk, one file an entry, named by the SHA-256 of everything the code depends on. Entries carry a digest: one
/// that is damaged is a miss and is replaced. Files come in by renaming, so that other processes see whole ones only. A cache that
/// cannot be written slows programs down and does not stop them.
/// </summary>
public sealed class KernelCache
{
    /// <summary>Name of the environment variable that holds the folder.</summary>
    public const string EnvironmentVariable = "KERNELS_CACHE";

    private const UnixFileMode Private = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    private readonly ILogger _log;
    private long _hits;
    private long _misses;
    private long _damaged;
    private long _writes;
    private long _failedWrites;

    /// <summary>
    /// A cache in a folder, which is made where it is not there, for this user alone. One that is there must be the user's and writable by
    /// nobody else; otherwise the cache is off (<see cref="WhyOff"/>).
    /// </summary>
    public KernelCache(string folder, ILoggerFactory? loggerFactory = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        Folder = Path.GetFullPath(folder);
        _log = loggerFactory?.CreateLogger<KernelCache>() ?? NullLogger<KernelCache>.Instance;
        WhyOff = Prepare();
        if (WhyOff is not null)
            _log.LogWarning("The kernel cache is off: {Reason}", WhyOff);
    }

    /// <summary>Folder of the entries.</summary>
    public string Folder { get; }

    /// <summary>Why nothing is read from the folder or written to it; null where the cache is on.</summary>
    public string? WhyOff { get; }

    /// <summary>What happened so far.</summary>
    public KernelCacheStatistics Statistics => new(
        Volatile.Read(ref _hits), Volatile.Read(ref _misses), Volatile.Read(ref _damaged), Volatile.Read(ref _writes),
        Volatile.Read(ref _failedWrites));

    /// <summary><c>KERNELS_CACHE</c>, else <c>kernels</c> under <c>XDG_CACHE_HOME</c>, else under the user's own cache folder.</summary>
    public static KernelCache FromEnvironment() => new(DefaultFolder());

    /// <summary>Deletes all entries.</summary>
    public void Clear()
    {
        if (!Directory.Exists(Folder))
            return;
        foreach (string file in Directory.EnumerateFiles(Folder, "*.code"))
            File.Delete(file);
    }

    /// <summary>The entry, or null where there is none that is whole. Counts a hit or a miss.</summary>
    internal CompiledKernel? TryGet(string key)
    {
        CompiledKernel? code = Read(key);
        Interlocked.Increment(ref code is null ? ref _misses : ref _hits);
        (code is null ? RuntimeMetrics.CacheMisses : RuntimeMetrics.CacheHits).Add(1);
        return code;
    }

    /// <summary>
    /// The entry after all where another process made it meanwhile; else null, with the right to make it, which other processes that
    /// miss the same entry wait for. Dispose it when the entry is written.
    /// </summary>
    internal CompiledKernel? WaitForOthers(string key, out IDisposable? right)
    {
        right = WhyOff is null ? CacheLock.Acquire(FileOf(key) + ".lock") : null;
        CompiledKernel? code = right is null ? null : Read(key);
        if (code is not null)
        {
            right!.Dispose();
            right = null;
        }

        return code;
    }

    internal void Put(string key, CompiledKernel code)
    {
        if (WhyOff is not null)
            return;
        string temporary = Path.Combine(Folder, $"{key}.{Guid.NewGuid():N}.tmp");
        try
        {
            File.WriteAllBytes(temporary, CodeSerializer.Write(code));
            File.Move(temporary, FileOf(key), overwrite: true);
            Interlocked.Increment(ref _writes);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            Interlocked.Increment(ref _failedWrites);
            _log.LogWarning("Cache entry {Key} cannot be written to {Folder}: {Reason}", key, Folder, error.Message);
            TryDelete(temporary);
        }
    }

    internal string FileOf(string key) => Path.Combine(Folder, key + ".code");

    private CompiledKernel? Read(string key)
    {
        string file = FileOf(key);
        try
        {
            if (WhyOff is null && File.Exists(file))
                return CodeSerializer.Read(File.ReadAllBytes(file), CodeOrigin.Cache);
        }
        catch (InvalidDataException error)
        {
            Interlocked.Increment(ref _damaged);
            _log.LogWarning("Cache entry {File} is damaged ({Reason}) and will be replaced.", file, error.Message);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            _log.LogWarning("Cache entry {File} cannot be read: {Reason}", file, error.Message);
        }

        return null;
    }

    private static void TryDelete(string file)
    {
        try
        {
            File.Delete(file);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            // It was never given its final name, so that nobody will read it.
        }
    }

    /// <summary>
    /// Makes the folder, or says why it cannot be used. Whoever can write to it can have code run on the device. The mode of a folder
    /// that was there is never changed: it may serve others.
    /// </summary>
    private string? Prepare()
    {
        try
        {
            if (OperatingSystem.IsWindows())
            {
                Directory.CreateDirectory(Folder); // a user's profile is private by itself
                return null;
            }

            if (!Directory.Exists(Folder))
            {
                Directory.CreateDirectory(Folder, Private);
                return null;
            }

            UnixFileMode mode = File.GetUnixFileMode(Folder);
            if ((mode & (UnixFileMode.GroupWrite | UnixFileMode.OtherWrite)) != 0)
                return $"others can write to {Folder} (its mode is 0{Convert.ToString((int)mode, 8)}): `chmod go-w` it, or name another folder by {EnvironmentVariable}";
            // The mode stays as it is; that it may be set says that the folder is this user's.
            File.SetUnixFileMode(Folder, mode);
            return null;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return $"{Folder} is not a folder of this user's and cannot be made one: {error.Message}";
        }
    }

    private static string DefaultFolder()
    {
        string? named = Environment.GetEnvironmentVariable(EnvironmentVariable);
        if (!string.IsNullOrEmpty(named))
            return named;
        string? cache = OperatingSystem.IsWindows() ? null : Environment.GetEnvironmentVariable("XDG_CACHE_HOME");
        if (string.IsNullOrEmpty(cache))
        {
            cache = OperatingSystem.IsWindows()
                ? Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData)
                : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile, Environment.SpecialFolderOption.DoNotVerify), ".cache");
        }

        return Path.Combine(cache, "kernels");
    }
}
