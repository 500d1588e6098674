// What every exported entry point is wrapped in: initialisation, the ban on driver calls inside host
// functions, and the turning of exceptions into codes. Nothing is thrown across the C boundary.
#pragma once

#include <new>

#include "cuda_abi.h"
#include "failure.h"

#define SIMULATOR_API extern "C" __attribute__((visibility("default"))) CUresult

namespace simulator::driver {

// cuInit has been called.
bool initialised();
void initialise();
void report_leaks_at_exit();  // live_objects.cpp

// True on a thread that runs a function given to cuLaunchHostFunc: driver calls are not permitted there.
bool inside_host_function();
class HostFunctionScope {
 public:
  HostFunctionScope();
  ~HostFunctionScope();
};

// Remembers the sentence for simulatorLastError and prints it where KERNELS_SIM_VERBOSE=1.
CUresult report_failure(const char* function, CUresult code, const char* message) noexcept;

template <class Body>
CUresult uninitialised_api(const char* function, Body&& body) noexcept {
  try {
    return body();
  } catch (const Failure& failure) {
    return report_failure(function, failure.code(), failure.what());
  } catch (const std::bad_alloc&) {
    return report_failure(function, CUDA_ERROR_OUT_OF_MEMORY, "host memory is exhausted");
  } catch (const std::exception& unexpected) {
    return report_failure(function, CUDA_ERROR_UNKNOWN, unexpected.what());
  }
}

// The body returns CUresult, or throws Failure.
template <class Body>
CUresult api(const char* function, Body&& body) noexcept {
  if (!initialised()) return report_failure(function, CUDA_ERROR_NOT_INITIALIZED, "cuInit has not been called");
  if (inside_host_function())
    return report_failure(function, CUDA_ERROR_NOT_PERMITTED, "driver calls are not permitted inside a host function");
  return uninitialised_api(function, static_cast<Body&&>(body));
}

}  // namespace simulator::driver
