#include "api.h"

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace simulator::driver {
namespace {

std::atomic<bool> is_initialised{false};
thread_local int host_function_depth = 0;
thread_local std::string last_failure;

bool verbose() {
  static const bool on = [] {
    const char* value = std::getenv("KERNELS_SIM_VERBOSE");
    return value && std::strcmp(value, "1") == 0;
  }();
  return on;
}

}  // namespace

bool initialised() { return is_initialised.load(std::memory_order_acquire); }
void initialise() {
  if (!is_initialised.exchange(true)) report_leaks_at_exit();
}

bool inside_host_function() { return host_function_depth > 0; }
HostFunctionScope::HostFunctionScope() { ++host_function_depth; }
HostFunctionScope::~HostFunctionScope() { --host_function_depth; }

CUresult report_failure(const char* function, CUresult code, const char* message) noexcept {
  try {
    const char* name = error_name(code);
    last_failure = std::string(function) + ": " + (name ? name : "?") + ": " + message;
    if (verbose()) std::fprintf(stderr, "simulator: %s\n", last_failure.c_str());
  } catch (const std::bad_alloc&) {
    last_failure.clear();
  }
  return code;
}

}  // namespace simulator::driver

// The sentence behind the calling thread's last failed call; empty before the first one. Valid until the next
// failure.
extern "C" __attribute__((visibility("default"))) const char* simulatorLastError() {
  return simulator::driver::last_failure.c_str();
}
