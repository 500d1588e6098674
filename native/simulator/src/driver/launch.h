// From the arguments of a launch call to a checked kernel operation.
#pragma once

#include "module.h"
#include "operation.h"

namespace simulator::driver {

struct LaunchShape {
  Dim3 grid, block;
  unsigned dynamic_shared_bytes = 0;
  bool cooperative = false;
};

// Checks the shape against the device and the function, and packs the parameters, given either as one pointer
// each (cuLaunchKernel's kernelParams) or as one packed buffer (its extra). Throws INVALID_VALUE,
// INVALID_HANDLE, COOPERATIVE_LAUNCH_TOO_LARGE.
KernelOperation prepare_launch(const FunctionPointer& function, const LaunchShape& shape, void** kernel_params,
                               void** extra);

}  // namespace simulator::driver
