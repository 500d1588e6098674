// Host threads that execute blocks.
#pragma once

#include <functional>

namespace simulator {

// Runs work(i) for i in [0, count) at the same time: 0 on the calling thread, the others on threads of the
// pool as far as they are free (work shares what there is to do, so that one call alone would do all of it).
// Returns when all have.
void run_on_pool(unsigned count, const std::function<void(unsigned)>& work);

}  // namespace simulator
