using System.Runtime.InteropServices;

namespace Kernels.Native;

// Marks for an attached profiler.
public static unsafe partial class Driver
{
    /// <summary>Starts collection of an attached profiler.</summary>
    [LibraryImport(Library, EntryPoint = "cuProfilerStart")]
    public static partial CUresult cuProfilerStart();

    /// <summary>Stops collection of an attached profiler.</summary>
    [LibraryImport(Library, EntryPoint = "cuProfilerStop")]
    public static partial CUresult cuProfilerStop();
}
