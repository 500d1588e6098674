// Planted faults: each must be found, answered with CUDA's code, stick to its context, and be reported with
// the kernel, block, thread and source line.
#include "support/capture_stderr.h"
#include "support/device_test.h"

namespace simulator::tests {
namespace {

class Fault : public KernelTest {
 protected:
  // Launches; the launch succeeds, the synchronisation answers `expected`, as does every call from then on.
  // The report names the kernel and holds every one of `words`.
  template <class... Arguments>
  void expect_fault(CUresult expected, CUfunction function, const Grid& shape, const std::vector<std::string>& words,
                    const Arguments&... arguments) {
    CaptureStderr capture;
    const CUresult launched = try_launch(function, shape, arguments...);
    const CUresult finished = driver().cuCtxSynchronize();
    const std::string report = capture.text();
    EXPECT_EQ(launched, CUDA_SUCCESS) << describe(launched);
    EXPECT_EQ(finished, expected) << describe(finished) << "\n" << report;
    CUdeviceptr memory = 0;
    EXPECT_CU(expected, cuMemAlloc_v2(&memory, 16));
    EXPECT_CU(expected, cuCtxSynchronize());
    if (!driver().ours()) return;  // the wording is ours
    for (const std::string& word : words)
      EXPECT_NE(report.find(word), std::string::npos) << "no \"" << word << "\" in: " << report;
  }
};
FOR_EACH_ARCHITECTURE(Fault);

// Lines of the source count from 1; the raw strings begin with a line break.
constexpr const char* stores_source = R"(
extern "C" __global__ void store_bytes(unsigned char* p, unsigned n) {
  const unsigned i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n)
    p[i] = 1;
}
extern "C" __global__ void store_int(int* p) {
  if (blockIdx.x == 1 && threadIdx.x == 3)
    *p = 5;
}
extern "C" __global__ void load_int(const int* p, int* out) { *out = *p; }
)";

TEST_P(Fault, OneByteOutOfBounds) {
  const CUfunction function = kernel(stores_source, "store_bytes");
  Buffer<uint8_t> buffer(1000);
  launch(function, grid(8, 128), buffer, 1000u);
  expect_fault(CUDA_ERROR_ILLEGAL_ADDRESS, function, grid(8, 128),
               {"store_bytes", "(7,0,0)", "(104,0,0)", "kernel.cu:5", "1000"}, buffer, 1001u);
}

TEST_P(Fault, OneByteInFrontOfAnAllocation) {
  const CUfunction function = kernel(stores_source, "store_bytes");
  Buffer<uint8_t> buffer(64);
  expect_fault(CUDA_ERROR_ILLEGAL_ADDRESS, function, grid(1, 32), {"store_bytes", "(0,0,0)", "kernel.cu:5"},
               buffer.address() - 1, 1u);
}

TEST_P(Fault, AMisalignedAddress) {
  const CUfunction function = kernel(stores_source, "store_int");
  Buffer<uint8_t> buffer(64);
  expect_fault(CUDA_ERROR_MISALIGNED_ADDRESS, function, grid(2, 32),
               {"store_int", "(1,0,0)", "(3,0,0)", "kernel.cu:9", "misaligned"}, buffer.address() + 2);
}

TEST_P(Fault, ANullPointer) {
  const CUfunction function = kernel(stores_source, "store_int");
  expect_fault(CUDA_ERROR_ILLEGAL_ADDRESS, function, grid(2, 32), {"store_int", "null", "kernel.cu:9"}, CUdeviceptr{0});
}

TEST_P(Fault, UseAfterFree) {
  const CUfunction function = kernel(stores_source, "store_int");
  CUdeviceptr memory = 0;
  ASSERT_CU(cuMemAlloc_v2(&memory, 4096));
  ASSERT_CU(cuMemFree_v2(memory));
  expect_fault(CUDA_ERROR_ILLEGAL_ADDRESS, function, grid(2, 32), {"store_int", "freed", "kernel.cu:9"}, memory + 16);
}

TEST_P(Fault, UseAfterFreeInAPool) {
  const CUfunction function = kernel(stores_source, "store_int");
  CUdeviceptr memory = 0;
  ASSERT_CU(cuMemAllocAsync(&memory, 256, nullptr));
  ASSERT_CU(cuMemFreeAsync(memory, nullptr));
  expect_fault(CUDA_ERROR_ILLEGAL_ADDRESS, function, grid(2, 32), {"store_int", "freed"}, memory);
}

TEST_P(Fault, AHostPointer) {
  const CUfunction function = kernel(stores_source, "load_int");
  const std::vector<int> host(16, 7);
  Buffer<int32_t> out(1);
  expect_fault(CUDA_ERROR_ILLEGAL_ADDRESS, function, grid(1, 1), {"load_int"}, host.data(), out);
}

