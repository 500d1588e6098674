// cuInit, the version, error names, the profiler's switches.
#include "../address_space.h"
#include "api.h"
#include "card.h"

using namespace simulator::driver;

SIMULATOR_API cuInit(unsigned int Flags) {
  return uninitialised_api("cuInit", [&] {
    if (Flags != 0) fail(CUDA_ERROR_INVALID_VALUE, "Flags = %u, must be 0", Flags);
    if (cards().empty()) fail(CUDA_ERROR_NO_DEVICE, "KERNELS_SIM_DEVICES is 0");
    if (!simulator::address_space().reserved())
      fail(CUDA_ERROR_OUT_OF_MEMORY,
           "no address space for device memory: the limit of this process (ulimit -v) is low");
    initialise();
    return CUDA_SUCCESS;
  });
}

SIMULATOR_API cuDriverGetVersion(int* driverVersion) {
  return uninitialised_api("cuDriverGetVersion", [&] {
    require_pointer(driverVersion, "driverVersion");
    *driverVersion = 12040;
    return CUDA_SUCCESS;
  });
}

SIMULATOR_API cuGetErrorName(CUresult error, const char** pStr) {
  return uninitialised_api("cuGetErrorName", [&] {
    require_pointer(pStr, "pStr");
    *pStr = error_name(error);
    return *pStr ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE;
  });
}

SIMULATOR_API cuGetErrorString(CUresult error, const char** pStr) {
  return uninitialised_api("cuGetErrorString", [&] {
    require_pointer(pStr, "pStr");
    *pStr = error_description(error);
    return *pStr ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE;
  });
}

// Counters are written for every launch while KERNELS_SIM_STATS is set; there is nothing to start or stop.
SIMULATOR_API cuProfilerStart() {
  return api("cuProfilerStart", [] { return CUDA_SUCCESS; });
}

SIMULATOR_API cuProfilerStop() {
  return api("cuProfilerStop", [] { return CUDA_SUCCESS; });
}
