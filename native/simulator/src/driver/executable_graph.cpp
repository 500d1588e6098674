#include <algorithm>
#include <unordered_map>

#include "failure.h"
#include "graph.h"
#include "handle_table.h"
#include "module.h"

namespace simulator::driver {
namespace {

HandleTable<ExecutableGraph, CUgraphExec>& executables() {
  static auto* const table = new HandleTable<ExecutableGraph, CUgraphExec>("executable graph", 10);
  return *table;
}

// The steps in an order that respects the dependencies, otherwise in the order the nodes were added. Throws
// INVALID_VALUE for a cycle. The caller holds graph_mutex().
std::vector<ExecutableGraph::Step> ordered_steps(const GraphObject& graph) {
  std::unordered_map<const GraphNode*, size_t> position;
  std::vector<ExecutableGraph::Step> steps;
  std::vector<NodePointer> open = graph.nodes;
  while (!open.empty()) {
    const auto ready = std::find_if(open.begin(), open.end(), [&](const NodePointer& node) {
      return std::all_of(node->dependencies.begin(), node->dependencies.end(),
                         [&](const NodePointer& dependency) { return position.count(dependency.get()) != 0; });
    });
    if (ready == open.end()) fail(CUDA_ERROR_INVALID_VALUE, "the graph has a cycle");
    ExecutableGraph::Step step;
    step.node = (*ready)->handle;
    step.operation = (*ready)->operation;
    for (const NodePointer& dependency : (*ready)->dependencies)
      step.dependencies.push_back(position.at(dependency.get()));
    std::sort(step.dependencies.begin(), step.dependencies.end());
    position.emplace(ready->get(), steps.size());
    steps.push_back(std::move(step));
    open.erase(ready);
  }
  return steps;
}

// What stands in the way of running `to` where `from` ran.
CUgraphExecUpdateResult difference(const Operation& from, const Operation& to) {
  if (from.index() != to.index()) return CU_GRAPH_EXEC_UPDATE_ERROR_NODE_TYPE_CHANGED;
  if (const auto* old_kernel = std::get_if<KernelOperation>(&from)) {
    const auto& kernel = std::get<KernelOperation>(to);
    if (old_kernel->function->context != kernel.function->context)
      return CU_GRAPH_EXEC_UPDATE_ERROR_UNSUPPORTED_FUNCTION_CHANGE;
    if (old_kernel->launch.cooperative != kernel.launch.cooperative)
      return CU_GRAPH_EXEC_UPDATE_ERROR_ATTRIBUTES_CHANGED;
  }
  if (const auto* old_copy = std::get_if<CopyOperation>(&from)) {
    const auto& copy = std::get<CopyOperation>(to);
    if (old_copy->to.host != copy.to.host || old_copy->from.host != copy.from.host)
      return CU_GRAPH_EXEC_UPDATE_ERROR_PARAMETERS_CHANGED;
  }
  return CU_GRAPH_EXEC_UPDATE_SUCCESS;
}

}  // namespace

ExecutableGraph::Step& ExecutableGraph::step(CUgraphNode node) {
  for (Step& each : steps)
    if (each.node == node) return each;
  fail(CUDA_ERROR_INVALID_VALUE, "the node is not of the graph that was instantiated");
}

CUgraphExec instantiate(const GraphPointer& graph, const ContextPointer& context, unsigned long long flags) {
  auto executable = std::make_shared<ExecutableGraph>();
  executable->context = context;
  executable->source = graph->handle;
  executable->flags = flags;
  {
    std::lock_guard lock(graph_mutex());
    executable->steps = ordered_steps(*graph);
  }
  executable->handle = executables().add(executable);
  return executable->handle;
}

ExecutableGraphPointer executable_of(CUgraphExec handle) {
  if (handle == nullptr) fail(CUDA_ERROR_INVALID_VALUE, "the executable graph is null");
  return executables().get(handle);
}

void destroy_executable(CUgraphExec handle) {
  executable_of(handle);
  executables().remove(handle);
}

void launch(const ExecutableGraphPointer& graph, const StreamPointer& stream) {
  auto steps = std::make_shared<std::vector<Operation>>();
  {
    std::lock_guard lock(graph->mutex);
    for (const ExecutableGraph::Step& step : graph->steps)
      if (step.enabled) steps->push_back(step.operation);
  }
  stream->submit([steps, self = stream.get()] {
    for (const Operation& operation : *steps) {
      const CUresult result = perform(*self->context, operation, self->id);
      if (result != CUDA_SUCCESS) return result;
    }
    return CUDA_SUCCESS;
  });
}

CUgraphExecUpdateResultInfo update(const ExecutableGraphPointer& executable, const GraphPointer& graph) {
  std::vector<ExecutableGraph::Step> steps;
  {
    std::lock_guard lock(graph_mutex());
    steps = ordered_steps(*graph);
  }
  std::lock_guard lock(executable->mutex);
  if (steps.size() != executable->steps.size()) return {CU_GRAPH_EXEC_UPDATE_ERROR_TOPOLOGY_CHANGED, nullptr, nullptr};
  for (size_t index = 0; index < steps.size(); ++index) {
    const ExecutableGraph::Step& old_step = executable->steps[index];
    const ExecutableGraph::Step& step = steps[index];
    if (step.dependencies != old_step.dependencies)
      return {CU_GRAPH_EXEC_UPDATE_ERROR_TOPOLOGY_CHANGED, step.node, nullptr};
    const CUgraphExecUpdateResult result = difference(old_step.operation, step.operation);
    if (result != CU_GRAPH_EXEC_UPDATE_SUCCESS) return {result, step.node, nullptr};
  }
  for (size_t index = 0; index < steps.size(); ++index)
    executable->steps[index].operation = std::move(steps[index].operation);
  return {CU_GRAPH_EXEC_UPDATE_SUCCESS, nullptr, nullptr};
}

size_t live_executables() { return executables().live(); }

}  // namespace simulator::driver