TEST_P(Fault, SharedMemoryOutOfItsWindow) {
  const CUfunction function = kernel(R"(
extern "C" __global__ void overrun(int* out, int index) {
  __shared__ int values[64];
  values[threadIdx.x] = threadIdx.x;
  __syncthreads();
  if (threadIdx.x == 9) values[index] = 1;
  __syncthreads();
  out[threadIdx.x] = values[threadIdx.x ^ 1];
})",
                                     "overrun");
  Buffer<int32_t> out(64);
  launch(function, grid(1, 64), out, 63);
  expect_fault(CUDA_ERROR_ILLEGAL_ADDRESS, function, grid(1, 64), {"overrun", "shared", "(9,0,0)", "kernel.cu:6"}, out,
               64);
}

TEST_P(Fault, AStoreToAConstant) {
  const CUfunction function = kernel(R"(
__constant__ int table[4] = {1, 2, 3, 4};
extern "C" __global__ void spoil(int** where, int* out) {
  if (where) *where[0] = 9;
  out[0] = table[out[1] & 3];
}
extern "C" __global__ void where(int** to) { to[0] = (int*)&table[2]; }
)",
                                     "spoil");
  CUmodule module = nullptr;
  ASSERT_CU(cuFuncGetModule(&module, function));
  CUfunction where = nullptr;
  ASSERT_CU(cuModuleGetFunction(&where, module, "where"));
  Buffer<uint64_t> pointer(1);
  Buffer<int32_t> out(std::vector<int32_t>{0, 0});
  launch(where, grid(1, 1), pointer);
  expect_fault(CUDA_ERROR_ILLEGAL_ADDRESS, function, grid(1, 1), {"spoil", "constant", "table", "kernel.cu:4"}, pointer,
               out);
}

TEST_P(Fault, ABarrierThatSomeThreadsNeverReach) {
  const CUfunction function = kernel(R"(
extern "C" __global__ void stuck(int* out) {
  if (threadIdx.x < 32) {
    asm volatile("bar.sync 1, 64;" ::: "memory");
  } else {
    asm volatile("bar.sync 2, 64;" ::: "memory");
  }
  out[threadIdx.x] = 1;
})",
                                     "stuck");
  Buffer<int32_t> out(64);
  expect_fault(CUDA_ERROR_LAUNCH_FAILED, function, grid(1, 64), {"stuck", "deadlock", "kernel.cu:"}, out);
}

TEST_P(Fault, ABarrierForAPartOfAWarp) {
  const CUfunction function = kernel(R"(
extern "C" __global__ void part(int n) { asm volatile("bar.sync 1, %0;" :: "r"(n) : "memory"); }
)",
                                     "part");
  expect_fault(CUDA_ERROR_LAUNCH_FAILED, function, grid(1, 64), {"part", "multiple of 32", "is 33"}, 33);
}

TEST_P(Fault, FreeingWhatMallocDidNotGive) {
  const CUfunction function = kernel(R"(
extern "C" __global__ void release(int* p) { free(p); }
)",
                                     "release");
  Buffer<int32_t> memory(4);
  launch(function, grid(1, 1), CUdeviceptr{0});
  expect_fault(CUDA_ERROR_ILLEGAL_ADDRESS, function, grid(1, 1), {"release", "free of 0x", "kernel.cu:2"}, memory);
}

TEST_P(Fault, AShuffleWithoutOneOfItsLanes) {
  const CUfunction function = kernel(R"(
extern "C" __global__ void missing(int* out) {
  if (threadIdx.x != 5)
    out[threadIdx.x] = __shfl_sync(0xffffffffu, (int)threadIdx.x, 3);
  __syncthreads();  // where lane 5 waits
  out[32 + threadIdx.x] = 1;
})",
                                     "missing");
  Buffer<int32_t> out(64);
  expect_fault(CUDA_ERROR_LAUNCH_FAILED, function, grid(1, 32), {"missing", "shfl", "kernel.cu:4"}, out);
}

TEST_P(Fault, AMaskWithoutTheCaller) {
  const CUfunction function = kernel(R"(
extern "C" __global__ void outside(int* out, unsigned mask) {
  out[threadIdx.x] = __shfl_sync(mask, (int)threadIdx.x, 0);
})",
                                     "outside");
  Buffer<int32_t> out(32);
  launch(function, grid(1, 32), out, 0xffffffffu);
  expect_fault(CUDA_ERROR_LAUNCH_FAILED, function, grid(1, 32), {"outside", "shfl", "kernel.cu:3"}, out, 0xfffffffeu);
}

TEST_P(Fault, ATrap) {
  const CUfunction function = kernel(R"(
extern "C" __global__ void trapped(int limit) {
  if ((int)(blockIdx.x * blockDim.x + threadIdx.x) == limit) __trap();
})",
                                     "trapped");
  launch(function, grid(3, 32), 1000);
  expect_fault(CUDA_ERROR_LAUNCH_FAILED, function, grid(3, 32),
               {"trapped", "trap", "(1,0,0)", "(10,0,0)", "kernel.cu:3"}, 42);
}

