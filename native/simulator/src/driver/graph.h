// Graphs: nodes with dependencies, and what instantiation makes of them.
#pragma once

#include <memory>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "operation.h"
#include "stream.h"

namespace simulator::driver {

class GraphObject;

class GraphNode {
 public:
  Operation operation;
  std::vector<std::shared_ptr<GraphNode>> dependencies;
  std::weak_ptr<GraphObject> graph;
  CUgraphNode handle = nullptr;

  CUgraphNodeType type() const;
  // cuGraphKernelNodeGetParams's kernelParams: pointers into the node's own parameters.
  std::vector<void*> parameter_pointers;
  CUcontext context = nullptr;  // of copies and memsets
};
using NodePointer = std::shared_ptr<GraphNode>;

class GraphObject : public std::enable_shared_from_this<GraphObject> {
 public:
  CUgraph handle = nullptr;
  std::vector<NodePointer> nodes;  // dependencies stand before what depends on them

  NodePointer add(Operation operation, std::vector<NodePointer> dependencies, CUcontext context = nullptr);
};
using GraphPointer = std::shared_ptr<GraphObject>;

// An executable graph: a copy of the nodes as they were, in an order that respects the dependencies.
class ExecutableGraph {
 public:
  struct Step {
    CUgraphNode node = nullptr;  // the node of the original graph
    Operation operation;
    std::vector<size_t> dependencies;  // positions of earlier steps, ascending
    bool enabled = true;
  };

  ContextPointer context;
  CUgraphExec handle = nullptr;
  CUgraph source = nullptr;
  unsigned long long flags = 0;
  std::mutex mutex;  // guards steps; a launch works on a copy
  std::vector<Step> steps;

  Step& step(CUgraphNode node);  // throws INVALID_VALUE where the node is none of this graph's
};
using ExecutableGraphPointer = std::shared_ptr<ExecutableGraph>;

GraphPointer create_graph();
GraphPointer graph_of(CUgraph handle);
NodePointer node_of(CUgraphNode handle);
void destroy_graph(CUgraph handle);
// Takes the node and every edge from and to it away.
void destroy_node(CUgraphNode handle);
size_t live_graphs();

CUgraphExec instantiate(const GraphPointer& graph, const ContextPointer& context, unsigned long long flags);
ExecutableGraphPointer executable_of(CUgraphExec handle);
void destroy_executable(CUgraphExec handle);
void launch(const ExecutableGraphPointer& graph, const StreamPointer& stream);
// Replaces the operations by those of a graph of the same shape; says what is in the way otherwise.
CUgraphExecUpdateResultInfo update(const ExecutableGraphPointer& executable, const GraphPointer& graph);
size_t live_executables();

// The mutex of all graph structure: node lists, edges, operations of nodes.
std::mutex& graph_mutex();

}  // namespace simulator::driver
