// What launches refuse before anything runs, launch attributes, and occupancy.
#include <sys/resource.h>
#include <unistd.h>

#include <fstream>

#include "support/capture_stderr.h"
#include "support/device_test.h"

namespace simulator::tests {
namespace {

class Launches : public DeviceTest {
 protected:
  void SetUp() override {
    DeviceTest::SetUp();
    if (HasFatalFailure() || cannot_compile_for("compute_80")) return;
    count_ = kernel("compute_80", "extern \"C\" __global__ void count(unsigned* c) { atomicAdd(c, 1u); }", "count");
  }
  CUresult with_shape(std::array<unsigned, 3> blocks, std::array<unsigned, 3> threads, unsigned shared = 0) {
    Grid shape;
    shape.blocks = blocks;
    shape.threads = threads;
    shape.dynamic_shared_bytes = shared;
    return try_launch(count_, shape, counter_);
  }
  CUfunction count_ = nullptr;
  CUdeviceptr counter_ = 0;
};

TEST_F(Launches, RefuseShapesBeyondTheLimits) {
  for (const auto& blocks : {std::array{0u, 1u, 1u}, std::array{1u, 0u, 1u}, std::array{1u, 65536u, 1u},
                             std::array{1u, 1u, 65536u}, std::array{0x80000000u, 1u, 1u}})
    EXPECT_EQ(with_shape(blocks, {1, 1, 1}), CUDA_ERROR_INVALID_VALUE)
        << blocks[0] << " " << blocks[1] << " " << blocks[2];
  for (const auto& threads : {std::array{0u, 1u, 1u}, std::array{1025u, 1u, 1u}, std::array{1u, 1025u, 1u},
                              std::array{1u, 1u, 65u}, std::array{32u, 32u, 2u}})
    EXPECT_EQ(with_shape({1, 1, 1}, threads), CUDA_ERROR_INVALID_VALUE)
        << threads[0] << " " << threads[1] << " " << threads[2];
  EXPECT_EQ(with_shape({1, 1, 1}, {32, 1, 1}, 48 * 1024 + 1), CUDA_ERROR_INVALID_VALUE);
  EXPECT_CU(CUDA_SUCCESS, cuCtxSynchronize());
}

TEST_F(Launches, RunEveryThreadOfTheLargestShapes) {
  Buffer<uint32_t> counter(std::vector<uint32_t>{0});
  counter_ = counter.address();
  EXPECT_EQ(with_shape({3, 5, 7}, {4, 4, 64}), CUDA_SUCCESS);
  EXPECT_EQ(with_shape({1, 65535, 1}, {1, 1, 1}), CUDA_SUCCESS);
  EXPECT_EQ(with_shape({100000, 1, 1}, {1, 1, 1}), CUDA_SUCCESS);
  EXPECT_CU(CUDA_SUCCESS, cuCtxSynchronize());
  EXPECT_EQ(counter.download()[0], 105u * 1024 + 65535 + 100000);
}

TEST_F(Launches, FailWhereTheHostHasNoMemoryForThem) {
  if (!driver().ours()) GTEST_SKIP() << "how a launch uses the host's memory is our simulator's";
  const CUfunction large =
      kernel("compute_80",
             "extern \"C\" __global__ void large(int* out) {\n  volatile int local[100000];\n"
             "  local[out[0]] = 1;\n  if (blockIdx.x + threadIdx.x == 0) out[1] = local[out[0]];\n}",
             "large");
  Buffer<int32_t> out(std::vector<int32_t>{5, 0});
  launch(large, grid(8, 32), out);
  EXPECT_EQ(out.download()[1], 1);
  CaptureStderr capture;
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_AS, &before), 0);
  unsigned long pages = 0;
  std::ifstream("/proc/self/statm") >> pages;
  // A block of 1024 threads takes 410 MB of local memory.
  const rlimit limit{pages * static_cast<unsigned long>(sysconf(_SC_PAGESIZE)) + (200u << 20), before.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_AS, &limit), 0);
  const CUresult launched = try_launch(large, grid(8, 1024), out);
  const CUresult finished = driver().cuCtxSynchronize();
  setrlimit(RLIMIT_AS, &before);
  EXPECT_EQ(launched, CUDA_SUCCESS) << describe(launched);
  EXPECT_EQ(finished, CUDA_ERROR_LAUNCH_FAILED) << describe(finished);
  EXPECT_NE(capture.text().find("kernel large: the simulator could not go on: std::bad_alloc"), std::string::npos)
      << capture.text();
}

