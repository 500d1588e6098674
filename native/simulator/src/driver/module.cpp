#include "module.h"

#include <cstring>

#include "failure.h"
#include "handle_table.h"

namespace simulator::driver {
namespace {

HandleTable<DriverModule, CUmodule>& modules() {
  static auto* const table = new HandleTable<DriverModule, CUmodule>("module", 5);
  return *table;
}

HandleTable<DriverFunction, CUfunction>& functions() {
  static auto* const table = new HandleTable<DriverFunction, CUfunction>("function", 6);
  return *table;
}

CUresult code_of(LoadStatus status) {
  switch (status) {
    case LoadStatus::ok:
      return CUDA_SUCCESS;
    case LoadStatus::invalid_image:
      return CUDA_ERROR_INVALID_IMAGE;
    case LoadStatus::invalid_ptx:
      return CUDA_ERROR_INVALID_PTX;
    case LoadStatus::unsupported_ptx_version:
      return CUDA_ERROR_UNSUPPORTED_PTX_VERSION;
    case LoadStatus::no_binary_for_gpu:
      return CUDA_ERROR_NO_BINARY_FOR_GPU;
    case LoadStatus::out_of_memory:
      return CUDA_ERROR_OUT_OF_MEMORY;
  }
  return CUDA_ERROR_UNKNOWN;
}

// The image's extent: text ends at its zero; of binaries only the magic is looked at.
std::string_view extent(const void* image) {
  static constexpr unsigned char elf[4] = {0x7f, 'E', 'L', 'F'};
  static constexpr unsigned char fat_binary[4] = {0x50, 0xed, 0x55, 0xba};
  const char* bytes = static_cast<const char*>(image);
  if (std::memcmp(bytes, elf, 1) == 0 || std::memcmp(bytes, fat_binary, 1) == 0)
    if (std::memcmp(bytes, elf, 4) == 0 || std::memcmp(bytes, fat_binary, 4) == 0) return {bytes, 4};
  return {bytes, std::strlen(bytes)};
}

}  // namespace

CUmodule load(const ContextPointer& context, const void* image, std::string* log) {
  LoadResult result = load_module(context->model(), extent(image));
  *log = result.log;
  if (!result.module) {
    const CUresult code = code_of(result.status);
    throw Failure(code == CUDA_SUCCESS ? CUDA_ERROR_INVALID_IMAGE : code, result.log);
  }
  auto module = std::make_shared<DriverModule>();
  module->context = context;
  module->code = std::move(result.module);
  module->handle = modules().add(module);
  return module->handle;
}

void unload(CUmodule handle) {
  module_of(handle);  // for the context's errors
  const ModulePointer module = modules().remove(handle);
  std::lock_guard lock(module->mutex);
  for (const FunctionPointer& function : module->functions) functions().remove(function->handle);
  module->functions.clear();
}

ModulePointer module_of(CUmodule handle) {
  current_context();
  ModulePointer module = modules().get(handle);
  module->context->check();
  return module;
}

FunctionPointer function_of(CUfunction handle) {
  current_context();
  FunctionPointer function = functions().get(handle);
  function->context->check();
  return function;
}

CUfunction handle_of(const ModulePointer& module, const Function* function) {
  std::lock_guard lock(module->mutex);
  for (const FunctionPointer& known : module->functions)
    if (known->function == function) return known->handle;
  auto loaded = std::make_shared<DriverFunction>();
  loaded->function = function;
  loaded->module = module;
  loaded->context = module->context;
  loaded->code = module->code;
  const int unopted = static_cast<int>(module->context->model().shared_per_block);
  loaded->max_dynamic_shared = std::max(0, unopted - static_cast<int>(function->info().static_shared_bytes));
  loaded->handle = functions().add(loaded);
  module->functions.push_back(loaded);
  return loaded->handle;
}

size_t live_modules() { return modules().live(); }

void orphan_modules(const Context& context) {
  functions().orphan([&](const DriverFunction& function) { return function.context.get() == &context; });
  modules().orphan([&](const DriverModule& module) { return module.context.get() == &context; });
}

}  // namespace simulator::driver
