// cuModule*.
#include <chrono>
#include <cstdio>
#include <fstream>
#include <iterator>

#include "api.h"
#include "capture.h"
#include "jit_options.h"
#include "module.h"
#include "occupancy.h"

using namespace simulator::driver;

namespace {

// What ptxas would say of each function.
std::string describe(const ModulePointer& module) {
  std::string text;
  for (const simulator::Function* function : module->code->functions()) {
    const simulator::FunctionInfo& info = function->info();
    char line[512];
    std::snprintf(line, sizeof line, "%s: about %u registers, %u bytes shared, %u bytes local, %u bytes constant\n",
                  info.name.c_str(), info.registers, info.static_shared_bytes, info.local_bytes, info.constant_bytes);
    text += line;
  }
  return text;
}

CUresult load_into(const char* call, CUmodule* module, const void* image, unsigned count, const CUjit_option* options,
                   void** values) {
  require_pointer(module, "module");
  require_pointer(image, "image");
  const ContextPointer context = current_context();
  refuse_unsafe_call(call);
  JitOptions jit(count, options, values);
  const auto start = std::chrono::steady_clock::now();
  std::string log;
  try {
    *module = load(context, image, &log);
  } catch (const Failure&) {
    jit.write_info_log("");
    jit.write_error_log(log);
    throw;
  }
  jit.write_error_log("");
  jit.write_info_log(log.empty() ? describe(module_of(*module)) : log);
  jit.write_wall_time(std::chrono::duration<float, std::milli>(std::chrono::steady_clock::now() - start).count());
  return CUDA_SUCCESS;
}

}  // namespace

SIMULATOR_API cuModuleLoadData(CUmodule* module, const void* image) {
  return api("cuModuleLoadData", [&] { return load_into("cuModuleLoadData", module, image, 0, nullptr, nullptr); });
}

SIMULATOR_API cuModuleLoadDataEx(CUmodule* module, const void* image, unsigned int numOptions, CUjit_option* options,
                                 void** optionValues) {
  return api("cuModuleLoadDataEx",
             [&] { return load_into("cuModuleLoadDataEx", module, image, numOptions, options, optionValues); });
}

SIMULATOR_API cuModuleLoadFatBinary(CUmodule* module, const void* fatCubin) {
  return api("cuModuleLoadFatBinary",
             [&] { return load_into("cuModuleLoadFatBinary", module, fatCubin, 0, nullptr, nullptr); });
}

SIMULATOR_API cuModuleLoad(CUmodule* module, const char* fname) {
  return api("cuModuleLoad", [&] {
    require_pointer(fname, "fname");
    std::ifstream file(fname, std::ios::binary);
    if (!file) fail(CUDA_ERROR_FILE_NOT_FOUND, "%s cannot be opened", fname);
    const std::string image{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
    return load_into("cuModuleLoad", module, image.c_str(), 0, nullptr, nullptr);
  });
}

SIMULATOR_API cuModuleUnload(CUmodule hmod) {
  return api("cuModuleUnload", [&] {
    const ContextPointer context = current_context();
    refuse_unsafe_call("cuModuleUnload");
    drain(*context);  // its globals may still be in use
    context->check();
    unload(hmod);
    return CUDA_SUCCESS;
  });
}

SIMULATOR_API cuModuleGetLoadingMode(CUmoduleLoadingMode* mode) {
  return api("cuModuleGetLoadingMode", [&] {
    require_pointer(mode, "mode");
    *mode = CU_MODULE_EAGER_LOADING;
    return CUDA_SUCCESS;
  });
}

SIMULATOR_API cuModuleGetFunction(CUfunction* hfunc, CUmodule hmod, const char* name) {
  return api("cuModuleGetFunction", [&] {
    require_pointer(hfunc, "hfunc");
    require_pointer(name, "name");
    const ModulePointer module = module_of(hmod);
    const simulator::Function* function = module->code->find_function(name);
    if (!function) fail(CUDA_ERROR_NOT_FOUND, "the module has no kernel named %s", name);
    *hfunc = handle_of(module, function);
    return CUDA_SUCCESS;
  });
}

SIMULATOR_API cuModuleGetFunctionCount(unsigned int* count, CUmodule mod) {
  return api("cuModuleGetFunctionCount", [&] {
    require_pointer(count, "count");
    *count = static_cast<unsigned>(module_of(mod)->code->functions().size());
    return CUDA_SUCCESS;
  });
}

SIMULATOR_API cuModuleEnumerateFunctions(CUfunction* functions, unsigned int numFunctions, CUmodule mod) {
  return api("cuModuleEnumerateFunctions", [&] {
    require_pointer(functions, "functions");
    const ModulePointer module = module_of(mod);
    const std::vector<const simulator::Function*> all = module->code->functions();
    for (unsigned index = 0; index < numFunctions && index < all.size(); ++index)
      functions[index] = handle_of(module, all[index]);
    return CUDA_SUCCESS;
  });
}

SIMULATOR_API cuModuleGetGlobal_v2(CUdeviceptr* dptr, size_t* bytes, CUmodule hmod, const char* name) {
  return api("cuModuleGetGlobal_v2", [&] {
    require_pointer(name, "name");
    if (!dptr && !bytes) fail(CUDA_ERROR_INVALID_VALUE, "dptr and bytes are both null");
    simulator::GlobalInfo global;
    if (!module_of(hmod)->code->find_global(name, &global))
      fail(CUDA_ERROR_NOT_FOUND, "the module has no variable named %s", name);
    if (dptr) *dptr = global.address;
    if (bytes) *bytes = global.bytes;
    return CUDA_SUCCESS;
  });
}
