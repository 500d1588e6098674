namespace Kernels.Runtime;

/// <summary>
/// A lock between processes: a file held open for one of them. It serves to save work and not to protect anything, so that where it
/// cannot be had, or its holder takes too long, everybody goes on without it.
/// </summary>
internal static class CacheLock
{
    private const int PollMilliseconds = 20;
    private const int PatienceMilliseconds = 60_000;

    /// <summary>The lock, or null where it cannot be had.</summary>
    /// <param name="file">File to hold.</param>
    /// <param name="wait">Waits before another attempt; null for a short while.</param>
    public static IDisposable? Acquire(string file, Action? wait = null)
    {
        wait ??= () => Thread.Sleep(PollMilliseconds);
        for (long start = Environment.TickCount64; Environment.TickCount64 - start < PatienceMilliseconds; wait())
        {
            try
            {
                return new FileStream(file, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, 1, FileOptions.DeleteOnClose);
            }
            catch (IOException error) when (IsHeld(error))
            {
                // Another process, or another compiler of this one, is making the entry.
            }
            catch (Exception error) when (error is IOException or UnauthorizedAccessException)
            {
                return null; // a full disk or a read-only one does not change by waiting
            }
        }

        return null;
    }

    /// <summary>Whether somebody else has the file: ERROR_SHARING_VIOLATION, or EWOULDBLOCK of the system.</summary>
    private static bool IsHeld(IOException error) =>
        (error.HResult & 0xffff) == (OperatingSystem.IsWindows() ? 32 : OperatingSystem.IsLinux() ? 11 : 35);
}
