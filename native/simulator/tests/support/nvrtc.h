// NVRTC, loaded at run time: the tests compile their kernels as the library's users do.
#pragma once

#include <string>
#include <vector>

namespace simulator::tests {

// Empty where NVRTC was found; else why there is none, for GTEST_SKIP.
const std::string& nvrtc_missing();

struct CompileRequest {
  std::string source;
  std::string architecture = "compute_80";
  std::vector<std::string> options;
  std::vector<std::string> name_expressions;
};

struct Compiled {
  std::string ptx;
  std::vector<std::string> lowered_names;  // one for each name expression
};

// Compiled once for each request in a process. Throws std::runtime_error with NVRTC's log.
const Compiled& compile(const CompileRequest& request);

}  // namespace simulator::tests
