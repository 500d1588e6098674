#include "graph.h"

#include <algorithm>

#include "failure.h"
#include "handle_table.h"

namespace simulator::driver {
namespace {

HandleTable<GraphObject, CUgraph>& graphs() {
  static auto* const table = new HandleTable<GraphObject, CUgraph>("graph", 8);
  return *table;
}

HandleTable<GraphNode, CUgraphNode>& graph_nodes() {
  static auto* const table = new HandleTable<GraphNode, CUgraphNode>("graph node", 9);
  return *table;
}

}  // namespace

std::mutex& graph_mutex() {
  static auto* const mutex = new std::mutex;
  return *mutex;
}

CUgraphNodeType GraphNode::type() const {
  if (std::holds_alternative<KernelOperation>(operation)) return CU_GRAPH_NODE_TYPE_KERNEL;
  if (std::holds_alternative<CopyOperation>(operation)) return CU_GRAPH_NODE_TYPE_MEMCPY;
  if (std::holds_alternative<MemsetOperation>(operation)) return CU_GRAPH_NODE_TYPE_MEMSET;
  if (std::holds_alternative<HostOperation>(operation)) return CU_GRAPH_NODE_TYPE_HOST;
  return CU_GRAPH_NODE_TYPE_EMPTY;
}

NodePointer GraphObject::add(Operation operation, std::vector<NodePointer> dependencies, CUcontext context) {
  auto node = std::make_shared<GraphNode>();
  node->operation = std::move(operation);
  node->dependencies = std::move(dependencies);
  node->graph = weak_from_this();
  node->context = context;
  node->handle = graph_nodes().add(node);
  nodes.push_back(node);
  return node;
}

GraphPointer create_graph() {
  auto graph = std::make_shared<GraphObject>();
  graph->handle = graphs().add(graph);
  return graph;
}

GraphPointer graph_of(CUgraph handle) {
  if (handle == nullptr) fail(CUDA_ERROR_INVALID_VALUE, "the graph is null");
  return graphs().get(handle);
}

NodePointer node_of(CUgraphNode handle) {
  if (handle == nullptr) fail(CUDA_ERROR_INVALID_VALUE, "the graph node is null");
  return graph_nodes().get(handle);
}

void destroy_graph(CUgraph handle) {
  graph_of(handle);
  const GraphPointer graph = graphs().remove(handle);
  std::lock_guard lock(graph_mutex());
  for (const NodePointer& node : graph->nodes) graph_nodes().remove(node->handle);
  graph->nodes.clear();
}

void destroy_node(CUgraphNode handle) {
  const NodePointer node = node_of(handle);
  std::lock_guard lock(graph_mutex());
  const GraphPointer graph = node->graph.lock();
  graph_nodes().remove(handle);
  if (!graph) return;
  auto& nodes = graph->nodes;
  nodes.erase(std::remove(nodes.begin(), nodes.end(), node), nodes.end());
  for (const NodePointer& other : nodes)
    other->dependencies.erase(std::remove(other->dependencies.begin(), other->dependencies.end(), node),
                              other->dependencies.end());
}

size_t live_graphs() { return graphs().live(); }

}  // namespace simulator::driver