TEST_F(Launches, RefuseHandlesThatAreNoFunctions) {
  if (!driver().ours()) GTEST_SKIP() << "handles are validated by our simulator";
  EXPECT_EQ(try_launch(nullptr, grid(1, 1)), CUDA_ERROR_INVALID_HANDLE);
  EXPECT_EQ(try_launch(reinterpret_cast<CUfunction>(context_), grid(1, 1)), CUDA_ERROR_INVALID_HANDLE);
  CUmodule module = nullptr;
  ASSERT_CU(
      cuModuleLoadData(&module, compile({"extern \"C\" __global__ void gone() {}", "compute_80", {}, {}}).ptx.c_str()));
  const CUfunction gone = function(module, "gone");
  ASSERT_CU(cuModuleUnload(module));
  EXPECT_EQ(try_launch(gone, grid(1, 1)), CUDA_ERROR_INVALID_HANDLE);
  EXPECT_CU(CUDA_ERROR_INVALID_HANDLE, cuModuleUnload(module));
}

TEST_F(Launches, StayInTheirContext) {
  if (!driver().ours())
    GTEST_SKIP() << "known difference of other implementations: contexts of launches are not checked";
  CUcontext other = nullptr;
  ASSERT_CU(cuCtxCreate_v2(&other, 0, device_));
  Buffer<uint32_t> counter(1);  // of the other context; memory is shared
  EXPECT_EQ(try_launch(count_, grid(1, 1), counter), CUDA_ERROR_INVALID_HANDLE);
  CUstream stream = nullptr;
  ASSERT_CU(cuStreamCreate(&stream, 0));
  ASSERT_CU(cuCtxSetCurrent(context_));
  EXPECT_EQ(try_launch(count_, grid(1, 1, 0, stream), counter), CUDA_ERROR_INVALID_HANDLE);
  EXPECT_CU(CUDA_SUCCESS, cuCtxDestroy_v2(other));
  ASSERT_CU(cuCtxSetCurrent(context_));
}

TEST_F(Launches, TakeAttributes) {
  Buffer<uint32_t> counter(std::vector<uint32_t>{0});
  CUdeviceptr address = counter.address();
  void* parameters[] = {&address};
  CUlaunchAttribute attributes[3] = {};
  attributes[0].id = CU_LAUNCH_ATTRIBUTE_COOPERATIVE;
  attributes[0].value.cooperative = 1;
  attributes[1].id = CU_LAUNCH_ATTRIBUTE_PRIORITY;
  attributes[1].value.priority = -1;
  attributes[2].id = CU_LAUNCH_ATTRIBUTE_CLUSTER_DIMENSION;
  attributes[2].value.clusterDim = {1, 1, 1};
  CUlaunchConfig config{4, 1, 1, 32, 1, 1, 0, nullptr, attributes, 3};
  EXPECT_CU(CUDA_SUCCESS, cuLaunchKernelEx(&config, count_, parameters, nullptr));
  EXPECT_CU(CUDA_SUCCESS, cuCtxSynchronize());
  EXPECT_EQ(counter.download()[0], 128u);
  config.numAttrs = 0;
  config.attrs = nullptr;
  EXPECT_CU(CUDA_SUCCESS, cuLaunchKernelEx(&config, count_, parameters, nullptr));
  EXPECT_CU(CUDA_ERROR_INVALID_VALUE, cuLaunchKernelEx(nullptr, count_, parameters, nullptr));
  if (!driver().ours()) return;
  attributes[2].value.clusterDim = {2, 1, 1};
  config.attrs = attributes;
  config.numAttrs = 3;
  EXPECT_CU(CUDA_ERROR_INVALID_CLUSTER_SIZE, cuLaunchKernelEx(&config, count_, parameters, nullptr));
  attributes[2].id = CU_LAUNCH_ATTRIBUTE_PROGRAMMATIC_EVENT;
  EXPECT_CU(CUDA_ERROR_NOT_SUPPORTED, cuLaunchKernelEx(&config, count_, parameters, nullptr));
  EXPECT_CU(CUDA_SUCCESS, cuCtxSynchronize());
}

