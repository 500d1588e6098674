// The options of cuModuleLoadDataEx: which are known, and the log buffers the caller gave.
#pragma once

#include <string>

#include "cuda_abi.h"

namespace simulator::driver {

class JitOptions {
 public:
  // Throws INVALID_VALUE for options cuda.h does not name and for log buffers without a size.
  JitOptions(unsigned count, const CUjit_option* options, void** values);

  // Fill the caller's buffers, cut to their sizes with a terminating zero, and tell the lengths.
  void write_info_log(const std::string& text);
  void write_error_log(const std::string& text);
  void write_wall_time(float milliseconds);

 private:
  struct Log {
    char* buffer = nullptr;
    size_t capacity = 0;
    void** length = nullptr;  // where the option's value is, which becomes the bytes written
  };
  static void write(const Log& log, const std::string& text);

  Log info_, error_;
  void** wall_time_ = nullptr;
};

}  // namespace simulator::driver
