// Functions that CUDA's device runtime has and PTX only declares: printf, assert.
#pragma once

#include <cstdint>
#include <string>

#include "warp.h"

namespace simulator {

struct DeviceFunction {
  const char* name;
  // Offsets of the arguments and the result among the caller's parameters.
  void (*body)(Warp& warp, const Op* op, uint32_t exec, const uint32_t* arguments, uint32_t result);
};
extern const DeviceFunction device_functions[];
int find_device_function(const std::string& name);  // -1: none

}  // namespace simulator
