#include "layout.h"

#include <algorithm>
#include <queue>

namespace simulator {

int find_label(const FunctionSyntax& function, int scope, const std::string& name) {
  for (int s = scope; s >= 0; s = function.scopes[static_cast<size_t>(s)].parent) {
    const auto& labels = function.scopes[static_cast<size_t>(s)].labels;
    auto it = labels.find(name);
    if (it != labels.end()) return it->second;
  }
  return -1;
}

namespace {

bool is_branch(const Instruction& i) { return i.opcode == "bra" || i.opcode == "brx"; }
bool ends_lanes(const Instruction& i) { return i.opcode == "ret" || i.opcode == "exit" || i.opcode == "trap"; }

std::vector<int> branch_targets(const FunctionSyntax& function, const Instruction& i) {
  std::vector<int> targets;
  auto add = [&](const std::string& name) {
    int at = find_label(function, i.scope, name);
    if (at < 0) throw PtxError(i.line, "unknown label " + name);
    targets.push_back(at);
  };
  if (i.opcode == "bra") {
    if (i.operands.size() != 1 || i.operands[0].kind != OperandKind::name) throw PtxError(i.line, "bra needs a label");
    add(i.operands[0].name);
  } else {
    if (i.operands.size() != 2) throw PtxError(i.line, "brx.idx needs an index and a table");
    for (int s = i.scope; s >= 0; s = function.scopes[static_cast<size_t>(s)].parent) {
      const auto& tables = function.scopes[static_cast<size_t>(s)].targets;
      auto it = tables.find(i.operands[1].name);
      if (it == tables.end()) continue;
      for (const std::string& name : it->second) add(name);
      return targets;
    }
    throw PtxError(i.line, "unknown table of branch targets " + i.operands[1].name);
  }
  return targets;
}

class Ordering {
 public:
  explicit Ordering(ControlFlow& flow) : flow_(flow), member_(flow.blocks.size(), 0) {}

  void run() {
    std::vector<int> all;
    std::vector<bool> seen(flow_.blocks.size());
    std::vector<int> stack{0};
    seen[0] = true;
    while (!stack.empty()) {
      int b = stack.back();
      stack.pop_back();
      all.push_back(b);
      for (int s : flow_.blocks[static_cast<size_t>(b)].successors)
        if (!seen[static_cast<size_t>(s)]) seen[static_cast<size_t>(s)] = true, stack.push_back(s);
    }
    place(all, 0);
  }

 private:
  // Lays out a region whose only way in is entry: its strongly connected parts without the edges back to
  // entry, in topological order, each part in the same way from its own entry.
  void place(std::vector<int> nodes, int entry) {
    std::sort(nodes.begin(), nodes.end());
    int region = ++regions_;
    for (int n : nodes) member_[static_cast<size_t>(n)] = region;
    std::vector<std::vector<int>> parts = components(nodes, entry, region);
    // Edges between parts.
    std::vector<int> part_of(flow_.blocks.size(), -1);
    for (size_t p = 0; p < parts.size(); ++p)
      for (int n : parts[p]) part_of[static_cast<size_t>(n)] = static_cast<int>(p);
    std::vector<std::vector<int>> next(parts.size());
    std::vector<int> incoming(parts.size());
    std::vector<int> way_in(parts.size(), -1);
    for (int n : nodes)
      for (int s : flow_.blocks[static_cast<size_t>(n)].successors) {
        if (s == entry || member_[static_cast<size_t>(s)] != region) continue;
        int from = part_of[static_cast<size_t>(n)], to = part_of[static_cast<size_t>(s)];
        if (from == to) continue;
        next[static_cast<size_t>(from)].push_back(to);
        ++incoming[static_cast<size_t>(to)];
        int& in = way_in[static_cast<size_t>(to)];
        if (in < 0 || s < in) in = s;
      }
    // Among parts that could come next, the one first in the text.
    std::priority_queue<std::pair<int, int>, std::vector<std::pair<int, int>>, std::greater<>> ready;
    auto first = [&](int p) {
      return *std::min_element(parts[static_cast<size_t>(p)].begin(), parts[static_cast<size_t>(p)].end());
    };
    for (size_t p = 0; p < parts.size(); ++p)
      if (incoming[p] == 0)
        ready.push({parts[p].front() == entry ? -1 : first(static_cast<int>(p)), static_cast<int>(p)});
    std::vector<int> sequence;
    while (!ready.empty()) {
      int p = ready.top().second;
      ready.pop();
      sequence.push_back(p);
      for (int q : next[static_cast<size_t>(p)])
        if (--incoming[static_cast<size_t>(q)] == 0) ready.push({first(q), q});
    }
    for (int p : sequence) {
      const std::vector<int>& part = parts[static_cast<size_t>(p)];
      if (part.size() == 1) {
        flow_.order.push_back(part[0]);
      } else {
        place(part, way_in[static_cast<size_t>(p)]);
      }
    }
  }

