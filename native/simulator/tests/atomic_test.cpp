// Atomic operations: every one PTX has for global and shared memory, contended by whole grids.
#include <algorithm>

#include "support/device_test.h"

namespace simulator::tests {
namespace {

class Atomic : public KernelTest {
 protected:
  // Applies `statement` in 4 blocks of 128 threads to one cell of `type` (and its twin in shared memory,
  // folded into cells[1 + block]), starting from `start`.
  template <class T>
  std::vector<T> contend(const std::string& type, T start, const std::string& operation) {
    const CUfunction function =
        kernel("extern \"C\" __global__ void contend(" + type + "* cells) {\n  __shared__ " + type +
                   " shared;\n  const unsigned t = threadIdx.x, g = blockIdx.x * blockDim.x + t;\n"
                   "  if (t == 0) shared = cells[1 + blockIdx.x];\n  __syncthreads();\n"
                   "  { " +
                   type + "* p = cells; const unsigned i = g; " + operation + " }\n" + "  { " + type +
                   "* p = &shared; const unsigned i = t; " + operation + " }\n" +
                   "  __syncthreads();\n  if (t == 0) cells[1 + blockIdx.x] = shared;\n}\n",
               "contend");
    Buffer<T> cells(std::vector<T>(5, start));
    launch(function, grid(4, 128), cells);
    return cells.download();
  }
};
FOR_EACH_ARCHITECTURE(Atomic);

TEST_P(Atomic, AddsIntegersOf32And64Bits) {
  const auto narrow = contend<uint32_t>("unsigned", 5, "atomicAdd(p, i);");
  const auto wide = contend<uint64_t>("unsigned long long", 5, "atomicAdd(p, (unsigned long long)i << 30);");
  EXPECT_EQ(narrow[0], 5u + 511 * 512 / 2);
  EXPECT_EQ(wide[0], 5u + (uint64_t{511 * 512 / 2} << 30));
  for (int block = 1; block <= 4; ++block) {
    EXPECT_EQ(narrow[block], 5u + 127 * 128 / 2);
    EXPECT_EQ(wide[block], 5u + (uint64_t{127 * 128 / 2} << 30));
  }
}

TEST_P(Atomic, AddsFloatsWhoseSumsAreExact) {
  const auto single = contend<float>("float", 0.5f, "atomicAdd(p, (float)i);");
  const auto twice = contend<double>("double", 0.25, "atomicAdd(p, (double)i * 0.5);");
  EXPECT_EQ(single[0], 0.5f + 511 * 512 / 2);
  EXPECT_EQ(twice[0], 0.25 + 511 * 512 / 4.0);
  EXPECT_EQ(single[3], 0.5f + 127 * 128 / 2);
  EXPECT_EQ(twice[3], 0.25 + 127 * 128 / 4.0);
}

TEST_P(Atomic, TakesMinimaMaximaAndBits) {
  EXPECT_EQ(contend<int32_t>("int", 3, "atomicMin(p, (int)i - 100);")[0], -100);
  EXPECT_EQ(contend<int32_t>("int", 3, "atomicMax(p, (int)i - 100);")[0], 411);
  EXPECT_EQ(contend<uint32_t>("unsigned", 7, "atomicMin(p, i + 2);")[0], 2u);
  EXPECT_EQ(contend<uint32_t>("unsigned", 7, "atomicMax(p, i * 2);")[2], 254u);
  EXPECT_EQ(contend<int64_t>("long long", 7, "atomicMin(p, -(long long)i << 33);")[0], -(int64_t{511} << 33));
  EXPECT_EQ(contend<uint64_t>("unsigned long long", 7, "atomicMax(p, (unsigned long long)i << 33);")[0],
            uint64_t{511} << 33);
  EXPECT_EQ(contend<uint32_t>("unsigned", 0, "atomicOr(p, 1u << (i & 31));")[0], 0xffffffffu);
  EXPECT_EQ(contend<uint32_t>("unsigned", 0xffffffffu, "atomicAnd(p, ~(1u << (i & 15)));")[0], 0xffff0000u);
  EXPECT_EQ(contend<uint32_t>("unsigned", 0, "atomicXor(p, i);")[0], 0u);
}

TEST_P(Atomic, CountsUpAndDownWithWrapping) {
  // 512 increments modulo 101; 512 decrements through 0 to 100.
  EXPECT_EQ(contend<uint32_t>("unsigned", 0, "atomicInc(p, 100);")[0], 512u % 101);
  EXPECT_EQ(contend<uint32_t>("unsigned", 0, "atomicDec(p, 100);")[0], (101u - 512u % 101) % 101);
}

TEST_P(Atomic, ComparesAndSwapsWithoutLosingUpdates) {
  const std::string loop =
      "unsigned seen = atomicAdd(p, 0u), expected; do { expected = seen; seen = atomicCAS(p, expected, "
      "expected + 3); } "
      "while (seen != expected);";
  const auto cells = contend<uint32_t>("unsigned", 1, loop);
  EXPECT_EQ(cells[0], 1 + 3 * 512u);
  EXPECT_EQ(cells[4], 1 + 3 * 128u);
  const std::string wide =
      "unsigned long long seen = atomicAdd(p, 0ull), expected; do { expected = seen; seen = atomicCAS(p, "
      "expected, expected "
      "+ (1ull << 40)); } while (seen != expected);";
  EXPECT_EQ(contend<uint64_t>("unsigned long long", 1, wide)[0], 1 + (uint64_t{512} << 40));
  const std::string half =
      "unsigned short* q = (unsigned short*)p; unsigned short seen = atomicCAS(q, (unsigned short)0, "
      "(unsigned short)0), expected; do { expected = seen; "
      "seen = atomicCAS(q, expected, (unsigned short)(expected + 1)); } while (seen != expected);";
  EXPECT_EQ(contend<uint32_t>("unsigned", 0x70000, half)[0], 0x70000 + 512u);
}

TEST_P(Atomic, ReturnsTheValueThatWasThere) {
  const CUfunction tickets = kernel(R"(
extern "C" __global__ void tickets(unsigned* counter, unsigned* seen, unsigned* last) {
  seen[atomicAdd(counter, 1)] = 1;
  const unsigned before = atomicExch(last, blockIdx.x * blockDim.x + threadIdx.x);
  atomicAdd(last + 1, before);
})",
                                    "tickets");
  Buffer<uint32_t> counter(std::vector<uint32_t>{0}), seen(std::vector<uint32_t>(1000, 0)),
      last(std::vector<uint32_t>{77, 0});
  launch(tickets, grid(10, 100), counter, seen, last);
  EXPECT_EQ(counter.download()[0], 1000u);
  const auto marks = seen.download();
  EXPECT_EQ(std::count(marks.begin(), marks.end(), 1u), 1000);
  const auto exchanged = last.download();
  EXPECT_EQ(exchanged[0] + exchanged[1],
            77u + 999 * 1000 / 2);  // everything that was put in came out once, or is still there
}

TEST_P(Atomic, ReducesWithoutAResultAndAtEveryScope) {
  const CUfunction reduce = kernel(R"(
extern "C" __global__ void reduce(unsigned* cells) {
  asm volatile("red.global.add.u32 [%0], %1;" :: "l"(cells), "r"(threadIdx.x) : "memory");
  asm volatile("red.relaxed.gpu.global.max.u32 [%0], %1;" :: "l"(cells + 1), "r"(threadIdx.x) : "memory");
  unsigned old;
  asm volatile("atom.acq_rel.sys.global.add.u32 %0, [%1], 1;" : "=r"(old) : "l"(cells + 2) : "memory");
  asm volatile("atom.release.cta.global.or.b32 %0, [%1], %2;" : "=r"(old) : "l"(cells + 3), "r"(1u << (threadIdx.x & 7)) : "memory");
})",
                                   "reduce");
  Buffer<uint32_t> cells(std::vector<uint32_t>(4, 0));
  launch(reduce, grid(2, 64), cells);
  EXPECT_EQ(cells.download(), (std::vector<uint32_t>{2 * 63 * 64 / 2, 63, 128, 255}));
}

