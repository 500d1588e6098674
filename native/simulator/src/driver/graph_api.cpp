// cuGraph*: structure, instantiation, launch. The parameters of nodes are in graph_node_api.cpp.
#include <algorithm>
#include <fstream>

#include "api.h"
#include "capture.h"
#include "graph.h"
#include "graph_dot.h"

using namespace simulator::driver;

namespace {

// The array protocol of cuGraphGetNodes and its like: no array asks for the number; a larger one is filled
// with nulls.
void put_nodes(const std::vector<NodePointer>& from, CUgraphNode* nodes, size_t* count) {
  require_pointer(count, "the number of nodes");
  if (nodes) {
    for (size_t index = 0; index < *count; ++index) nodes[index] = index < from.size() ? from[index]->handle : nullptr;
    *count = std::min(*count, from.size());
  } else {
    *count = from.size();
  }
}

CUresult instantiate_into(CUgraphExec* phGraphExec, CUgraph hGraph, unsigned long long flags) {
  require_pointer(phGraphExec, "phGraphExec");
  const ContextPointer context = current_context();
  constexpr unsigned long long known = CUDA_GRAPH_INSTANTIATE_FLAG_AUTO_FREE_ON_LAUNCH |
                                       CUDA_GRAPH_INSTANTIATE_FLAG_UPLOAD |
                                       CUDA_GRAPH_INSTANTIATE_FLAG_USE_NODE_PRIORITY;
  if (flags & CUDA_GRAPH_INSTANTIATE_FLAG_DEVICE_LAUNCH)
    fail(CUDA_ERROR_NOT_SUPPORTED, "graphs launched from the device are not simulated");
  if (flags & ~known) fail(CUDA_ERROR_INVALID_VALUE, "flags = 0x%llx", flags);
  *phGraphExec = instantiate(graph_of(hGraph), context, flags);
  return CUDA_SUCCESS;
}

bool reaches(const NodePointer& from, const NodePointer& to) {
  if (from == to) return true;
  return std::any_of(from->dependencies.begin(), from->dependencies.end(),
                     [&](const NodePointer& each) { return reaches(each, to); });
}

}  // namespace

SIMULATOR_API cuGraphCreate(CUgraph* phGraph, unsigned int flags) {
  return api("cuGraphCreate", [&] {
    require_pointer(phGraph, "phGraph");
    if (flags != 0) fail(CUDA_ERROR_INVALID_VALUE, "flags = %u, must be 0", flags);
    *phGraph = create_graph()->handle;
    return CUDA_SUCCESS;
  });
}

SIMULATOR_API cuGraphDestroy(CUgraph hGraph) {
  return api("cuGraphDestroy", [&] {
    destroy_graph(hGraph);
    return CUDA_SUCCESS;
  });
}

SIMULATOR_API cuGraphClone(CUgraph* phGraphClone, CUgraph originalGraph) {
  return api("cuGraphClone", [&] {
    require_pointer(phGraphClone, "phGraphClone");
    const GraphPointer original = graph_of(originalGraph);
    const GraphPointer clone = create_graph();
    std::lock_guard lock(graph_mutex());
    std::unordered_map<const GraphNode*, NodePointer> twin;
    for (const NodePointer& node : original->nodes) twin[node.get()] = clone->add(node->operation, {}, node->context);
    for (const NodePointer& node : original->nodes)
      for (const NodePointer& dependency : node->dependencies)
        twin[node.get()]->dependencies.push_back(twin.at(dependency.get()));
    *phGraphClone = clone->handle;
    return CUDA_SUCCESS;
  });
}

SIMULATOR_API cuGraphGetNodes(CUgraph hGraph, CUgraphNode* nodes, size_t* numNodes) {
  return api("cuGraphGetNodes", [&] {
    const GraphPointer graph = graph_of(hGraph);
    std::lock_guard lock(graph_mutex());
    put_nodes(graph->nodes, nodes, numNodes);
    return CUDA_SUCCESS;
  });
}

SIMULATOR_API cuGraphGetRootNodes(CUgraph hGraph, CUgraphNode* rootNodes, size_t* numRootNodes) {
  return api("cuGraphGetRootNodes", [&] {
    const GraphPointer graph = graph_of(hGraph);
    std::lock_guard lock(graph_mutex());
    std::vector<NodePointer> roots;
    for (const NodePointer& node : graph->nodes)
      if (node->dependencies.empty()) roots.push_back(node);
    put_nodes(roots, rootNodes, numRootNodes);
    return CUDA_SUCCESS;
  });
}

