using Kernels.Native;

namespace Kernels.Runtime;

/// <summary>An executable graph. The memory it uses must live, at the same addresses, as long as it is launched.</summary>
public sealed unsafe class GraphExec : DeviceResource
{
    internal GraphExec(Device device, Graph graph)
        : base(device)
    {
        device.MakeCurrent();
        CUgraphExec handle;
        CUresult result = Driver.cuGraphInstantiateWithFlags(&handle, graph.Handle, 0);
        if (result != CUresult.CUDA_SUCCESS)
        {
            Dispose();
            throw Error(result, "cuGraphInstantiateWithFlags");
        }

        Handle = handle;
    }

    /// <summary>Raw handle.</summary>
    public CUgraphExec Handle { get; }

    /// <summary>Launches the graph in order of the stream; returns at once.</summary>
    public void Launch(Stream stream)
    {
        ArgumentNullException.ThrowIfNull(stream);
        ThrowIfDisposed();
        stream.ThrowIfUnusable();
        Device.MakeCurrent();
        stream.ThrowIfFailed(Driver.cuGraphLaunch(Handle, stream.Handle), "cuGraphLaunch");
        stream.LaunchedGraph();
    }

    /// <summary>Takes over the parameters of another graph of the same shape.</summary>
    /// <returns>False where its shape differs, and this one stays as it was.</returns>
    public bool TryUpdate(Graph graph)
    {
        ArgumentNullException.ThrowIfNull(graph);
        graph.ThrowIfDisposed();
        ThrowIfDisposed();
        Device.MakeCurrent();
        CUgraphExecUpdateResultInfo info;
        CUresult result = Driver.cuGraphExecUpdate_v2(Handle, graph.Handle, &info);
        return result switch
        {
            CUresult.CUDA_SUCCESS => true,
            CUresult.CUDA_ERROR_GRAPH_EXEC_UPDATE_FAILURE => false,
            _ => throw Error(result, "cuGraphExecUpdate_v2", info.result.ToString()),
        };
    }

    private protected override ReleaseRecipe GetRecipe() =>
        Handle.Value != 0 ? new ReleaseRecipe(ReleaseKind.GraphExec, Handle.Value) : default;
}
