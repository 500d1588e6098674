// How the driver half reports that a call cannot be served: a code for the caller and a sentence for people.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>

#include "cuda_abi.h"

namespace simulator::driver {

class Failure : public std::exception {
 public:
  Failure(CUresult code, std::string message) : code_(code), message_(std::move(message)) {}
  CUresult code() const { return code_; }
  const char* what() const noexcept override { return message_.c_str(); }

 private:
  CUresult code_;
  std::string message_;
};

[[noreturn]] void fail(CUresult code, const char* format, ...) __attribute__((format(printf, 2, 3)));

// Throws CUDA_ERROR_INVALID_VALUE unless the pointer is there. `name` is the parameter's name in cuda.h.
template <class T>
void require_pointer(const T* pointer, const char* name) {
  if (pointer == nullptr) fail(CUDA_ERROR_INVALID_VALUE, "%s is null", name);
}

// nullptr for a value that is no CUresult.
const char* error_name(CUresult code);
const char* error_description(CUresult code);

}  // namespace simulator::driver
