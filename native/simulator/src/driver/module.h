// Loaded modules and their functions as handles.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "../engine.h"
#include "context.h"

namespace simulator::driver {

struct DriverModule;

struct DriverFunction {
  const Function* function = nullptr;
  std::weak_ptr<DriverModule> module;
  ContextPointer context;
  CUfunction handle = nullptr;
  std::shared_ptr<const Module> code;  // keeps the code of launches in flight

  // What cuFuncSetAttribute changes.
  std::atomic<int> max_dynamic_shared{0};
  std::atomic<int> carveout{-1};
  std::atomic<int> non_portable_cluster{0};
  std::atomic<int> cluster_scheduling{0};

  const FunctionInfo& info() const { return function->info(); }
};
using FunctionPointer = std::shared_ptr<DriverFunction>;

struct DriverModule {
  ContextPointer context;
  CUmodule handle = nullptr;
  std::shared_ptr<const Module> code;
  std::mutex mutex;
  std::vector<FunctionPointer> functions;  // those that were asked for, each once
};
using ModulePointer = std::shared_ptr<DriverModule>;

// Throws with the driver's code; `log` gets the reasons either way.
CUmodule load(const ContextPointer& context, const void* image, std::string* log);
void unload(CUmodule handle);

ModulePointer module_of(CUmodule handle);
FunctionPointer function_of(CUfunction handle);
// The function's handle, the same one at each call.
CUfunction handle_of(const ModulePointer& module, const Function* function);

size_t live_modules();
void orphan_modules(const Context& context);

}  // namespace simulator::driver
