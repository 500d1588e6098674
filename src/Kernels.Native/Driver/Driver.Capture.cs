using System.Runtime.InteropServices;

namespace Kernels.Native;

// Stream capture.
public static unsafe partial class Driver
{
    /// <summary>Begins to record the stream's work into a graph instead of running it.</summary>
    [LibraryImport(Library, EntryPoint = "cuStreamBeginCapture_v2")]
    public static partial CUresult cuStreamBeginCapture_v2(CUstream hStream, CUstreamCaptureMode mode);

    /// <summary>Ends the capture and hands out the graph.</summary>
    [LibraryImport(Library, EntryPoint = "cuStreamEndCapture")]
    public static partial CUresult cuStreamEndCapture(CUstream hStream, CUgraph* phGraph);

    /// <summary>Capture state of a stream.</summary>
    [LibraryImport(Library, EntryPoint = "cuStreamIsCapturing")]
    public static partial CUresult cuStreamIsCapturing(CUstream hStream, CUstreamCaptureStatus* captureStatus);

    /// <summary>Capture state, id, graph and the nodes that the next one would depend on.</summary>
    [LibraryImport(Library, EntryPoint = "cuStreamGetCaptureInfo_v2")]
    public static partial CUresult cuStreamGetCaptureInfo_v2(
        CUstream hStream, CUstreamCaptureStatus* captureStatus_out, ulong* id_out, CUgraph* graph_out,
        CUgraphNode** dependencies_out, nuint* numDependencies_out);

    /// <summary>Swaps the calling thread's capture interaction mode with <paramref name="mode"/>.</summary>
    [LibraryImport(Library, EntryPoint = "cuThreadExchangeStreamCaptureMode")]
    public static partial CUresult cuThreadExchangeStreamCaptureMode(CUstreamCaptureMode* mode);
}