class Occupancy : public DeviceTest {
 protected:
  void SetUp() override {
    DeviceTest::SetUp();
    if (!HasFatalFailure()) cannot_compile_for("compute_80");
  }
  int blocks(CUfunction f, int threads, size_t shared) {
    int value = -1;
    EXPECT_CU(CUDA_SUCCESS, cuOccupancyMaxActiveBlocksPerMultiprocessor(&value, f, threads, shared));
    return value;
  }
};

TEST_F(Occupancy, IsLimitedByThreadsBlocksAndSharedMemory) {
  const CUfunction light = kernel("compute_80",
                                  "extern __shared__ int s[]; extern \"C\" __global__ void light(int* p) { "
                                  "s[threadIdx.x] = 1; *p = s[0]; }",
                                  "light");
  const int threads = attribute(CU_DEVICE_ATTRIBUTE_MAX_THREADS_PER_MULTIPROCESSOR);
  const int most = attribute(CU_DEVICE_ATTRIBUTE_MAX_BLOCKS_PER_MULTIPROCESSOR);
  const int shared = attribute(CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_MULTIPROCESSOR);
  const int reserved = attribute(CU_DEVICE_ATTRIBUTE_RESERVED_SHARED_MEMORY_PER_BLOCK);
  EXPECT_EQ(blocks(light, 1024, 0), threads / 1024);
  EXPECT_EQ(blocks(light, 512, 0), threads / 512);
  EXPECT_EQ(blocks(light, 32, 0), most);
  EXPECT_EQ(blocks(light, 1, 0), most);
  EXPECT_EQ(blocks(light, 33, 0), std::min(most, threads / 64));
  EXPECT_EQ(blocks(light, 32, 40000), std::min(most, shared / ((40000 + reserved + 127) / 128 * 128)));
  if (driver().ours()) {
    EXPECT_EQ(
        blocks(light, 32, static_cast<size_t>(attribute(CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN)) + 1),
        0);
  }
  int value = 0;
  EXPECT_CU(CUDA_ERROR_INVALID_VALUE, cuOccupancyMaxActiveBlocksPerMultiprocessor(&value, light, 0, 0));
  size_t available = 0;
  EXPECT_CU(CUDA_SUCCESS, cuOccupancyAvailableDynamicSMemPerBlock(&available, light, 2, 128));
  EXPECT_EQ(blocks(light, 128, available), 2);
}

TEST_F(Occupancy, FindsTheBlockSizeThatFillsAMultiprocessor) {
  const CUfunction light = kernel("compute_80", "extern \"C\" __global__ void light(int* p) { *p = 1; }", "light");
  const CUfunction bounded =
      kernel("compute_80", "extern \"C\" __global__ void __launch_bounds__(96) bounded(int* p) { *p = 1; }", "bounded");
  int grid_size = 0, block_size = 0;
  EXPECT_CU(CUDA_SUCCESS, cuOccupancyMaxPotentialBlockSize(&grid_size, &block_size, light, nullptr, 0, 0));
  EXPECT_EQ(blocks(light, block_size, 0) * block_size, attribute(CU_DEVICE_ATTRIBUTE_MAX_THREADS_PER_MULTIPROCESSOR));
  EXPECT_EQ(grid_size, blocks(light, block_size, 0) * attribute(CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT));
  EXPECT_CU(CUDA_SUCCESS, cuOccupancyMaxPotentialBlockSize(&grid_size, &block_size, bounded, nullptr, 0, 0));
  EXPECT_LE(block_size, 96);
  EXPECT_CU(CUDA_SUCCESS,
            cuOccupancyMaxPotentialBlockSize(
                &grid_size, &block_size, light, [](int size) { return static_cast<size_t>(size) * 64; }, 0, 256));
  EXPECT_LE(block_size, 256);
}

}  // namespace
}  // namespace simulator::tests
