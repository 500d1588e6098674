// In which order the basic blocks of a function are laid out.
#pragma once

#include <vector>

#include "syntax.h"

namespace simulator {

struct BasicBlock {
  int begin = 0, end = 0;  // instructions
  std::vector<int> successors;
  int fallthrough = -1;  // the block that follows when the last instruction does not jump; -1: none
};

struct ControlFlow {
  std::vector<BasicBlock> blocks;
  std::vector<int> block_of;  // by instruction index (one more than there are instructions); -1 where no block begins
  // Reachable blocks, topologically sorted but for the back edges of loops, loops contiguous. Since the group
  // of lanes with the lowest op runs first, lanes that diverged meet again at the immediate post-dominator at
  // the latest.
  std::vector<int> order;
};

ControlFlow control_flow(const FunctionSyntax& function);
// Looks a label up from the scope of the instruction outwards; -1 if there is none.
int find_label(const FunctionSyntax& function, int scope, const std::string& name);

}  // namespace simulator
