#include "launch.h"

#include <cstring>

#include "failure.h"
#include "occupancy.h"

namespace simulator::driver {
namespace {

void check_dimension(const char* name, uint32_t value, uint32_t most) {
  if (value < 1 || value > most) fail(CUDA_ERROR_INVALID_VALUE, "%s = %u is not within 1 to %u", name, value, most);
}

void check_shape(const DriverFunction& function, const LaunchShape& shape) {
  const char* kernel = function.info().name.c_str();
  check_dimension("gridDimX", shape.grid.x, 2147483647);
  check_dimension("gridDimY", shape.grid.y, 65535);
  check_dimension("gridDimZ", shape.grid.z, 65535);
  check_dimension("blockDimX", shape.block.x, 1024);
  check_dimension("blockDimY", shape.block.y, 1024);
  check_dimension("blockDimZ", shape.block.z, 64);
  const uint64_t threads = uint64_t{shape.block.x} * shape.block.y * shape.block.z;
  if (threads > 1024)
    fail(CUDA_ERROR_INVALID_VALUE, "a block of %u x %u x %u threads exceeds 1024", shape.block.x, shape.block.y,
         shape.block.z);
  if (threads > function.info().max_threads_per_block)
    fail(CUDA_ERROR_INVALID_VALUE, "%llu threads a block exceed the %u that %s was compiled for",
         static_cast<unsigned long long>(threads), function.info().max_threads_per_block, kernel);
  const int most_dynamic = function.max_dynamic_shared;
  if (shape.dynamic_shared_bytes > static_cast<unsigned>(most_dynamic))
    fail(CUDA_ERROR_INVALID_VALUE,
         "%u bytes of dynamic shared memory exceed the %d of %s: set "
         "CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES",
         shape.dynamic_shared_bytes, most_dynamic, kernel);
  if (shape.cooperative) {
    const uint64_t blocks = uint64_t{shape.grid.x} * shape.grid.y * shape.grid.z;
    const int resident = resident_blocks(function, static_cast<int>(threads), shape.dynamic_shared_bytes);
    const uint64_t most =
        static_cast<uint64_t>(resident) * static_cast<uint64_t>(function.context->model().multiprocessors);
    if (blocks > most)
      fail(CUDA_ERROR_COOPERATIVE_LAUNCH_TOO_LARGE, "%llu blocks of %s exceed the %llu that are resident at once",
           static_cast<unsigned long long>(blocks), kernel, static_cast<unsigned long long>(most));
  }
}

void copy_packed(const FunctionInfo& info, void** extra, std::vector<std::byte>& packed) {
  const void* buffer = nullptr;
  size_t bytes = 0;
  bool sized = false;
  for (size_t index = 0; extra[index] != CU_LAUNCH_PARAM_END; index += 2) {
    if (extra[index] == CU_LAUNCH_PARAM_BUFFER_POINTER) {
      buffer = extra[index + 1];
    } else if (extra[index] == CU_LAUNCH_PARAM_BUFFER_SIZE) {
      require_pointer(extra[index + 1], "the size in extra");
      bytes = *static_cast<const size_t*>(extra[index + 1]);
      sized = true;
    } else {
      fail(CUDA_ERROR_INVALID_VALUE, "extra[%zu] = %p is no CU_LAUNCH_PARAM", index, extra[index]);
    }
  }
  if (!sized || (!buffer && bytes > 0))
    fail(CUDA_ERROR_INVALID_VALUE, "extra needs both a parameter buffer and its size");
  if (bytes < info.parameter_bytes)
    fail(CUDA_ERROR_INVALID_VALUE, "%zu bytes of parameters given, %s takes %u", bytes, info.name.c_str(),
         info.parameter_bytes);
  if (info.parameter_bytes > 0) std::memcpy(packed.data(), buffer, info.parameter_bytes);
}

}  // namespace

KernelOperation prepare_launch(const FunctionPointer& function, const LaunchShape& shape, void** kernel_params,
                               void** extra) {
  const FunctionInfo& info = function->info();
  check_shape(*function, shape);
  if (kernel_params && extra) fail(CUDA_ERROR_INVALID_VALUE, "kernelParams and extra are both given");

  KernelOperation operation;
  operation.function = function;
  Launch& launch = operation.launch;
  launch.function = function->function;
  launch.grid = shape.grid;
  launch.block = shape.block;
  launch.dynamic_shared_bytes = shape.dynamic_shared_bytes;
  launch.cooperative = shape.cooperative;
  launch.parameters.resize(info.parameter_bytes);
  if (extra) {
    copy_packed(info, extra, launch.parameters);
  } else if (!info.parameters.empty()) {
    if (!kernel_params)
      fail(CUDA_ERROR_INVALID_VALUE, "%s takes %zu parameters and none are given", info.name.c_str(),
           info.parameters.size());
    for (size_t index = 0; index < info.parameters.size(); ++index) {
      const ParameterInfo& parameter = info.parameters[index];
      if (!kernel_params[index])
        fail(CUDA_ERROR_INVALID_VALUE, "kernelParams[%zu] of %s is null", index, info.name.c_str());
      std::memcpy(launch.parameters.data() + parameter.offset, kernel_params[index], parameter.bytes);
    }
  }
  return operation;
}

}  // namespace simulator::driver