SIMULATOR_API cuGraphGetEdges(CUgraph hGraph, CUgraphNode* from, CUgraphNode* to, size_t* numEdges) {
  return api("cuGraphGetEdges", [&] {
    require_pointer(numEdges, "numEdges");
    if (!from != !to) fail(CUDA_ERROR_INVALID_VALUE, "from and to must both be given or both be null");
    const GraphPointer graph = graph_of(hGraph);
    std::lock_guard lock(graph_mutex());
    size_t edges = 0;
    for (const NodePointer& node : graph->nodes)
      for (const NodePointer& dependency : node->dependencies) {
        if (from && edges < *numEdges) from[edges] = dependency->handle, to[edges] = node->handle;
        ++edges;
      }
    if (from)
      for (size_t index = edges; index < *numEdges; ++index) from[index] = to[index] = nullptr;
    *numEdges = from ? std::min(*numEdges, edges) : edges;
    return CUDA_SUCCESS;
  });
}

SIMULATOR_API cuGraphNodeGetType(CUgraphNode hNode, CUgraphNodeType* type) {
  return api("cuGraphNodeGetType", [&] {
    require_pointer(type, "type");
    *type = node_of(hNode)->type();
    return CUDA_SUCCESS;
  });
}

SIMULATOR_API cuGraphNodeGetDependencies(CUgraphNode hNode, CUgraphNode* dependencies, size_t* numDependencies) {
  return api("cuGraphNodeGetDependencies", [&] {
    const NodePointer node = node_of(hNode);
    std::lock_guard lock(graph_mutex());
    put_nodes(node->dependencies, dependencies, numDependencies);
    return CUDA_SUCCESS;
  });
}

SIMULATOR_API cuGraphNodeGetDependentNodes(CUgraphNode hNode, CUgraphNode* dependentNodes, size_t* numDependentNodes) {
  return api("cuGraphNodeGetDependentNodes", [&] {
    const NodePointer node = node_of(hNode);
    std::lock_guard lock(graph_mutex());
    std::vector<NodePointer> dependents;
    if (const GraphPointer graph = node->graph.lock())
      for (const NodePointer& other : graph->nodes)
        if (std::find(other->dependencies.begin(), other->dependencies.end(), node) != other->dependencies.end())
          dependents.push_back(other);
    put_nodes(dependents, dependentNodes, numDependentNodes);
    return CUDA_SUCCESS;
  });
}

SIMULATOR_API cuGraphAddDependencies(CUgraph hGraph, const CUgraphNode* from, const CUgraphNode* to,
                                     size_t numDependencies) {
  return api("cuGraphAddDependencies", [&] {
    const GraphPointer graph = graph_of(hGraph);
    if (numDependencies > 0) require_pointer(from, "from"), require_pointer(to, "to");
    for (size_t index = 0; index < numDependencies; ++index) {
      const NodePointer before = node_of(from[index]), after = node_of(to[index]);
      std::lock_guard lock(graph_mutex());
      if (before->graph.lock() != graph || after->graph.lock() != graph)
        fail(CUDA_ERROR_INVALID_VALUE, "edge %zu: a node of another graph", index);
      if (reaches(before, after)) fail(CUDA_ERROR_INVALID_VALUE, "edge %zu would close a cycle", index);
      if (std::find(after->dependencies.begin(), after->dependencies.end(), before) != after->dependencies.end())
        fail(CUDA_ERROR_INVALID_VALUE, "edge %zu exists already", index);
      after->dependencies.push_back(before);
    }
    return CUDA_SUCCESS;
  });
}

SIMULATOR_API cuGraphRemoveDependencies(CUgraph hGraph, const CUgraphNode* from, const CUgraphNode* to,
                                        size_t numDependencies) {
  return api("cuGraphRemoveDependencies", [&] {
    graph_of(hGraph);
    if (numDependencies > 0) require_pointer(from, "from"), require_pointer(to, "to");
    for (size_t index = 0; index < numDependencies; ++index) {
      const NodePointer before = node_of(from[index]), after = node_of(to[index]);
      std::lock_guard lock(graph_mutex());
      auto& edges = after->dependencies;
      const auto found = std::find(edges.begin(), edges.end(), before);
      if (found == edges.end()) fail(CUDA_ERROR_INVALID_VALUE, "edge %zu does not exist", index);
      edges.erase(found);
    }
    return CUDA_SUCCESS;
  });
}

