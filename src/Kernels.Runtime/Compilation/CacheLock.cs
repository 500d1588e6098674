namespace Kernels.Runtime;

/// <summary>
/// A lock between processes: a file held open for one of them. It serves to save work and not to protect anything, so that where it
/// cannot be had, or its holder takes too long, everybody goes on without it.
/// </summary>
internal static class CacheLock
{
    private const int PollMilliseconds = 20;
    private const int PatienceMilliseconds = 60_000;

    public static IDisposable? Acquire(string file)
    {
        for (long start = Environment.TickCount64; Environment.TickCount64 - start < PatienceMilliseconds; Thread.Sleep(PollMilliseconds))
        {
            try
            {
                return new FileStream(file, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, 1, FileOptions.DeleteOnClose);
            }
            catch (UnauthorizedAccessException)
            {
                return null;
            }
            catch (DirectoryNotFoundException)
            {
                return null;
            }
            catch (IOException)
            {
                // Another process, or another compiler of this one, is making the entry.
            }
        }

        return null;
    }
}
