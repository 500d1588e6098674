// Words for what went wrong in a launch.
#pragma once

#include <string>

#include "warp.h"

namespace simulator {

// printf into a string.
std::string format(const char* pattern, ...) __attribute__((format(printf, 1, 2)));

// The full report of a fault: kernel, block, thread, PTX line and text, CUDA line.
std::string report_fault(const LaunchContext& launch, const Block& block, const LaunchFault& fault);
// "bar.sync at line 12" and the like.
std::string describe_op(const LaunchContext& launch, const Op* op);

}  // namespace simulator