SIMULATOR_API cuGraphDestroyNode(CUgraphNode hNode) {
  return api("cuGraphDestroyNode", [&] {
    destroy_node(hNode);
    return CUDA_SUCCESS;
  });
}

SIMULATOR_API cuGraphInstantiateWithFlags(CUgraphExec* phGraphExec, CUgraph hGraph, unsigned long long flags) {
  return api("cuGraphInstantiateWithFlags", [&] { return instantiate_into(phGraphExec, hGraph, flags); });
}

SIMULATOR_API cuGraphInstantiateWithParams(CUgraphExec* phGraphExec, CUgraph hGraph,
                                           CUDA_GRAPH_INSTANTIATE_PARAMS* instantiateParams) {
  return api("cuGraphInstantiateWithParams", [&] {
    require_pointer(instantiateParams, "instantiateParams");
    instantiateParams->hErrNode_out = nullptr;
    instantiateParams->result_out = CUDA_GRAPH_INSTANTIATE_ERROR;
    instantiate_into(phGraphExec, hGraph, instantiateParams->flags);
    instantiateParams->result_out = CUDA_GRAPH_INSTANTIATE_SUCCESS;
    return CUDA_SUCCESS;
  });
}

SIMULATOR_API cuGraphExecGetFlags(CUgraphExec hGraphExec, cuuint64_t* flags) {
  return api("cuGraphExecGetFlags", [&] {
    require_pointer(flags, "flags");
    *flags = executable_of(hGraphExec)->flags;
    return CUDA_SUCCESS;
  });
}

SIMULATOR_API cuGraphUpload(CUgraphExec hGraphExec, CUstream hStream) {
  return api("cuGraphUpload", [&] {
    executable_of(hGraphExec);
    refuse_capture(stream_of(hStream), "cuGraphUpload");
    return CUDA_SUCCESS;
  });
}

SIMULATOR_API cuGraphLaunch(CUgraphExec hGraphExec, CUstream hStream) {
  return api("cuGraphLaunch", [&] {
    const ExecutableGraphPointer graph = executable_of(hGraphExec);
    const StreamPointer stream = stream_of(hStream);
    refuse_capture(stream, "cuGraphLaunch");  // child graphs are not simulated
    if (graph->context != stream->context)
      fail(CUDA_ERROR_INVALID_VALUE, "the graph was instantiated in another context than the stream's");
    launch(graph, stream);
    return CUDA_SUCCESS;
  });
}

SIMULATOR_API cuGraphExecUpdate_v2(CUgraphExec hGraphExec, CUgraph hGraph, CUgraphExecUpdateResultInfo* resultInfo) {
  return api("cuGraphExecUpdate_v2", [&] {
    require_pointer(resultInfo, "resultInfo");
    *resultInfo = update(executable_of(hGraphExec), graph_of(hGraph));
    if (resultInfo->result != CU_GRAPH_EXEC_UPDATE_SUCCESS)
      fail(CUDA_ERROR_GRAPH_EXEC_UPDATE_FAILURE, "the graphs differ: result %d", static_cast<int>(resultInfo->result));
    return CUDA_SUCCESS;
  });
}

SIMULATOR_API cuGraphExecDestroy(CUgraphExec hGraphExec) {
  return api("cuGraphExecDestroy", [&] {
    destroy_executable(hGraphExec);
    return CUDA_SUCCESS;
  });
}

SIMULATOR_API cuGraphDebugDotPrint(CUgraph hGraph, const char* path, unsigned int flags) {
  return api("cuGraphDebugDotPrint", [&] {
    require_pointer(path, "path");
    const GraphPointer graph = graph_of(hGraph);
    std::ofstream file(path);
    std::lock_guard lock(graph_mutex());
    write_dot(*graph, flags, file);
    file.flush();
    if (!file) fail(CUDA_ERROR_OPERATING_SYSTEM, "%s cannot be written", path);
    return CUDA_SUCCESS;
  });
}
