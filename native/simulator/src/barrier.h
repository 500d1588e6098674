// What is left to do for a group when the block barrier it waits at completes.
#pragma once

#include "warp.h"

namespace simulator {

// Writes the result of bar.red for the lanes of the group; nothing for other barriers.
void finish_barrier(const Group& group, const Barrier& barrier);

}  // namespace simulator
