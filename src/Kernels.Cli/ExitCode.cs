namespace Kernels.Cli;

/// <summary>What the tool's exit code says.</summary>
internal static class ExitCode
{
    public const int Success = 0;

    /// <summary>The check that was asked for failed: bits differ, a kernel spills, a pack is stale.</summary>
    public const int CheckFailed = 1;

    /// <summary>The command line is wrong.</summary>
    public const int Usage = 2;

    /// <summary>The input is missing, truncated, corrupt, or of a kind that is not read.</summary>
    public const int InvalidInput = 3;

    /// <summary>The machine lacks something: no driver, no NVRTC, no memory, no permission.</summary>
    public const int Environment = 4;

    /// <summary>A CUDA call failed.</summary>
    public const int DeviceError = 5;

    /// <summary>A fault of the tool itself.</summary>
    public const int Internal = 70;

    /// <summary>Stopped by Ctrl+C or SIGTERM.</summary>
    public const int Cancelled = 130;
}
