// Nodes of graphs: adding them, reading and changing their parameters, in graphs and in executable graphs.
#include "api.h"
#include "capture.h"
#include "copy.h"
#include "graph.h"
#include "launch.h"

using namespace simulator::driver;

namespace {

CUresult add_node(CUgraphNode* out, CUgraph hGraph, const CUgraphNode* dependencies, size_t count, Operation operation,
                  CUcontext context = nullptr) {
  require_pointer(out, "phGraphNode");
  if (count > 0) require_pointer(dependencies, "dependencies");
  const GraphPointer graph = graph_of(hGraph);
  std::vector<NodePointer> before;
  for (size_t index = 0; index < count; ++index) {
    before.push_back(node_of(dependencies[index]));
    if (before.back()->graph.lock() != graph)
      fail(CUDA_ERROR_INVALID_VALUE, "dependencies[%zu] is a node of another graph", index);
  }
  std::lock_guard lock(graph_mutex());
  *out = graph->add(std::move(operation), std::move(before), context)->handle;
  return CUDA_SUCCESS;
}

KernelOperation kernel_operation(const CUDA_KERNEL_NODE_PARAMS& params) {
  if (params.func == nullptr)
    fail(CUDA_ERROR_INVALID_VALUE, "func is null: kernels of libraries (kern) are not simulated");
  const LaunchShape shape{{params.gridDimX, params.gridDimY, params.gridDimZ},
                          {params.blockDimX, params.blockDimY, params.blockDimZ},
                          params.sharedMemBytes,
                          false};
  return prepare_launch(function_of(params.func), shape, params.kernelParams, params.extra);
}

CopyOperation copy_operation(const CUDA_MEMCPY3D& params) {
  CopyOperation copy = strided_copy(params);
  validate(copy);
  return copy;
}

MemsetOperation memset_operation(const CUDA_MEMSET_NODE_PARAMS& params) {
  if (params.elementSize != 1 && params.elementSize != 2 && params.elementSize != 4)
    fail(CUDA_ERROR_INVALID_VALUE, "elementSize = %u is none of 1, 2, 4", params.elementSize);
  MemsetOperation memset;
  memset.address = params.dst;
  memset.pitch = params.pitch;
  memset.value = params.value;
  memset.element_bytes = params.elementSize;
  memset.width = params.width;
  memset.rows = params.height;
  validate(memset);
  return memset;
}

HostOperation host_operation(const CUDA_HOST_NODE_PARAMS& params) {
  if (params.fn == nullptr) fail(CUDA_ERROR_INVALID_VALUE, "fn is null");
  return {params.fn, params.userData};
}

template <class T>
T& operation_of(Operation& operation, const char* kind) {
  if (T* found = std::get_if<T>(&operation)) return *found;
  fail(CUDA_ERROR_INVALID_VALUE, "the node is not a %s node", kind);
}

void set(CUgraphNode hNode, Operation operation, const char* kind) {
  const NodePointer node = node_of(hNode);
  std::lock_guard lock(graph_mutex());
  if (node->operation.index() != operation.index()) fail(CUDA_ERROR_INVALID_VALUE, "the node is not a %s node", kind);
  node->operation = std::move(operation);
}

void set(CUgraphExec hGraphExec, CUgraphNode hNode, Operation operation, const char* kind) {
  const ExecutableGraphPointer graph = executable_of(hGraphExec);
  std::lock_guard lock(graph->mutex);
  ExecutableGraph::Step& step = graph->step(hNode);
  if (step.operation.index() != operation.index()) fail(CUDA_ERROR_INVALID_VALUE, "the node is not a %s node", kind);
  if (const auto* copy = std::get_if<CopyOperation>(&operation)) {
    const auto& old_copy = std::get<CopyOperation>(step.operation);
    if (old_copy.to.host != copy->to.host || old_copy.from.host != copy->from.host)
      fail(CUDA_ERROR_INVALID_VALUE, "the kinds of memory of a copy cannot change after instantiation");
  }
  if (const auto* kernel = std::get_if<KernelOperation>(&operation))
    if (kernel->function->context != std::get<KernelOperation>(step.operation).function->context)
      fail(CUDA_ERROR_INVALID_VALUE, "the function's context cannot change after instantiation");
  step.operation = std::move(operation);
}

// The body of the calls that set a node's parameters; `make` turns them into the operation.
template <class Params, class Make>
CUresult set_in_graph(const char* call, CUgraphNode hNode, const Params* params, const char* name, Make make,
                      const char* kind) {
  return api(call, [&] {
    require_pointer(params, name);
    set(hNode, make(*params), kind);
    return CUDA_SUCCESS;
  });
}

template <class Params, class Make>
CUresult set_in_executable(const char* call, CUgraphExec hGraphExec, CUgraphNode hNode, const Params* params,
                           const char* name, Make make, const char* kind, const CUcontext* context = nullptr) {
  return api(call, [&] {
    require_pointer(params, name);
    if (context) context_of(*context);
    set(hGraphExec, hNode, make(*params), kind);
    return CUDA_SUCCESS;
  });
}

}  // namespace