TEST_P(Fault, AFailedAssertion) {
  const CUfunction function = kernel(R"(
extern "C" __device__ void __assertfail(const char*, const char*, unsigned, const char*, size_t);
extern "C" __global__ void asserted(int limit) {
  if ((int)threadIdx.x >= limit) __assertfail("threadIdx.x < limit", "kernel.cu", 4, "asserted", 1);
})",
                                     "asserted");
  launch(function, grid(1, 32), 32);
  expect_fault(CUDA_ERROR_ASSERT, function, grid(1, 32), {"asserted", "threadIdx.x < limit", "(31,0,0)"}, 31);
}

TEST_P(Fault, AStackThatOverflows) {
  const CUfunction function = kernel(R"(
__device__ __noinline__ int deeper(int n, int* out) { volatile int frame[64]; frame[n & 63] = n; out[0] = frame[n & 63]; return n == 0 ? 0 : deeper(n + 1, out) + frame[(n + 1) & 63]; }
extern "C" __global__ void recurse(int* out, int n) { out[1] = deeper(n, out); }
)",
                                     "recurse");
  Buffer<int32_t> out(2);
  CaptureStderr capture;
  const CUresult launched = try_launch(function, grid(1, 1), out, 1);
  const CUresult finished = driver().cuCtxSynchronize();
  const std::string report = capture.text();
  EXPECT_EQ(launched, CUDA_SUCCESS);
  EXPECT_TRUE(finished == CUDA_ERROR_LAUNCH_FAILED || finished == CUDA_ERROR_ILLEGAL_ADDRESS ||
              finished == CUDA_ERROR_HARDWARE_STACK_ERROR)
      << describe(finished);
  if (driver().ours()) {
    EXPECT_NE(report.find("recurse"), std::string::npos) << report;
    EXPECT_NE(report.find("stack"), std::string::npos) << report;
  }
}

TEST_P(Fault, AnAtomicOutOfBounds) {
  const CUfunction function = kernel(R"(
extern "C" __global__ void count(unsigned* p, int at) {
  atomicAdd(p + at, 1u);
})",
                                     "count");
  Buffer<uint32_t> cells(std::vector<uint32_t>(4, 0));
  launch(function, grid(1, 32), cells, 3);
  expect_fault(CUDA_ERROR_ILLEGAL_ADDRESS, function, grid(1, 32), {"count", "kernel.cu:3"}, cells, 4);
}

TEST_P(Fault, AnAsynchronousCopyOutOfBounds) {
  const CUfunction function = kernel(R"(
extern "C" __global__ void fetch(const char* from, int* out) {
  __shared__ __align__(16) int stage[4];
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16;" :: "r"((unsigned)__cvta_generic_to_shared(stage)), "l"(from) : "memory");
  asm volatile("cp.async.wait_all;" ::: "memory");
  *out = stage[3];
})",
                                     "fetch");
  Buffer<uint8_t> bytes(24);
  Buffer<int32_t> out(1);
  launch(function, grid(1, 1), bytes, out);
  expect_fault(CUDA_ERROR_ILLEGAL_ADDRESS, function, grid(1, 1), {"fetch", "kernel.cu:4"}, bytes.address() + 16, out);
}

TEST_P(Fault, LeavesOtherContextsAlone) {
  const CUfunction function = kernel(stores_source, "store_int");
  CUcontext other = nullptr;
  ASSERT_CU(cuCtxCreate_v2(&other, 0, device_));
  ASSERT_CU(cuCtxSetCurrent(context_));
  expect_fault(CUDA_ERROR_ILLEGAL_ADDRESS, function, grid(2, 32), {"store_int"}, CUdeviceptr{0});
  EXPECT_CU(CUDA_SUCCESS, cuCtxSetCurrent(other));
  EXPECT_CU(CUDA_SUCCESS, cuCtxSynchronize());
  CUdeviceptr memory = 0;
  EXPECT_CU(CUDA_SUCCESS, cuMemAlloc_v2(&memory, 64));
  EXPECT_CU(CUDA_SUCCESS, cuMemFree_v2(memory));
  EXPECT_CU(CUDA_SUCCESS, cuCtxDestroy_v2(other));
  ASSERT_CU(cuCtxSetCurrent(context_));
}

TEST_P(Fault, EndsTheProcessingOfLaterWorkInTheContext) {
  const CUfunction function = kernel(stores_source, "store_int");
  CUstream stream = nullptr;
  ASSERT_CU(cuStreamCreate(&stream, 0));
  CaptureStderr quiet;
  Grid shape = grid(2, 32);
  shape.stream = stream;
  ASSERT_EQ(try_launch(function, shape, CUdeviceptr{0}), CUDA_SUCCESS);
  const CUresult finished = driver().cuStreamSynchronize(stream);
  EXPECT_EQ(finished, CUDA_ERROR_ILLEGAL_ADDRESS);
  EXPECT_EQ(try_launch(function, shape, CUdeviceptr{0}), CUDA_ERROR_ILLEGAL_ADDRESS);
  EXPECT_CU(CUDA_ERROR_ILLEGAL_ADDRESS, cuStreamQuery(stream));
}

}  // namespace
}  // namespace simulator::tests
