namespace Kernels.Runtime;

/// <summary>Counts resources that were finalized and not disposed.</summary>
public static class LeakTracking
{
    private static long _leaks;
    private static string? _lastLeak;

    /// <summary>Whether resources keep the stack trace of their creation. Costs much; true in debug builds unless set.</summary>
    public static bool CaptureSites { get; set; }
#if DEBUG
        = true;
#endif

    /// <summary>Resources that were finalized and not disposed since the process started.</summary>
    public static long Leaks => Volatile.Read(ref _leaks);

    /// <summary>Type of the last such resource, with the stack trace of its creation where that was kept.</summary>
    public static string? LastLeak => Volatile.Read(ref _lastLeak);

    internal static void Count(Type type, string? site)
    {
        Interlocked.Increment(ref _leaks);
        Volatile.Write(ref _lastLeak, site is null ? type.Name : $"{type.Name} created{Environment.NewLine}{site}");
        RuntimeMetrics.Leaks.Add(1);
    }
}
