using System.Runtime.InteropServices;

namespace Kernels.Native;

// Graphs: construction, instantiation, launch.
public static unsafe partial class Driver
{
    /// <summary>Creates an empty graph.</summary>
    [LibraryImport(Library, EntryPoint = "cuGraphCreate")]
    public static partial CUresult cuGraphCreate(CUgraph* phGraph, uint flags);

    /// <summary>Destroys a graph and its nodes.</summary>
    [LibraryImport(Library, EntryPoint = "cuGraphDestroy")]
    public static partial CUresult cuGraphDestroy(CUgraph hGraph);

    /// <summary>Makes an executable graph; <paramref name="flags"/> is a <see cref="CUgraphInstantiate_flags"/>.</summary>
    [LibraryImport(Library, EntryPoint = "cuGraphInstantiateWithFlags")]
    public static partial CUresult cuGraphInstantiateWithFlags(CUgraphExec* phGraphExec, CUgraph hGraph, ulong flags);

    /// <summary>Launches an executable graph on a stream.</summary>
    [LibraryImport(Library, EntryPoint = "cuGraphLaunch")]
    public static partial CUresult cuGraphLaunch(CUgraphExec hGraphExec, CUstream hStream);

    /// <summary>Uploads an executable graph on a stream without running it.</summary>
    [LibraryImport(Library, EntryPoint = "cuGraphUpload")]
    public static partial CUresult cuGraphUpload(CUgraphExec hGraphExec, CUstream hStream);

    /// <summary>Updates an executable graph from a graph of the same topology.</summary>
    [LibraryImport(Library, EntryPoint = "cuGraphExecUpdate_v2")]
    public static partial CUresult cuGraphExecUpdate_v2(CUgraphExec hGraphExec, CUgraph hGraph, CUgraphExecUpdateResultInfo* resultInfo);

    /// <summary>Destroys an executable graph.</summary>
    [LibraryImport(Library, EntryPoint = "cuGraphExecDestroy")]
    public static partial CUresult cuGraphExecDestroy(CUgraphExec hGraphExec);

    /// <summary>Nodes of a graph, or their number where <paramref name="nodes"/> is null.</summary>
    [LibraryImport(Library, EntryPoint = "cuGraphGetNodes")]
    public static partial CUresult cuGraphGetNodes(CUgraph hGraph, CUgraphNode* nodes, nuint* numNodes);

    /// <summary>Kind of a node.</summary>
    [LibraryImport(Library, EntryPoint = "cuGraphNodeGetType")]
    public static partial CUresult cuGraphNodeGetType(CUgraphNode hNode, CUgraphNodeType* type);

    /// <summary>Nodes a node depends on, or their number where <paramref name="dependencies"/> is null.</summary>
    [LibraryImport(Library, EntryPoint = "cuGraphNodeGetDependencies")]
    public static partial CUresult cuGraphNodeGetDependencies(CUgraphNode hNode, CUgraphNode* dependencies, nuint* numDependencies);

    /// <summary>Adds a kernel launch.</summary>
    [LibraryImport(Library, EntryPoint = "cuGraphAddKernelNode_v2")]
    public static partial CUresult cuGraphAddKernelNode_v2(
        CUgraphNode* phGraphNode, CUgraph hGraph, CUgraphNode* dependencies, nuint numDependencies,
        CUDA_KERNEL_NODE_PARAMS* nodeParams);

    /// <summary>Adds a copy.</summary>
    [LibraryImport(Library, EntryPoint = "cuGraphAddMemcpyNode")]
    public static partial CUresult cuGraphAddMemcpyNode(
        CUgraphNode* phGraphNode, CUgraph hGraph, CUgraphNode* dependencies, nuint numDependencies, CUDA_MEMCPY3D* copyParams,
        CUcontext ctx);

    /// <summary>Adds a fill.</summary>
    [LibraryImport(Library, EntryPoint = "cuGraphAddMemsetNode")]
    public static partial CUresult cuGraphAddMemsetNode(
        CUgraphNode* phGraphNode, CUgraph hGraph, CUgraphNode* dependencies, nuint numDependencies,
        CUDA_MEMSET_NODE_PARAMS* memsetParams, CUcontext ctx);

    /// <summary>Adds a host function.</summary>
    [LibraryImport(Library, EntryPoint = "cuGraphAddHostNode")]
    public static partial CUresult cuGraphAddHostNode(
        CUgraphNode* phGraphNode, CUgraph hGraph, CUgraphNode* dependencies, nuint numDependencies,
        CUDA_HOST_NODE_PARAMS* nodeParams);

    /// <summary>Adds a node that only orders others.</summary>
    [LibraryImport(Library, EntryPoint = "cuGraphAddEmptyNode")]
    public static partial CUresult cuGraphAddEmptyNode(
        CUgraphNode* phGraphNode, CUgraph hGraph, CUgraphNode* dependencies, nuint numDependencies);

    /// <summary>Parameters of a kernel node; the pointers in them live as long as the node.</summary>
    [LibraryImport(Library, EntryPoint = "cuGraphKernelNodeGetParams_v2")]
    public static partial CUresult cuGraphKernelNodeGetParams_v2(CUgraphNode hNode, CUDA_KERNEL_NODE_PARAMS* nodeParams);

    /// <summary>Replaces a kernel node's parameters in an executable graph.</summary>
    [LibraryImport(Library, EntryPoint = "cuGraphExecKernelNodeSetParams_v2")]
    public static partial CUresult cuGraphExecKernelNodeSetParams_v2(
        CUgraphExec hGraphExec, CUgraphNode hNode, CUDA_KERNEL_NODE_PARAMS* nodeParams);

    /// <summary>Writes a graph in DOT format to a file.</summary>
    [LibraryImport(Library, EntryPoint = "cuGraphDebugDotPrint")]
    public static partial CUresult cuGraphDebugDotPrint(CUgraph hGraph, byte* path, uint flags);
}
