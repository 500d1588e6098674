// Graphs as text for Graphviz.
#pragma once

#include <iosfwd>

#include "graph.h"

namespace simulator::driver {

// The caller holds graph_mutex(). Parameters are written where `flags` (CUgraphDebugDot_flags) ask for them.
void write_dot(const GraphObject& graph, unsigned flags, std::ostream& out);

}  // namespace simulator::driver
