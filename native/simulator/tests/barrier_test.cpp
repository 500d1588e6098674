// Barriers of blocks and grids, their reductions, and asynchronous copies.
#include <numeric>

#include "support/device_test.h"

namespace simulator::tests {
namespace {

class Barrier : public KernelTest {};
FOR_EACH_ARCHITECTURE(Barrier);

TEST_P(Barrier, OrdersARingOfThreads) {
  const CUfunction ring = kernel(R"(
extern "C" __global__ void ring(int* out, int rounds) {
  __shared__ int slot[2][256];
  slot[0][threadIdx.x] = threadIdx.x;
  for (int r = 0; r < rounds; ++r) {
    __syncthreads();
    slot[(r + 1) & 1][threadIdx.x] = slot[r & 1][(threadIdx.x + 1) % blockDim.x] + 1;
  }
  __syncthreads();
  out[blockIdx.x * blockDim.x + threadIdx.x] = slot[rounds & 1][threadIdx.x];
})",
                                 "ring");
  Buffer<int32_t> out(3 * 200);
  launch(ring, grid(3, 200), out, 17);
  const auto result = out.download();
  for (int t = 0; t < 600; ++t) ASSERT_EQ(result[t], (t % 200 + 17) % 200 + 17);
}

TEST_P(Barrier, ReducesPredicatesOverTheBlock) {
  const CUfunction reduce = kernel(R"(
extern "C" __global__ void reduce(int* out, int limit) {
  const int p = (int)threadIdx.x < limit;
  out[3 * threadIdx.x] = __syncthreads_count(p);
  out[3 * threadIdx.x + 1] = __syncthreads_and(p);
  out[3 * threadIdx.x + 2] = __syncthreads_or(p);
})",
                                   "reduce");
  for (const int limit : {0, 1, 50, 100}) {
    Buffer<int32_t> out(300);
    launch(reduce, grid(1, 100), out, limit);
    const auto result = out.download();
    for (int t = 0; t < 100; ++t) {
      ASSERT_EQ(result[3 * t], limit);
      ASSERT_EQ(result[3 * t + 1] != 0, limit == 100);
      ASSERT_EQ(result[3 * t + 2] != 0, limit > 0);
    }
  }
}

TEST_P(Barrier, LetsPartOfTheBlockMeetAtANamedBarrier) {
  // Warps 0 and 1 produce, warps 2 and 3 consume: bar.arrive and bar.sync on barriers of 128 threads.
  const CUfunction handover = kernel(R"(
extern "C" __global__ void handover(int* out) {
  __shared__ int box[64];
  const int t = threadIdx.x;
  for (int round = 0; round < 4; ++round) {
    if (t < 64) {
      if (round > 0) asm volatile("bar.sync 2, 128;" ::: "memory");
      box[t] = t * 10 + round;
      asm volatile("bar.arrive 1, 128;" ::: "memory");
    } else {
      asm volatile("bar.sync 1, 128;" ::: "memory");
      out[round * 64 + t - 64] = box[t - 64];
      if (round < 3) asm volatile("bar.arrive 2, 128;" ::: "memory");
    }
  }
})",
                                     "handover");
  Buffer<int32_t> out(256);
  launch(handover, grid(1, 128), out);
  const auto result = out.download();
  for (int i = 0; i < 256; ++i) ASSERT_EQ(result[i], i % 64 * 10 + i / 64);
}

TEST_P(Barrier, CountsExitedThreadsAsArrived) {
  const CUfunction leave = kernel(R"(
extern "C" __global__ void leave(int* out) {
  __shared__ int sum;
  if (threadIdx.x == 0) sum = 0;
  __syncthreads();
  if (threadIdx.x >= 96) return;   // a whole warp leaves
  atomicAdd(&sum, 1);
  __syncthreads();
  out[threadIdx.x] = sum;
})",
                                  "leave");
  Buffer<int32_t> out(96);
  launch(leave, grid(1, 128), out);
  EXPECT_EQ(out.download(), std::vector<int32_t>(96, 96));
}

TEST_P(Barrier, MeetsOverTheGridInACooperativeLaunch) {
  const CUfunction sum = kernel(R"(
extern "C" __global__ void grid_sum(volatile int* cells, unsigned* arrived, int* out) {
  cells[blockIdx.x] = blockIdx.x + 1;
  __threadfence();
  __syncthreads();
  if (threadIdx.x == 0) {
    atomicAdd(arrived, 1);
    while (*(volatile unsigned*)arrived < gridDim.x) {}
  }
  __syncthreads();
  int total = 0;
  for (unsigned i = 0; i < gridDim.x; ++i) total += cells[i];
  if (threadIdx.x == 0) out[blockIdx.x] = total;
})",
                                "grid_sum");
  const unsigned blocks = 60;
  Buffer<int32_t> cells(blocks), out(blocks);
  Buffer<uint32_t> arrived(std::vector<uint32_t>{0});
  Grid shape = grid(blocks, 64);
  shape.cooperative = true;
  launch(sum, shape, cells, arrived, out);
  EXPECT_EQ(out.download(), std::vector<int32_t>(blocks, 60 * 61 / 2));
}