TEST_P(Atomic, AddsPairsOfHalves) {
  const CUfunction add = kernel(R"(
extern "C" __global__ void add(unsigned* cells) {
  unsigned old;
  asm volatile("atom.global.add.noftz.f16x2 %0, [%1], %2;" : "=r"(old) : "l"(cells), "r"(0x40003c00u) : "memory");
})",
                                "add");
  Buffer<uint32_t> cells(std::vector<uint32_t>{0});
  launch(add, grid(1, 100), cells);
  EXPECT_EQ(cells.download()[0], 0x5a405640u);  // 200 and 100
}

// A lock that every thread of a warp takes in turn: lanes must make progress independently.
TEST_P(Atomic, LetsLanesOfAWarpSpinOnALock) {
  const CUfunction locked = kernel(R"(
extern "C" __global__ void locked(int* lock, volatile int* counter) {
  bool done = false;
  while (!done) {
    if (atomicCAS(lock, 0, 1) == 0) {
      counter[0] = counter[0] + 1;
      __threadfence();
      atomicExch(lock, 0);
      done = true;
    }
  }
})",
                                   "locked");
  Buffer<int32_t> lock(std::vector<int32_t>{0}), counter(std::vector<int32_t>{0});
  launch(locked, grid(4, 64), lock, counter);
  EXPECT_EQ(counter.download()[0], 256);
}

// The same with the loop that waits inside: the holder must get to run though other lanes spin.
TEST_P(Atomic, LetsLanesWaitInATightLoop) {
  const CUfunction locked = kernel(R"(
extern "C" __global__ void locked(int* lock, volatile int* counter) {
  for (int turn = 0; turn < 3; ++turn) {
    while (atomicCAS(lock, 0, 1) != 0) {}
    counter[0] = counter[0] + 1;
    __threadfence();
    atomicExch(lock, 0);
  }
})",
                                   "locked");
  Buffer<int32_t> lock(std::vector<int32_t>{0}), counter(std::vector<int32_t>{0});
  launch(locked, grid(3, 32), lock, counter);
  EXPECT_EQ(counter.download()[0], 3 * 3 * 32);
}

