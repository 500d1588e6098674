// cuFunc*: attributes and parameters of kernels.
#include "api.h"
#include "module.h"
#include "occupancy.h"

using namespace simulator::driver;

SIMULATOR_API cuFuncGetAttribute(int* pi, CUfunction_attribute attrib, CUfunction hfunc) {
  return api("cuFuncGetAttribute", [&] {
    require_pointer(pi, "pi");
    const FunctionPointer function = function_of(hfunc);
    const simulator::FunctionInfo& info = function->info();
    switch (attrib) {
      case CU_FUNC_ATTRIBUTE_MAX_THREADS_PER_BLOCK:
        *pi = static_cast<int>(info.max_threads_per_block);
        break;
      case CU_FUNC_ATTRIBUTE_SHARED_SIZE_BYTES:
        *pi = static_cast<int>(info.static_shared_bytes);
        break;
      case CU_FUNC_ATTRIBUTE_CONST_SIZE_BYTES:
        *pi = static_cast<int>(info.constant_bytes);
        break;
      case CU_FUNC_ATTRIBUTE_LOCAL_SIZE_BYTES:
        *pi = static_cast<int>(info.local_bytes);
        break;
      case CU_FUNC_ATTRIBUTE_NUM_REGS:
        *pi = allocated_registers(*function);
        break;
      case CU_FUNC_ATTRIBUTE_PTX_VERSION:
        *pi = info.target;
        break;
      case CU_FUNC_ATTRIBUTE_BINARY_VERSION:
        *pi = function->context->model().compute_major * 10 + function->context->model().compute_minor;
        break;
      case CU_FUNC_ATTRIBUTE_CACHE_MODE_CA:
        *pi = 0;
        break;
      case CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES:
        *pi = function->max_dynamic_shared;
        break;
      case CU_FUNC_ATTRIBUTE_PREFERRED_SHARED_MEMORY_CARVEOUT:
        *pi = function->carveout;
        break;
      case CU_FUNC_ATTRIBUTE_CLUSTER_SIZE_MUST_BE_SET:
        *pi = 0;
        break;
      case CU_FUNC_ATTRIBUTE_REQUIRED_CLUSTER_WIDTH:
      case CU_FUNC_ATTRIBUTE_REQUIRED_CLUSTER_HEIGHT:
      case CU_FUNC_ATTRIBUTE_REQUIRED_CLUSTER_DEPTH:
        *pi = 0;
        break;
      case CU_FUNC_ATTRIBUTE_NON_PORTABLE_CLUSTER_SIZE_ALLOWED:
        *pi = function->non_portable_cluster;
        break;
      case CU_FUNC_ATTRIBUTE_CLUSTER_SCHEDULING_POLICY_PREFERENCE:
        *pi = function->cluster_scheduling;
        break;
      default:
        fail(CUDA_ERROR_INVALID_VALUE, "function attribute %d does not exist", static_cast<int>(attrib));
    }
    return CUDA_SUCCESS;
  });
}

SIMULATOR_API cuFuncSetAttribute(CUfunction hfunc, CUfunction_attribute attrib, int value) {
  return api("cuFuncSetAttribute", [&] {
    const FunctionPointer function = function_of(hfunc);
    switch (attrib) {
      case CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES: {
        const int most = static_cast<int>(function->context->model().shared_per_block_optin) -
                         static_cast<int>(function->info().static_shared_bytes);
        if (value < 0 || value > most)
          fail(CUDA_ERROR_INVALID_VALUE, "%d bytes of dynamic shared memory are not within 0 to %d of %s", value, most,
               function->info().name.c_str());
        function->max_dynamic_shared = value;
        return CUDA_SUCCESS;
      }
      case CU_FUNC_ATTRIBUTE_PREFERRED_SHARED_MEMORY_CARVEOUT:
        if (value < -1 || value > 100)
          fail(CUDA_ERROR_INVALID_VALUE, "a carveout of %d is not within -1 to 100 percent", value);
        function->carveout = value;
        return CUDA_SUCCESS;
      case CU_FUNC_ATTRIBUTE_NON_PORTABLE_CLUSTER_SIZE_ALLOWED:
        function->non_portable_cluster = value != 0;
        return CUDA_SUCCESS;
      case CU_FUNC_ATTRIBUTE_CLUSTER_SCHEDULING_POLICY_PREFERENCE:
        function->cluster_scheduling = value;
        return CUDA_SUCCESS;
      default:
        fail(CUDA_ERROR_INVALID_VALUE, "function attribute %d cannot be set", static_cast<int>(attrib));
    }
  });
}

SIMULATOR_API cuFuncSetCacheConfig(CUfunction hfunc, CUfunc_cache config) {
  return api("cuFuncSetCacheConfig", [&] {
    function_of(hfunc);
    if (config < CU_FUNC_CACHE_PREFER_NONE || config > CU_FUNC_CACHE_PREFER_EQUAL)
      fail(CUDA_ERROR_INVALID_VALUE, "cache configuration %d does not exist", static_cast<int>(config));
    return CUDA_SUCCESS;
  });
}

SIMULATOR_API cuFuncSetSharedMemConfig(CUfunction hfunc, CUsharedconfig config) {
  return api("cuFuncSetSharedMemConfig", [&] {
    function_of(hfunc);
    if (config < CU_SHARED_MEM_CONFIG_DEFAULT_BANK_SIZE || config > CU_SHARED_MEM_CONFIG_EIGHT_BYTE_BANK_SIZE)
      fail(CUDA_ERROR_INVALID_VALUE, "shared memory configuration %d does not exist", static_cast<int>(config));
    return CUDA_SUCCESS;
  });
}

SIMULATOR_API cuFuncGetName(const char** name, CUfunction hfunc) {
  return api("cuFuncGetName", [&] {
    require_pointer(name, "name");
    *name = function_of(hfunc)->info().name.c_str();
    return CUDA_SUCCESS;
  });
}

SIMULATOR_API cuFuncGetModule(CUmodule* hmod, CUfunction hfunc) {
  return api("cuFuncGetModule", [&] {
    require_pointer(hmod, "hmod");
    const ModulePointer module = function_of(hfunc)->module.lock();
    if (!module) fail(CUDA_ERROR_INVALID_HANDLE, "the function's module is unloaded");
    *hmod = module->handle;
    return CUDA_SUCCESS;
  });
}

SIMULATOR_API cuFuncGetParamInfo(CUfunction func, size_t paramIndex, size_t* paramOffset, size_t* paramSize) {
  return api("cuFuncGetParamInfo", [&] {
    require_pointer(paramOffset, "paramOffset");
    const auto& parameters = function_of(func)->info().parameters;
    if (paramIndex >= parameters.size())
      fail(CUDA_ERROR_INVALID_VALUE, "parameter %zu of a kernel that takes %zu", paramIndex, parameters.size());
    *paramOffset = parameters[paramIndex].offset;
    if (paramSize) *paramSize = parameters[paramIndex].bytes;
    return CUDA_SUCCESS;
  });
}

SIMULATOR_API cuFuncIsLoaded(CUfunctionLoadingState* state, CUfunction function) {
  return api("cuFuncIsLoaded", [&] {
    require_pointer(state, "state");
    function_of(function);
    *state = CU_FUNCTION_LOADING_STATE_LOADED;
    return CUDA_SUCCESS;
  });
}

SIMULATOR_API cuFuncLoad(CUfunction function) {
  return api("cuFuncLoad", [&] {
    function_of(function);
    return CUDA_SUCCESS;
  });
}
