#include "nvrtc.h"

#include <dlfcn.h>

#include <cstdlib>
#include <filesystem>
#include <map>
#include <mutex>
#include <stdexcept>

namespace simulator::tests {
namespace {

using Program = struct Program_st*;

struct Nvrtc {
  int (*nvrtcCreateProgram)(Program*, const char*, const char*, int, const char* const*, const char* const*);
  int (*nvrtcDestroyProgram)(Program*);
  int (*nvrtcAddNameExpression)(Program, const char*);
  int (*nvrtcCompileProgram)(Program, int, const char* const*);
  int (*nvrtcGetProgramLogSize)(Program, size_t*);
  int (*nvrtcGetProgramLog)(Program, char*);
  int (*nvrtcGetPTXSize)(Program, size_t*);
  int (*nvrtcGetPTX)(Program, char*);
  int (*nvrtcGetLoweredName)(Program, const char*, const char**);
  const char* (*nvrtcGetErrorString)(int);
  std::string missing;
};

// KERNELS_NVRTC, what `build.sh nvrtc` fetched in a folder above the executable, the loader's path.
std::vector<std::string> candidates() {
  std::vector<std::string> paths;
  if (const char* chosen = std::getenv("KERNELS_NVRTC"); chosen && *chosen) {
    paths.push_back(chosen);
    return paths;
  }
  std::error_code ignored;
  for (auto folder = std::filesystem::read_symlink("/proc/self/exe", ignored).parent_path(); folder.has_relative_path();
       folder = folder.parent_path()) {
    const auto fetched = folder / "artifacts/nvrtc/usr/lib/x86_64-linux-gnu/libnvrtc.so.12";
    if (std::filesystem::exists(fetched, ignored)) paths.push_back(fetched.string());
  }
  if (std::string(KERNELS_SOURCE_FOLDER) != "")
    paths.push_back(std::string(KERNELS_SOURCE_FOLDER) + "/artifacts/nvrtc/usr/lib/x86_64-linux-gnu/libnvrtc.so.12");
  paths.push_back("libnvrtc.so.12");
  return paths;
}

// NVRTC opens its builtins by name; loaded beforehand from its own folder they are found wherever that is.
void load_builtins(const std::filesystem::path& library) {
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(library.parent_path(), ignored))
    if (entry.path().filename().string().rfind("libnvrtc-builtins.so", 0) == 0)
      dlopen(entry.path().c_str(), RTLD_NOW | RTLD_LOCAL);
}

Nvrtc load() {
  Nvrtc nvrtc{};
  std::string tried;
  for (const std::string& path : candidates()) {
    if (path == "none") {
      nvrtc.missing = "KERNELS_NVRTC=none hides NVRTC";
      return nvrtc;
    }
    void* const library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (!library) {
      tried += (tried.empty() ? "" : ", ") + path;
      continue;
    }
    load_builtins(path);
#define FIND(name) nvrtc.name = reinterpret_cast<decltype(nvrtc.name)>(dlsym(library, #name))
    FIND(nvrtcCreateProgram);
    FIND(nvrtcDestroyProgram);
    FIND(nvrtcAddNameExpression);
    FIND(nvrtcCompileProgram);
    FIND(nvrtcGetProgramLogSize);
    FIND(nvrtcGetProgramLog);
    FIND(nvrtcGetPTXSize);
    FIND(nvrtcGetPTX);
    FIND(nvrtcGetLoweredName);
    FIND(nvrtcGetErrorString);
#undef FIND
    return nvrtc;
  }
  nvrtc.missing = "NVRTC is not there: tried " + tried + " (./build.sh nvrtc fetches it)";
  return nvrtc;
}

const Nvrtc& nvrtc() {
  static const Nvrtc loaded = load();
  return loaded;
}

void check(int result, const char* call) {
  if (result != 0) throw std::runtime_error(std::string(call) + ": " + nvrtc().nvrtcGetErrorString(result));
}

Compiled compile_now(const CompileRequest& request) {
  const Nvrtc& n = nvrtc();
  if (!n.missing.empty()) throw std::runtime_error(n.missing);
  Program program = nullptr;
  check(n.nvrtcCreateProgram(&program, request.source.c_str(), "kernel.cu", 0, nullptr, nullptr), "nvrtcCreateProgram");
  for (const std::string& name : request.name_expressions)
    check(n.nvrtcAddNameExpression(program, name.c_str()), "nvrtcAddNameExpression");
  std::vector<std::string> options{"--gpu-architecture=" + request.architecture, "--std=c++17", "-lineinfo"};
  options.insert(options.end(), request.options.begin(), request.options.end());
  std::vector<const char*> pointers;
  for (const std::string& option : options) pointers.push_back(option.c_str());
  if (n.nvrtcCompileProgram(program, static_cast<int>(pointers.size()), pointers.data()) != 0) {
    size_t bytes = 0;
    n.nvrtcGetProgramLogSize(program, &bytes);
    std::string log(bytes, '\0');
    n.nvrtcGetProgramLog(program, log.data());
    n.nvrtcDestroyProgram(&program);
    throw std::runtime_error("NVRTC refuses the kernel:\n" + log);
  }
  Compiled compiled;
  size_t bytes = 0;
  check(n.nvrtcGetPTXSize(program, &bytes), "nvrtcGetPTXSize");
  compiled.ptx.resize(bytes);
  check(n.nvrtcGetPTX(program, compiled.ptx.data()), "nvrtcGetPTX");
  compiled.ptx.resize(bytes - 1);  // the size counts the terminating zero
  for (const std::string& name : request.name_expressions) {
    const char* lowered = nullptr;
    check(n.nvrtcGetLoweredName(program, name.c_str(), &lowered), "nvrtcGetLoweredName");
    compiled.lowered_names.emplace_back(lowered);
  }
  n.nvrtcDestroyProgram(&program);
  return compiled;
}

}  // namespace

const std::string& nvrtc_missing() { return nvrtc().missing; }

const Compiled& compile(const CompileRequest& request) {
  static std::mutex mutex;
  static std::map<std::string, Compiled> cache;
  std::string key = request.architecture + '\n' + request.source;
  for (const std::string& option : request.options) key += "\noption " + option;
  for (const std::string& name : request.name_expressions) key += "\nname " + name;
  std::lock_guard lock(mutex);
  const auto found = cache.find(key);
  if (found != cache.end()) return found->second;
  return cache.emplace(key, compile_now(request)).first->second;
}

}  // namespace simulator::tests
