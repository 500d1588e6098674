// cuCtx*: creation, the thread's stack, limits, synchronisation.
#include "api.h"
#include "capture.h"
#include "context.h"
#include "pool.h"

using namespace simulator::driver;

namespace simulator::driver {

void check_context_flags(unsigned flags) {
  const unsigned schedule = flags & CU_CTX_SCHED_MASK;
  if ((flags & ~static_cast<unsigned>(CU_CTX_FLAGS_MASK)) != 0 || (schedule & (schedule - 1)) != 0)
    fail(CUDA_ERROR_INVALID_VALUE, "flags = 0x%x are no context flags", flags);
}

}  // namespace simulator::driver

SIMULATOR_API cuCtxCreate_v2(CUcontext* pctx, unsigned int flags, CUdevice dev) {
  return api("cuCtxCreate_v2", [&] {
    require_pointer(pctx, "pctx");
    check_context_flags(flags);
    *pctx = create_context(dev, flags, 3020);
    context_stack().push_back(*pctx);
    return CUDA_SUCCESS;
  });
}

SIMULATOR_API cuCtxCreate_v3(CUcontext* pctx, void* paramsArray, int numParams, unsigned int flags, CUdevice dev) {
  return api("cuCtxCreate_v3", [&] {
    require_pointer(pctx, "pctx");
    if (paramsArray != nullptr || numParams != 0)
      fail(CUDA_ERROR_UNSUPPORTED_EXEC_AFFINITY, "execution affinity is not simulated");
    check_context_flags(flags);
    *pctx = create_context(dev, flags, 3020);
    context_stack().push_back(*pctx);
    return CUDA_SUCCESS;
  });
}

SIMULATOR_API cuCtxDestroy_v2(CUcontext ctx) {
  return api("cuCtxDestroy_v2", [&] {
    destroy_context(ctx);
    std::vector<CUcontext>& stack = context_stack();
    if (!stack.empty() && stack.back() == ctx) stack.pop_back();
    return CUDA_SUCCESS;
  });
}

SIMULATOR_API cuCtxSetCurrent(CUcontext ctx) {
  return api("cuCtxSetCurrent", [&] {
    std::vector<CUcontext>& stack = context_stack();
    if (ctx != nullptr) context_of(ctx);
    if (!stack.empty()) stack.pop_back();
    if (ctx != nullptr) stack.push_back(ctx);
    return CUDA_SUCCESS;
  });
}

SIMULATOR_API cuCtxGetCurrent(CUcontext* pctx) {
  return api("cuCtxGetCurrent", [&] {
    require_pointer(pctx, "pctx");
    const std::vector<CUcontext>& stack = context_stack();
    *pctx = stack.empty() ? nullptr : stack.back();
    return CUDA_SUCCESS;
  });
}

SIMULATOR_API cuCtxPushCurrent_v2(CUcontext ctx) {
  return api("cuCtxPushCurrent_v2", [&] {
    if (ctx == nullptr) fail(CUDA_ERROR_INVALID_VALUE, "ctx is null");
    context_of(ctx);
    context_stack().push_back(ctx);
    return CUDA_SUCCESS;
  });
}

SIMULATOR_API cuCtxPopCurrent_v2(CUcontext* pctx) {
  return api("cuCtxPopCurrent_v2", [&] {
    std::vector<CUcontext>& stack = context_stack();
    if (stack.empty()) fail(CUDA_ERROR_INVALID_CONTEXT, "no context is current on this thread");
    if (pctx) *pctx = stack.back();
    stack.pop_back();
    return CUDA_SUCCESS;
  });
}

SIMULATOR_API cuCtxGetDevice(CUdevice* device) {
  return api("cuCtxGetDevice", [&] {
    require_pointer(device, "device");
    *device = current_context()->device;
    return CUDA_SUCCESS;
  });
}

SIMULATOR_API cuCtxGetFlags(unsigned int* flags) {
  return api("cuCtxGetFlags", [&] {
    require_pointer(flags, "flags");
    *flags = current_context()->flags;
    return CUDA_SUCCESS;
  });
}

SIMULATOR_API cuCtxSetFlags(unsigned int flags) {
  return api("cuCtxSetFlags", [&] {
    check_context_flags(flags);
    current_context()->flags = flags;
    return CUDA_SUCCESS;
  });
}

SIMULATOR_API cuCtxGetId(CUcontext ctx, unsigned long long* ctxId) {
  return api("cuCtxGetId", [&] {
    require_pointer(ctxId, "ctxId");
    *ctxId = (ctx ? context_of(ctx) : current_context())->id;
    return CUDA_SUCCESS;
  });
}

SIMULATOR_API cuCtxGetApiVersion(CUcontext ctx, unsigned int* version) {
  return api("cuCtxGetApiVersion", [&] {
    require_pointer(version, "version");
    *version = (ctx ? context_of(ctx) : current_context())->api_version;
    return CUDA_SUCCESS;
  });
}

SIMULATOR_API cuCtxSynchronize() {
  return api("cuCtxSynchronize", [&] {
    const ContextPointer context = current_context();
    refuse_capture_in(*context, "cuCtxSynchronize");
    drain(*context);
    release_pooled_memory(context->device);
    context->check();
    return CUDA_SUCCESS;
  });
}

SIMULATOR_API cuCtxGetLimit(size_t* pvalue, CUlimit limit) {
  return api("cuCtxGetLimit", [&] {
    require_pointer(pvalue, "pvalue");
    const ContextPointer context = current_context();
    const auto found = context->limits.find(limit);
    if (found == context->limits.end())
      fail(CUDA_ERROR_UNSUPPORTED_LIMIT, "limit %d does not exist", static_cast<int>(limit));
    *pvalue = found->second;
    return CUDA_SUCCESS;
  });
}

SIMULATOR_API cuCtxSetLimit(CUlimit limit, size_t value) {
  return api("cuCtxSetLimit", [&] {
    const ContextPointer context = current_context();
    const auto found = context->limits.find(limit);
    if (found == context->limits.end())
      fail(CUDA_ERROR_UNSUPPORTED_LIMIT, "limit %d does not exist", static_cast<int>(limit));
    found->second = value;
    return CUDA_SUCCESS;
  });
}

SIMULATOR_API cuCtxGetStreamPriorityRange(int* leastPriority, int* greatestPriority) {
  return api("cuCtxGetStreamPriorityRange", [&] {
    current_context();
    if (leastPriority) *leastPriority = 0;
    if (greatestPriority) *greatestPriority = -5;
    return CUDA_SUCCESS;
  });
}

// Cache and bank preferences have no effect on what is simulated; they are checked and forgotten.
SIMULATOR_API cuCtxGetCacheConfig(CUfunc_cache* pconfig) {
  return api("cuCtxGetCacheConfig", [&] {
    require_pointer(pconfig, "pconfig");
    current_context();
    *pconfig = CU_FUNC_CACHE_PREFER_NONE;
    return CUDA_SUCCESS;
  });
}

SIMULATOR_API cuCtxSetCacheConfig(CUfunc_cache config) {
  return api("cuCtxSetCacheConfig", [&] {
    current_context();
    if (config < CU_FUNC_CACHE_PREFER_NONE || config > CU_FUNC_CACHE_PREFER_EQUAL)
      fail(CUDA_ERROR_INVALID_VALUE, "cache configuration %d does not exist", static_cast<int>(config));
    return CUDA_SUCCESS;
  });
}

SIMULATOR_API cuCtxResetPersistingL2Cache() {
  return api("cuCtxResetPersistingL2Cache", [&] {
    current_context();
    return CUDA_SUCCESS;
  });
}
