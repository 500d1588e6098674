// cp.async under way in a warp: read at the instruction, written to shared memory by the wait and not before,
// so that code that forgets to wait sees it.
#pragma once

#include <cstdint>
#include <vector>

#include "lanes.h"

namespace simulator {

struct AsyncCopies {
  struct Copy {
    uint32_t mask;  // lanes whose bytes have not landed
    uint8_t bytes;
    uint64_t group[lanes];
    uint8_t* to[lanes];
    uint8_t data[lanes][16];
  };
  std::vector<Copy> copies;      // in program order
  uint64_t open_group[lanes]{};  // number of the group that is not committed yet

  // Lands all copies of the lanes but those of the newest kept committed groups and, unless all, of the open
  // group.
  void wait(Warp& w, const Op* op, uint32_t exec, uint64_t kept, bool all);
};

}  // namespace simulator
