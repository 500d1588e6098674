namespace Kernels.Native;

/// <summary>What became of one candidate of the loader.</summary>
public enum LoadOutcome
{
    /// <summary>The library was loaded and is in use.</summary>
    Taken,

    /// <summary>The library was loaded and not used, for the reason given.</summary>
    Refused,

    /// <summary>The library is not there or could not be loaded.</summary>
    NotLoaded,
}
