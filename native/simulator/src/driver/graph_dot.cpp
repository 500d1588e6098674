#include "graph_dot.h"

#include <ostream>
#include <unordered_map>

#include "module.h"

namespace simulator::driver {
namespace {

std::string dimensions(const Dim3& d) {
  return std::to_string(d.x) + "," + std::to_string(d.y) + "," + std::to_string(d.z);
}

std::string label(const GraphNode& node, unsigned flags) {
  const bool all = flags & CU_GRAPH_DEBUG_DOT_FLAGS_VERBOSE;
  if (const auto* kernel = std::get_if<KernelOperation>(&node.operation)) {
    std::string text = "KERNEL\\n" + kernel->function->info().name;
    if (all || (flags & CU_GRAPH_DEBUG_DOT_FLAGS_KERNEL_NODE_PARAMS))
      text += "\\n<<<" + dimensions(kernel->launch.grid) + " | " + dimensions(kernel->launch.block) + " | " +
              std::to_string(kernel->launch.dynamic_shared_bytes) + ">>>";
    return text;
  }
  if (const auto* copy = std::get_if<CopyOperation>(&node.operation)) {
    std::string text =
        std::string("MEMCPY\\n") + (copy->from.host ? "host" : "device") + " to " + (copy->to.host ? "host" : "device");
    if (all || (flags & CU_GRAPH_DEBUG_DOT_FLAGS_MEMCPY_NODE_PARAMS))
      text += "\\n" + std::to_string(copy->width) + " x " + std::to_string(copy->rows) + " x " +
              std::to_string(copy->slices) + " bytes";
    return text;
  }
  if (const auto* memset = std::get_if<MemsetOperation>(&node.operation)) {
    std::string text = "MEMSET";
    if (all || (flags & CU_GRAPH_DEBUG_DOT_FLAGS_MEMSET_NODE_PARAMS))
      text += "\\n" + std::to_string(memset->width) + " x " + std::to_string(memset->rows) + " elements of " +
              std::to_string(memset->element_bytes) + " bytes";
    return text;
  }
  if (std::holds_alternative<HostOperation>(node.operation)) return "HOST";
  return "EMPTY";
}

}  // namespace

void write_dot(const GraphObject& graph, unsigned flags, std::ostream& out) {
  std::unordered_map<const GraphNode*, size_t> number;
  out << "digraph graph {\n";
  for (const NodePointer& node : graph.nodes) {
    const size_t index = number.size();
    number.emplace(node.get(), index);
    out << "  node" << index << " [shape=box, label=\"" << index << "\\n" << label(*node, flags) << "\"];\n";
  }
  for (const NodePointer& node : graph.nodes)
    for (const NodePointer& dependency : node->dependencies)
      out << "  node" << number.at(dependency.get()) << " -> node" << number.at(node.get()) << ";\n";
  out << "}\n";
}

}  // namespace simulator::driver
