using System.Text;
using Kernels.Native;

namespace Kernels.Runtime;

/// <summary>Recorded work. Capture it on a stream, instantiate it, launch that.</summary>
public sealed unsafe class Graph : DeviceResource
{
    private readonly bool _owned;

    private Graph(Device device, CUgraph handle, bool owned)
        : base(device)
    {
        Handle = handle;
        _owned = owned;
    }

    /// <summary>Raw handle.</summary>
    public CUgraph Handle { get; }

    /// <summary>Nodes of the graph.</summary>
    public long NodeCount
    {
        get
        {
            ThrowIfDisposed();
            Device.MakeCurrent();
            nuint count;
            CUresult result = Driver.cuGraphGetNodes(Handle, null, &count);
            return result == CUresult.CUDA_SUCCESS ? (long)count : throw Error(result, "cuGraphGetNodes");
        }
    }

    /// <summary>A graph of somebody else's, which is never destroyed here.</summary>
    public static Graph FromHandle(Device device, CUgraph handle) => new(device, handle, owned: false);

    /// <summary>
    /// Runs <paramref name="work"/> with the stream in capture: what it gives the stream is recorded and not run. The work must not
    /// synchronise, copy from or to memory that is not page-locked, or allocate. Calls on other threads are not disturbed.
    /// Disposing is allowed: it does not become part of the graph. Memory that the graph uses must of course live on, and a pool's buffer
    /// announced by <see cref="DeviceBuffer{T}.UsedOn"/> on the captured stream is given out again only when the capture has ended.
    /// </summary>
    /// <exception cref="CudaException">The work did something that cannot be captured.</exception>
    public static Graph Capture(Stream stream, Action<Stream> work)
    {
        ArgumentNullException.ThrowIfNull(stream);
        ArgumentNullException.ThrowIfNull(work);
        stream.ThrowIfUnusable();
        stream.Device.MakeCurrent();
        stream.ThrowIfFailed(
            Driver.cuStreamBeginCapture_v2(stream.Handle, CUstreamCaptureMode.CU_STREAM_CAPTURE_MODE_THREAD_LOCAL), "cuStreamBeginCapture_v2");
        CUgraph handle;
        try
        {
            work(stream);
        }
        catch
        {
            stream.Device.MakeCurrent();
            if (Driver.cuStreamEndCapture(stream.Handle, &handle) == CUresult.CUDA_SUCCESS && handle.Value != 0)
                _ = Driver.cuGraphDestroy(handle);
            throw;
        }

        stream.Device.MakeCurrent();
        stream.ThrowIfFailed(Driver.cuStreamEndCapture(stream.Handle, &handle), "cuStreamEndCapture");
        return new Graph(stream.Device, handle, owned: true);
    }

    /// <summary>Makes it executable.</summary>
    public GraphExec Instantiate()
    {
        ThrowIfDisposed();
        return new GraphExec(Device, this);
    }

    /// <summary>Writes the graph in DOT format.</summary>
    public void WriteDot(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        ThrowIfDisposed();
        Device.MakeCurrent();
        CUresult result;
        fixed (byte* text = Encoding.UTF8.GetBytes(path + '\0'))
            result = Driver.cuGraphDebugDotPrint(Handle, text, (uint)CUgraphDebugDot_flags.CU_GRAPH_DEBUG_DOT_FLAGS_VERBOSE);
        if (result != CUresult.CUDA_SUCCESS)
            throw Error(result, "cuGraphDebugDotPrint", path);
    }

    private protected override ReleaseRecipe GetRecipe() =>
        _owned ? new ReleaseRecipe(ReleaseKind.Graph, Handle.Value) : default;
}