SIMULATOR_API cuGraphAddKernelNode_v2(CUgraphNode* phGraphNode, CUgraph hGraph, const CUgraphNode* dependencies,
                                      size_t numDependencies, const CUDA_KERNEL_NODE_PARAMS* nodeParams) {
  return api("cuGraphAddKernelNode_v2", [&] {
    require_pointer(nodeParams, "nodeParams");
    return add_node(phGraphNode, hGraph, dependencies, numDependencies, kernel_operation(*nodeParams));
  });
}

SIMULATOR_API cuGraphAddMemcpyNode(CUgraphNode* phGraphNode, CUgraph hGraph, const CUgraphNode* dependencies,
                                   size_t numDependencies, const CUDA_MEMCPY3D* copyParams, CUcontext ctx) {
  return api("cuGraphAddMemcpyNode", [&] {
    require_pointer(copyParams, "copyParams");
    context_of(ctx);
    return add_node(phGraphNode, hGraph, dependencies, numDependencies, copy_operation(*copyParams), ctx);
  });
}

SIMULATOR_API cuGraphAddMemsetNode(CUgraphNode* phGraphNode, CUgraph hGraph, const CUgraphNode* dependencies,
                                   size_t numDependencies, const CUDA_MEMSET_NODE_PARAMS* memsetParams, CUcontext ctx) {
  return api("cuGraphAddMemsetNode", [&] {
    require_pointer(memsetParams, "memsetParams");
    context_of(ctx);
    return add_node(phGraphNode, hGraph, dependencies, numDependencies, memset_operation(*memsetParams), ctx);
  });
}

SIMULATOR_API cuGraphAddHostNode(CUgraphNode* phGraphNode, CUgraph hGraph, const CUgraphNode* dependencies,
                                 size_t numDependencies, const CUDA_HOST_NODE_PARAMS* nodeParams) {
  return api("cuGraphAddHostNode", [&] {
    require_pointer(nodeParams, "nodeParams");
    return add_node(phGraphNode, hGraph, dependencies, numDependencies, host_operation(*nodeParams));
  });
}

SIMULATOR_API cuGraphAddEmptyNode(CUgraphNode* phGraphNode, CUgraph hGraph, const CUgraphNode* dependencies,
                                  size_t numDependencies) {
  return api("cuGraphAddEmptyNode",
             [&] { return add_node(phGraphNode, hGraph, dependencies, numDependencies, EmptyOperation{}); });
}

SIMULATOR_API cuGraphKernelNodeGetParams_v2(CUgraphNode hNode, CUDA_KERNEL_NODE_PARAMS* nodeParams) {
  return api("cuGraphKernelNodeGetParams_v2", [&] {
    require_pointer(nodeParams, "nodeParams");
    const NodePointer node = node_of(hNode);
    std::lock_guard lock(graph_mutex());
    KernelOperation& kernel = operation_of<KernelOperation>(node->operation, "kernel");
    simulator::Launch& launch = kernel.launch;
    // The pointers lead into the node's own copy and stay good until the node changes.
    node->parameter_pointers.clear();
    for (const simulator::ParameterInfo& parameter : kernel.function->info().parameters)
      node->parameter_pointers.push_back(launch.parameters.data() + parameter.offset);
    *nodeParams = {kernel.function->handle,
                   launch.grid.x,
                   launch.grid.y,
                   launch.grid.z,
                   launch.block.x,
                   launch.block.y,
                   launch.block.z,
                   launch.dynamic_shared_bytes,
                   node->parameter_pointers.data(),
                   nullptr,
                   nullptr,
                   kernel.function->context->handle};
    return CUDA_SUCCESS;
  });
}

SIMULATOR_API cuGraphKernelNodeSetParams_v2(CUgraphNode hNode, const CUDA_KERNEL_NODE_PARAMS* nodeParams) {
  return set_in_graph("cuGraphKernelNodeSetParams_v2", hNode, nodeParams, "nodeParams", kernel_operation, "kernel");
}