  // Tarjan, without recursion.
  std::vector<std::vector<int>> components(const std::vector<int>& nodes, int entry, int region) {
    size_t count = flow_.blocks.size();
    std::vector<int> index(count, -1), low(count, 0);
    std::vector<bool> on_stack(count);
    std::vector<int> stack;
    std::vector<std::vector<int>> parts;
    int counter = 0;
    struct Visit {
      int node;
      size_t edge;
    };
    for (int root : nodes) {
      if (index[static_cast<size_t>(root)] >= 0) continue;
      std::vector<Visit> visits{{root, 0}};
      while (!visits.empty()) {
        int n = visits.back().node;
        size_t u = static_cast<size_t>(n);
        if (visits.back().edge == 0) {
          index[u] = low[u] = counter++;
          stack.push_back(n);
          on_stack[u] = true;
        }
        const std::vector<int>& successors = flow_.blocks[u].successors;
        bool descended = false;
        while (visits.back().edge < successors.size()) {
          int s = successors[visits.back().edge++];
          size_t v = static_cast<size_t>(s);
          if (s == entry || member_[v] != region) continue;
          if (index[v] < 0) {
            visits.push_back({s, 0});
            descended = true;
            break;
          }
          if (on_stack[v]) low[u] = std::min(low[u], index[v]);
        }
        if (descended) continue;
        if (visits.back().edge == 0) visits.back().edge = 1;
        if (low[u] == index[u]) {
          parts.emplace_back();
          int popped;
          do {
            popped = stack.back();
            stack.pop_back();
            on_stack[static_cast<size_t>(popped)] = false;
            parts.back().push_back(popped);
          } while (popped != n);
        }
        visits.pop_back();
        if (!visits.empty()) {
          size_t parent = static_cast<size_t>(visits.back().node);
          low[parent] = std::min(low[parent], low[u]);
        }
      }
    }
    return parts;
  }

  ControlFlow& flow_;
  std::vector<int> member_;  // region a block was last seen in
  int regions_ = 0;
};

}  // namespace

ControlFlow control_flow(const FunctionSyntax& function) {
  ControlFlow flow;
  size_t count = function.instructions.size();
  std::vector<bool> leader(count + 1);
  leader[0] = true;
  std::vector<std::vector<int>> targets(count);
  for (size_t i = 0; i < count; ++i) {
    const Instruction& instruction = function.instructions[i];
    if (is_branch(instruction)) {
      targets[i] = branch_targets(function, instruction);
      for (int t : targets[i]) leader[static_cast<size_t>(t)] = true;
      leader[i + 1] = true;
    } else if (ends_lanes(instruction)) {
      leader[i + 1] = true;
    }
  }
  leader[count] = true;  // an empty block at the end: falling off it returns
  flow.block_of.assign(count + 1, -1);
  for (size_t i = 0; i <= count; ++i) {
    if (!leader[i]) continue;
    if (!flow.blocks.empty()) flow.blocks.back().end = static_cast<int>(i);
    flow.block_of[i] = static_cast<int>(flow.blocks.size());
    BasicBlock block;
    block.begin = block.end = static_cast<int>(i);
    flow.blocks.push_back(block);
  }
  for (size_t b = 0; b + 1 < flow.blocks.size(); ++b) {
    BasicBlock& block = flow.blocks[b];
    const Instruction& last = function.instructions[static_cast<size_t>(block.end) - 1];
    bool guarded = last.guard >= 0;
    if (is_branch(last))
      for (int t : targets[static_cast<size_t>(block.end) - 1])
        block.successors.push_back(flow.block_of[static_cast<size_t>(t)]);
    if ((!is_branch(last) && !ends_lanes(last)) || guarded) {
      block.fallthrough = static_cast<int>(b) + 1;
      block.successors.push_back(block.fallthrough);
    }
    std::sort(block.successors.begin(), block.successors.end());
    block.successors.erase(std::unique(block.successors.begin(), block.successors.end()), block.successors.end());
  }
  Ordering(flow).run();
  return flow;
}

}  // namespace simulator
