// Fixtures: a context for each test, buffers, kernels compiled from source, launches.
#pragma once

#include <gtest/gtest.h>

#include <array>
#include <cstring>
#include <stdexcept>
#include <string>
#include <vector>

#include "driver.h"
#include "nvrtc.h"

namespace simulator::tests {

// Device memory of `size` elements that goes with the fixture's context.
template <class T>
class Buffer {
 public:
  explicit Buffer(size_t size) : size_(size) {
    const CUresult result = driver().cuMemAlloc_v2(&address_, size * sizeof(T));
    EXPECT_EQ(result, CUDA_SUCCESS) << describe(result);
  }
  explicit Buffer(const std::vector<T>& content) : Buffer(content.size()) { upload(content); }
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;
  // On a context that failed, freeing fails too: the context takes the memory along.
  ~Buffer() { driver().cuMemFree_v2(address_); }

  void upload(const std::vector<T>& content) {
    ASSERT_LE(content.size(), size_);
    EXPECT_CU(CUDA_SUCCESS, cuMemcpyHtoD_v2(address_, content.data(), content.size() * sizeof(T)));
  }
  std::vector<T> download() const {
    std::vector<T> content(size_);
    EXPECT_CU(CUDA_SUCCESS, cuMemcpyDtoH_v2(content.data(), address_, size_ * sizeof(T)));
    return content;
  }
  CUdeviceptr address() const { return address_; }
  size_t size() const { return size_; }

 private:
  CUdeviceptr address_ = 0;
  size_t size_;
};

struct Grid {
  std::array<unsigned, 3> blocks{1, 1, 1}, threads{1, 1, 1};
  unsigned dynamic_shared_bytes = 0;
  CUstream stream = nullptr;
  bool cooperative = false;
};

inline Grid grid(unsigned blocks, unsigned threads, unsigned dynamic_shared_bytes = 0, CUstream stream = nullptr) {
  return {{blocks, 1, 1}, {threads, 1, 1}, dynamic_shared_bytes, stream, false};
}

// A kernel's arguments by value; buffers pass their addresses.
template <class T>
T kernel_argument(const T& value) {
  return value;
}
template <class T>
CUdeviceptr kernel_argument(const Buffer<T>& buffer) {
  return buffer.address();
}

// Returns the launch call's code.
template <class... Arguments>
CUresult try_launch(CUfunction function, const Grid& grid, const Arguments&... arguments) {
  std::tuple<decltype(kernel_argument(arguments))...> values{kernel_argument(arguments)...};
  return std::apply(
      [&](auto&... each) {
        void* pointers[] = {&each..., nullptr};
        if (grid.cooperative)
          return driver().cuLaunchCooperativeKernel(function, grid.blocks[0], grid.blocks[1], grid.blocks[2],
                                                    grid.threads[0], grid.threads[1], grid.threads[2],
                                                    grid.dynamic_shared_bytes, grid.stream, pointers);
        return driver().cuLaunchKernel(function, grid.blocks[0], grid.blocks[1], grid.blocks[2], grid.threads[0],
                                       grid.threads[1], grid.threads[2], grid.dynamic_shared_bytes, grid.stream,
                                       pointers, nullptr);
      },
      values);
}

// Launches and waits; throws, which ends the test, where either fails.
template <class... Arguments>
void launch(CUfunction function, const Grid& grid, const Arguments&... arguments) {
  const CUresult launched = try_launch(function, grid, arguments...);
  if (launched != CUDA_SUCCESS) throw std::runtime_error("the launch answered " + describe(launched));
  const CUresult finished = driver().cuCtxSynchronize();
  if (finished != CUDA_SUCCESS) throw std::runtime_error("the kernel ended with " + describe(finished));
}

// A context of its own for every test, so that an error that sticks ends with it. Whatever a test leaves
// behind fails it.
class DeviceTest : public testing::Test {
 protected:
  void SetUp() override;
  void TearDown() override;

  // Skips the test (the caller must return) where NVRTC is missing or the device is older than the
  // architecture.
  bool cannot_compile_for(const std::string& architecture);

  // Loads PTX; the module goes with the context. This and the following throw where they fail, which ends the
  // test.
  CUmodule load(const std::string& ptx);
  CUfunction function(CUmodule module, const std::string& name);
  // Compiles, loads and finds one kernel.
  CUfunction kernel(const std::string& architecture, const std::string& source, const std::string& name,
                    const std::vector<std::string>& options = {});
  int attribute(CUdevice_attribute which) const;
  int capability() const;  // 90 for 9.0

  CUcontext context_ = nullptr;
  CUdevice device_ = 0;

 private:
  std::vector<CUmodule> modules_;
};

// Tests that run for every architecture the library compiles for.
class KernelTest : public DeviceTest, public testing::WithParamInterface<std::string> {
 protected:
  void SetUp() override;
  using DeviceTest::kernel;
  CUfunction kernel(const std::string& source, const std::string& name, const std::vector<std::string>& options = {}) {
    return DeviceTest::kernel(GetParam(), source, name, options);
  }
  int target() const { return std::stoi(GetParam().substr(GetParam().find('_') + 1)); }
};

inline std::string architecture_name(const testing::TestParamInfo<std::string>& info) { return info.param; }

#define FOR_EACH_ARCHITECTURE(suite)                                                                          \
  INSTANTIATE_TEST_SUITE_P(Ptx, suite, testing::Values(std::string("compute_80"), std::string("compute_90")), \
                           ::simulator::tests::architecture_name)

}  // namespace simulator::tests