SIMULATOR_API cuGraphExecKernelNodeSetParams_v2(CUgraphExec hGraphExec, CUgraphNode hNode,
                                                const CUDA_KERNEL_NODE_PARAMS* nodeParams) {
  return set_in_executable("cuGraphExecKernelNodeSetParams_v2", hGraphExec, hNode, nodeParams, "nodeParams",
                           kernel_operation, "kernel");
}

SIMULATOR_API cuGraphMemcpyNodeSetParams(CUgraphNode hNode, const CUDA_MEMCPY3D* nodeParams) {
  return set_in_graph("cuGraphMemcpyNodeSetParams", hNode, nodeParams, "nodeParams", copy_operation, "memcpy");
}

SIMULATOR_API cuGraphExecMemcpyNodeSetParams(CUgraphExec hGraphExec, CUgraphNode hNode, const CUDA_MEMCPY3D* copyParams,
                                             CUcontext ctx) {
  return set_in_executable("cuGraphExecMemcpyNodeSetParams", hGraphExec, hNode, copyParams, "copyParams",
                           copy_operation, "memcpy", &ctx);
}

SIMULATOR_API cuGraphMemsetNodeGetParams(CUgraphNode hNode, CUDA_MEMSET_NODE_PARAMS* nodeParams) {
  return api("cuGraphMemsetNodeGetParams", [&] {
    require_pointer(nodeParams, "nodeParams");
    const NodePointer node = node_of(hNode);
    std::lock_guard lock(graph_mutex());
    const MemsetOperation& memset = operation_of<MemsetOperation>(node->operation, "memset");
    *nodeParams = {memset.address, memset.pitch, memset.value, memset.element_bytes, memset.width, memset.rows};
    return CUDA_SUCCESS;
  });
}

SIMULATOR_API cuGraphMemsetNodeSetParams(CUgraphNode hNode, const CUDA_MEMSET_NODE_PARAMS* nodeParams) {
  return set_in_graph("cuGraphMemsetNodeSetParams", hNode, nodeParams, "nodeParams", memset_operation, "memset");
}

SIMULATOR_API cuGraphExecMemsetNodeSetParams(CUgraphExec hGraphExec, CUgraphNode hNode,
                                             const CUDA_MEMSET_NODE_PARAMS* memsetParams, CUcontext ctx) {
  return set_in_executable("cuGraphExecMemsetNodeSetParams", hGraphExec, hNode, memsetParams, "memsetParams",
                           memset_operation, "memset", &ctx);
}

SIMULATOR_API cuGraphHostNodeGetParams(CUgraphNode hNode, CUDA_HOST_NODE_PARAMS* nodeParams) {
  return api("cuGraphHostNodeGetParams", [&] {
    require_pointer(nodeParams, "nodeParams");
    const NodePointer node = node_of(hNode);
    std::lock_guard lock(graph_mutex());
    const HostOperation& host = operation_of<HostOperation>(node->operation, "host");
    *nodeParams = {host.function, host.argument};
    return CUDA_SUCCESS;
  });
}

SIMULATOR_API cuGraphHostNodeSetParams(CUgraphNode hNode, const CUDA_HOST_NODE_PARAMS* nodeParams) {
  return set_in_graph("cuGraphHostNodeSetParams", hNode, nodeParams, "nodeParams", host_operation, "host");
}

SIMULATOR_API cuGraphExecHostNodeSetParams(CUgraphExec hGraphExec, CUgraphNode hNode,
                                           const CUDA_HOST_NODE_PARAMS* nodeParams) {
  return set_in_executable("cuGraphExecHostNodeSetParams", hGraphExec, hNode, nodeParams, "nodeParams", host_operation,
                           "host");
}

SIMULATOR_API cuGraphNodeSetEnabled(CUgraphExec hGraphExec, CUgraphNode hNode, unsigned int isEnabled) {
  return api("cuGraphNodeSetEnabled", [&] {
    const ExecutableGraphPointer graph = executable_of(hGraphExec);
    std::lock_guard lock(graph->mutex);
    graph->step(hNode).enabled = isEnabled != 0;
    return CUDA_SUCCESS;
  });
}

SIMULATOR_API cuGraphNodeGetEnabled(CUgraphExec hGraphExec, CUgraphNode hNode, unsigned int* isEnabled) {
  return api("cuGraphNodeGetEnabled", [&] {
    require_pointer(isEnabled, "isEnabled");
    const ExecutableGraphPointer graph = executable_of(hGraphExec);
    std::lock_guard lock(graph->mutex);
    *isEnabled = graph->step(hNode).enabled;
    return CUDA_SUCCESS;
  });
}
