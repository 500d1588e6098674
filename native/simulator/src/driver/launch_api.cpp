// cuLaunch*.
#include "api.h"
#include "capture.h"
#include "launch.h"

using namespace simulator::driver;

namespace {

CUresult launch_kernel(CUfunction f, const LaunchShape& shape, CUstream hStream, void** params, void** extra) {
  const StreamPointer stream = stream_of(hStream);
  const FunctionPointer function = function_of(f);
  // A kernel is launched from the context that its stream and its module belong to.
  if (stream->context != function->context)
    fail(CUDA_ERROR_INVALID_HANDLE, "the function and the stream are of different contexts");
  if (stream->context != current_context()) fail(CUDA_ERROR_INVALID_HANDLE, "the stream is not of the current context");
  enqueue(stream, prepare_launch(function, shape, params, extra));
  return CUDA_SUCCESS;
}

void apply(const CUlaunchAttribute& attribute, LaunchShape& shape) {
  switch (attribute.id) {
    case CU_LAUNCH_ATTRIBUTE_COOPERATIVE:
      shape.cooperative = attribute.value.cooperative != 0;
      return;
    case CU_LAUNCH_ATTRIBUTE_CLUSTER_DIMENSION: {
      const auto& cluster = attribute.value.clusterDim;
      if (cluster.x != 1 || cluster.y != 1 || cluster.z != 1)
        fail(CUDA_ERROR_INVALID_CLUSTER_SIZE,
             "a cluster of %u x %u x %u blocks: only clusters of one block are simulated", cluster.x, cluster.y,
             cluster.z);
      return;
    }
    // Hints and orderings that a launch which runs to its end satisfies anyway.
    case CU_LAUNCH_ATTRIBUTE_IGNORE:
    case CU_LAUNCH_ATTRIBUTE_PRIORITY:
    case CU_LAUNCH_ATTRIBUTE_ACCESS_POLICY_WINDOW:
    case CU_LAUNCH_ATTRIBUTE_SYNCHRONIZATION_POLICY:
    case CU_LAUNCH_ATTRIBUTE_CLUSTER_SCHEDULING_POLICY_PREFERENCE:
    case CU_LAUNCH_ATTRIBUTE_PROGRAMMATIC_STREAM_SERIALIZATION:
    case CU_LAUNCH_ATTRIBUTE_MEM_SYNC_DOMAIN_MAP:
    case CU_LAUNCH_ATTRIBUTE_MEM_SYNC_DOMAIN:
      return;
    case CU_LAUNCH_ATTRIBUTE_PROGRAMMATIC_EVENT:
    case CU_LAUNCH_ATTRIBUTE_LAUNCH_COMPLETION_EVENT:
    case CU_LAUNCH_ATTRIBUTE_DEVICE_UPDATABLE_KERNEL_NODE:
      fail(CUDA_ERROR_NOT_SUPPORTED, "launch attribute %d is not simulated", static_cast<int>(attribute.id));
  }
  fail(CUDA_ERROR_INVALID_VALUE, "launch attribute %d does not exist", static_cast<int>(attribute.id));
}

}  // namespace

SIMULATOR_API cuLaunchKernel(CUfunction f, unsigned int gridDimX, unsigned int gridDimY, unsigned int gridDimZ,
                             unsigned int blockDimX, unsigned int blockDimY, unsigned int blockDimZ,
                             unsigned int sharedMemBytes, CUstream hStream, void** kernelParams, void** extra) {
  return api("cuLaunchKernel", [&] {
    const LaunchShape shape{{gridDimX, gridDimY, gridDimZ}, {blockDimX, blockDimY, blockDimZ}, sharedMemBytes, false};
    return launch_kernel(f, shape, hStream, kernelParams, extra);
  });
}

SIMULATOR_API cuLaunchCooperativeKernel(CUfunction f, unsigned int gridDimX, unsigned int gridDimY,
                                        unsigned int gridDimZ, unsigned int blockDimX, unsigned int blockDimY,
                                        unsigned int blockDimZ, unsigned int sharedMemBytes, CUstream hStream,
                                        void** kernelParams) {
  return api("cuLaunchCooperativeKernel", [&] {
    const LaunchShape shape{{gridDimX, gridDimY, gridDimZ}, {blockDimX, blockDimY, blockDimZ}, sharedMemBytes, true};
    return launch_kernel(f, shape, hStream, kernelParams, nullptr);
  });
}

SIMULATOR_API cuLaunchKernelEx(const CUlaunchConfig* config, CUfunction f, void** kernelParams, void** extra) {
  return api("cuLaunchKernelEx", [&] {
    require_pointer(config, "config");
    LaunchShape shape{{config->gridDimX, config->gridDimY, config->gridDimZ},
                      {config->blockDimX, config->blockDimY, config->blockDimZ},
                      config->sharedMemBytes,
                      false};
    if (config->numAttrs > 0) require_pointer(config->attrs, "attrs");
    for (unsigned index = 0; index < config->numAttrs; ++index) apply(config->attrs[index], shape);
    return launch_kernel(f, shape, config->hStream, kernelParams, extra);
  });
}

SIMULATOR_API cuLaunchHostFunc(CUstream hStream, CUhostFn fn, void* userData) {
  return api("cuLaunchHostFunc", [&] {
    if (fn == nullptr) fail(CUDA_ERROR_INVALID_VALUE, "fn is null");
    enqueue(stream_of(hStream), HostOperation{fn, userData});
    return CUDA_SUCCESS;
  });
}