// Decoupled look-back: each block waits for its predecessor's result. More blocks than fit at once.
TEST_P(Atomic, LetsLanesCountWhileTheyWaitForOthersOfTheirWarp) {
  const CUfunction function = kernel(R"(
extern "C" __global__ void wait(volatile unsigned* flag, unsigned* count, unsigned* out) {
  if (threadIdx.x < 16) {
    while (flag[0] == 0) atomicAdd(count, 1u);
  } else if (threadIdx.x == 16) {
    flag[0] = 1;
  }
  out[threadIdx.x] = 1;
}
// Half of the lanes leave the inner loop in each round of the outer one.
extern "C" __global__ void diverge(volatile unsigned* flag, unsigned* count, unsigned* out) {
  if (threadIdx.x < 16) {
    unsigned round = 0;
    do {
      do {
        atomicAdd(count, 1u);
      } while ((threadIdx.x + ++round) & 1);
    } while (flag[0] == 0);
  } else if (threadIdx.x == 16) {
    flag[0] = 1;
  }
  out[threadIdx.x] = 1;
})",
                                     "wait");
  CUmodule module = nullptr;
  ASSERT_CU(cuFuncGetModule(&module, function));
  CUfunction diverge = nullptr;
  ASSERT_CU(cuModuleGetFunction(&diverge, module, "diverge"));
  for (const CUfunction each : {function, diverge}) {
    Buffer<uint32_t> flag(std::vector<uint32_t>{0}), count(std::vector<uint32_t>{0}), out(32);
    launch(each, grid(1, 32), flag, count, out);
    EXPECT_EQ(out.download(), std::vector<uint32_t>(32, 1));
  }
}

// Blocks that write all the time, or look at the clock, while they wait for one that starts last.
TEST_P(Atomic, LetsBlocksWriteWhileTheyWaitForLaterOnes) {
  const std::vector<std::pair<std::string, std::string>> loops{
      {"count", "atomicAdd(count, 1u);"},
      {"share", "((volatile unsigned*)shared)[k & 31] = k; ++k;"},
      {"keep", "local[k & 3] = k; ++k;"},
      {"watch", "const long long t = clock64(); while (clock64() - t < 100) {}"}};
  std::string source;
  for (const auto& [name, body] : loops)
    source += "extern \"C\" __global__ void " + name +
              "(volatile unsigned* flag, unsigned* count, unsigned* out) {\n"
              "  __shared__ unsigned shared[32];\n  volatile unsigned local[4];\n  unsigned k = 0;\n"
              "  if (blockIdx.x + 1 < gridDim.x) {\n    while (flag[0] == 0) { " +
              body +
              " }\n  } else {\n    flag[0] = 7;\n  }\n"
              "  shared[0] = local[0] = k;\n  out[blockIdx.x] = flag[0];\n}\n";
  const CUfunction first = kernel(source, loops[0].first);
  CUmodule module = nullptr;
  ASSERT_CU(cuFuncGetModule(&module, first));
  for (const auto& [name, body] : loops) {
    CUfunction each = nullptr;
    ASSERT_CU(cuModuleGetFunction(&each, module, name.c_str()));
    Buffer<uint32_t> flag(std::vector<uint32_t>{0}), count(std::vector<uint32_t>{0}), out(4);
    launch(each, grid(4, 1), flag, count, out);
    EXPECT_EQ(out.download(), std::vector<uint32_t>(4, 7)) << name;
  }
}

TEST_P(Atomic, LetsBlocksWaitForTheirPredecessors) {
  const CUfunction scan = kernel(R"(
extern "C" __global__ void scan(const int* in, volatile int* prefix, int* ticket, int* out) {
  __shared__ int block, before;
  __shared__ int sums[64];
  if (threadIdx.x == 0) block = atomicAdd(ticket, 1);
  __syncthreads();
  const int i = block * 64 + threadIdx.x;
  sums[threadIdx.x] = in[i];
  __syncthreads();
  for (int step = 1; step < 64; step *= 2) {
    const int add = threadIdx.x >= step ? sums[threadIdx.x - step] : 0;
    __syncthreads();
    sums[threadIdx.x] += add;
    __syncthreads();
  }
  if (threadIdx.x == 0) {
    int value = 0;
    if (block > 0) do value = prefix[block - 1]; while (value < 0);
    before = value;
    prefix[block] = value + sums[63];
    __threadfence();
  }
  __syncthreads();
  out[i] = before + sums[threadIdx.x];
})",
                                 "scan");
  const int blocks = 300;
  std::vector<int32_t> values(blocks * 64);
  for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<int32_t>(i * 7 % 11);
  Buffer<int32_t> in(values), prefix(std::vector<int32_t>(blocks, -1)), ticket(std::vector<int32_t>{0}),
      out(values.size());
  launch(scan, grid(blocks, 64), in, prefix, ticket, out);
  const auto result = out.download();
  int32_t sum = 0;
  for (size_t i = 0; i < values.size(); ++i) {
    sum += values[i];
    ASSERT_EQ(result[i], sum) << i;
  }
}

}  // namespace
}  // namespace simulator::tests
