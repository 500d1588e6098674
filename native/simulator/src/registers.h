// Virtual registers to slots of the frame, by liveness.
#pragma once

#include <vector>

#include "decode.h"

namespace simulator {

struct OpBlock {
  int begin = 0, end = 0;  // ops
  std::vector<int> successors;
};

// Rewrites the references of all ops and completes the frame's layout. Returns the largest number of 32-bit
// registers that are live at once.
uint32_t assign_registers(Emitter& emitter, const std::vector<OpBlock>& blocks);

}  // namespace simulator
