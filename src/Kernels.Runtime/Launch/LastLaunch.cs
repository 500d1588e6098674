namespace Kernels.Runtime;

/// <summary>
/// What was launched last, for the message of an error that shows later. Kept unformatted, so that launches allocate nothing; threads
/// that launch at once may mix theirs, which is no worse than naming one of them.
/// </summary>
internal struct LastLaunch
{
    private Kernel? _kernel;
    private LaunchConfig _config;
    private bool _isGraph;

    public void Set(Kernel kernel, in LaunchConfig config)
    {
        _kernel = kernel;
        _config = config;
        _isGraph = false;
    }

    public void SetGraph() => _isGraph = true;

    /// <summary>Kernel and shape, or null where nothing was launched.</summary>
    public override readonly string? ToString() =>
        _isGraph ? "a graph" : _kernel is null ? null : Kernel.Describe(_kernel, _config);
}
