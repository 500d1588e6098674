// Words for what went wrong in a launch.
#pragma once

#include <string>

#include "warp.h"

namespace simulator {

// printf into a string.
std::string format(const char* pattern, ...) __attribute__((format(printf, 1, 2)));

// The full report of a fault: kernel, block, thread, PTX line and text, CUDA line.
std::string report_fault(const LaunchContext& launch, const Block& block, const LaunchFault& fault);
// Text, line and source line of an instruction.
std::string describe_op(const LaunchContext& launch, const Op* op);
std::string describe_line(const LaunchContext& launch, int ptx_line);

}  // namespace simulator
