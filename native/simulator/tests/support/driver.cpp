#include "driver.h"

#include <dlfcn.h>

#include <cstdio>
#include <cstdlib>

namespace simulator::tests {
namespace {

Driver load() {
  const char* chosen = std::getenv("KERNELS_DRIVER");
  Driver loaded;
  loaded.path = chosen && *chosen && std::string(chosen) != "simulator" ? chosen : KERNELS_BUILT_SIMULATOR;
  void* const library = dlopen(loaded.path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!library) {
    std::fprintf(stderr, "cannot load the driver under test: %s\n", dlerror());
    std::exit(2);
  }
  const auto find = [&](const char* name) {
    void* const symbol = dlsym(library, name);
    if (!symbol) {
      std::fprintf(stderr, "%s has no %s\n", loaded.path.c_str(), name);
      std::exit(2);
    }
    return symbol;
  };
#define FIND(name, arguments) loaded.name = reinterpret_cast<decltype(loaded.name)>(find(#name));
  DRIVER_FUNCTIONS(FIND)
#undef FIND
  loaded.simulatorLiveObjects =
      reinterpret_cast<decltype(loaded.simulatorLiveObjects)>(dlsym(library, "simulatorLiveObjects"));
  loaded.simulatorLastError =
      reinterpret_cast<decltype(loaded.simulatorLastError)>(dlsym(library, "simulatorLastError"));
  return loaded;
}

}  // namespace

const Driver& driver() {
  static const Driver loaded = load();
  return loaded;
}

std::string describe(CUresult result) {
  const char* name = nullptr;
  if (driver().cuGetErrorName(result, &name) != CUDA_SUCCESS || !name) name = "no CUresult";
  std::string text = std::string(name) + " (" + std::to_string(result) + ")";
  if (result != CUDA_SUCCESS && driver().simulatorLastError) text += std::string(": ") + driver().simulatorLastError();
  return text;
}

}  // namespace simulator::tests