TEST_P(Barrier, RefusesCooperativeGridsThatDoNotFit) {
  const CUfunction empty = kernel("extern \"C\" __global__ void empty() {}", "empty");
  int resident = 0;
  ASSERT_CU(cuOccupancyMaxActiveBlocksPerMultiprocessor(&resident, empty, 1024, 0));
  const unsigned most = static_cast<unsigned>(resident * attribute(CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT));
  Grid shape = grid(most + 1, 1024);
  shape.cooperative = true;
  EXPECT_EQ(try_launch(empty, shape), CUDA_ERROR_COOPERATIVE_LAUNCH_TOO_LARGE);
}

class AsyncCopy : public KernelTest {};
FOR_EACH_ARCHITECTURE(AsyncCopy);

TEST_P(AsyncCopy, PipelinesTilesThroughSharedMemory) {
  const CUfunction pipeline = kernel(R"(
__device__ void copy16(void* to, const void* from) {
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16;" :: "r"((unsigned)__cvta_generic_to_shared(to)), "l"(from) : "memory");
}
extern "C" __global__ void pipeline(const int4* in, int4* out, int tiles) {
  __shared__ int4 stage[3][64];
  for (int s = 0; s < 2; ++s) { copy16(&stage[s][threadIdx.x], in + s * 64 + threadIdx.x); asm volatile("cp.async.commit_group;"); }
  for (int tile = 0; tile < tiles; ++tile) {
    if (tile + 2 < tiles) copy16(&stage[(tile + 2) % 3][threadIdx.x], in + (tile + 2) * 64 + threadIdx.x);
    asm volatile("cp.async.commit_group;");
    asm volatile("cp.async.wait_group 2;" ::: "memory");
    __syncthreads();
    int4 v = stage[tile % 3][63 - threadIdx.x];
    out[tile * 64 + threadIdx.x] = make_int4(v.w, v.z, v.y, v.x);
    __syncthreads();
  }
})",
                                     "pipeline");
  const int tiles = 9;
  std::vector<int32_t> values(tiles * 256);
  std::iota(values.begin(), values.end(), 0);
  Buffer<int32_t> in(values), out(values.size());
  launch(pipeline, grid(1, 64), in, out, tiles);
  const auto result = out.download();
  for (int tile = 0; tile < tiles; ++tile)
    for (int t = 0; t < 64; ++t)
      for (int k = 0; k < 4; ++k) ASSERT_EQ(result[(tile * 64 + t) * 4 + k], (tile * 64 + 63 - t) * 4 + 3 - k);
}

TEST_P(AsyncCopy, FillsWithZerosPastTheSourceSize) {
  const CUfunction partial = kernel(R"(
extern "C" __global__ void partial(const unsigned char* in, unsigned char* out) {
  __shared__ __align__(16) unsigned char stage[17 * 16];
  for (int i = 0; i < 16; ++i) stage[threadIdx.x * 16 + i] = 0xaa;
  const unsigned to = (unsigned)__cvta_generic_to_shared(stage + 16 * threadIdx.x);
  asm volatile("cp.async.ca.shared.global [%0], [%1], 16, %2;" :: "r"(to), "l"(in + 16 * threadIdx.x), "r"(threadIdx.x) : "memory");
  asm volatile("cp.async.wait_all;" ::: "memory");
  for (int i = 0; i < 16; ++i) out[threadIdx.x * 16 + i] = stage[threadIdx.x * 16 + i];
})",
                                    "partial");
  std::vector<uint8_t> values(17 * 16);
  for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<uint8_t>(i + 1);
  Buffer<uint8_t> in(values), out(values.size());
  launch(partial, grid(1, 17), in, out);
  const auto result = out.download();
  for (size_t i = 0; i < values.size(); ++i) ASSERT_EQ(result[i], i % 16 < i / 16 ? values[i] : 0) << i;
}

TEST_P(AsyncCopy, CopiesFourAndEightBytes) {
  const CUfunction small = kernel(R"(
extern "C" __global__ void small(const int* in, int* out) {
  __shared__ __align__(8) int stage[96];
  const unsigned four = (unsigned)__cvta_generic_to_shared(stage + threadIdx.x);
  const unsigned eight = (unsigned)__cvta_generic_to_shared(stage + 32 + 2 * threadIdx.x);
  asm volatile("cp.async.ca.shared.global [%0], [%1], 4;" :: "r"(four), "l"(in + threadIdx.x) : "memory");
  asm volatile("cp.async.ca.shared.global [%0], [%1], 8;" :: "r"(eight), "l"(in + 32 + 2 * threadIdx.x) : "memory");
  asm volatile("cp.async.commit_group; cp.async.wait_group 0;" ::: "memory");
  __syncthreads();
  for (int i = threadIdx.x; i < 96; i += 32) out[i] = stage[95 - i];
})",
                                  "small");
  std::vector<int32_t> values(96);
  std::iota(values.begin(), values.end(), 5);
  Buffer<int32_t> in(values), out(96);
  launch(small, grid(1, 32), in, out);
  EXPECT_EQ(out.download(), std::vector<int32_t>(values.rbegin(), values.rend()));
}

}  // namespace
}  // namespace simulator::tests
