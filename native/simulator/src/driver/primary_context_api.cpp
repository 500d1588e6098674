// cuDevicePrimaryCtx*.
#include "api.h"
#include "context.h"

using namespace simulator::driver;

SIMULATOR_API cuDevicePrimaryCtxRetain(CUcontext* pctx, CUdevice dev) {
  return api("cuDevicePrimaryCtxRetain", [&] {
    require_pointer(pctx, "pctx");
    *pctx = retain_primary(dev);
    return CUDA_SUCCESS;
  });
}

SIMULATOR_API cuDevicePrimaryCtxRelease_v2(CUdevice dev) {
  return api("cuDevicePrimaryCtxRelease_v2", [&] {
    release_primary(dev);
    return CUDA_SUCCESS;
  });
}

SIMULATOR_API cuDevicePrimaryCtxReset_v2(CUdevice dev) {
  return api("cuDevicePrimaryCtxReset_v2", [&] {
    reset_primary(dev);
    return CUDA_SUCCESS;
  });
}

SIMULATOR_API cuDevicePrimaryCtxGetState(CUdevice dev, unsigned int* flags, int* active) {
  return api("cuDevicePrimaryCtxGetState", [&] {
    require_pointer(flags, "flags");
    require_pointer(active, "active");
    primary_state(dev, flags, active);
    return CUDA_SUCCESS;
  });
}

SIMULATOR_API cuDevicePrimaryCtxSetFlags_v2(CUdevice dev, unsigned int flags) {
  return api("cuDevicePrimaryCtxSetFlags_v2", [&] {
    check_context_flags(flags);
    set_primary_flags(dev, flags);
    return CUDA_SUCCESS;
  });
}
