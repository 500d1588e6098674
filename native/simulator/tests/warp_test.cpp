// Warp-synchronous instructions: shuffles, votes, matches, reductions, masks and special registers.
#include <bitset>

#include "support/device_test.h"

namespace simulator::tests {
namespace {

class Warp : public KernelTest {
 protected:
  // out[lane] = statement's value, for 32 lanes and an input each.
  std::vector<uint32_t> map(const std::string& body, const std::vector<uint32_t>& inputs) {
    const CUfunction function = kernel(
        "extern \"C\" __global__ void map(const unsigned* in, unsigned* out) {\n  const unsigned lane = "
        "threadIdx.x & 31;\n"
        "  unsigned v = in[threadIdx.x], r = 0;\n" +
            body + "\n  out[threadIdx.x] = r;\n}\n",
        "map");
    Buffer<uint32_t> in(inputs), out(inputs.size());
    launch(function, grid(1, static_cast<unsigned>(inputs.size())), in, out);
    return out.download();
  }
  static std::vector<uint32_t> lanes(uint32_t (*f)(uint32_t)) {
    std::vector<uint32_t> all(32);
    for (uint32_t lane = 0; lane < 32; ++lane) all[lane] = f(lane);
    return all;
  }
};
FOR_EACH_ARCHITECTURE(Warp);

const auto scrambled = [](uint32_t lane) { return lane * 2654435761u ^ 0x1234567u; };

TEST_P(Warp, ShufflesFromIndexUpDownAndAcross) {
  const CUfunction function = kernel(R"(
extern "C" __global__ void shuffles(const unsigned* in, unsigned* out, int amount, int width) {
  const unsigned v = in[threadIdx.x];
  out[threadIdx.x] = __shfl_sync(~0u, v, amount, width);
  out[32 + threadIdx.x] = __shfl_up_sync(~0u, v, amount, width);
  out[64 + threadIdx.x] = __shfl_down_sync(~0u, v, amount, width);
  out[96 + threadIdx.x] = __shfl_xor_sync(~0u, v, amount, width);
})",
                                     "shuffles");
  const auto values = lanes(scrambled);
  Buffer<uint32_t> in(values), out(128);
  for (const uint32_t width : {32u, 16u, 8u, 4u, 2u, 1u})
    for (const uint32_t amount : {0u, 1u, 3u, 5u, 17u, 31u, 40u}) {
      launch(function, grid(1, 32), in, out, amount, width);
      const auto result = out.download();
      for (uint32_t lane = 0; lane < 32; ++lane) {
        const uint32_t base = lane / width * width, within = lane % width;
        const uint32_t n = amount & 31;  // up, down and xor take their operand modulo 32
        const uint32_t other = lane ^ n;
        ASSERT_EQ(result[lane], values[base + amount % width]) << width << " " << amount;
        ASSERT_EQ(result[32 + lane], values[within >= n ? lane - n : lane]) << width << " " << amount;
        ASSERT_EQ(result[64 + lane], values[within + n < width ? lane + n : lane]) << width << " " << amount;
        ASSERT_EQ(result[96 + lane], values[other < base + width ? other : lane]) << width << " " << amount;
      }
    }
}

TEST_P(Warp, TellsWhetherAShuffleStayedInRange) {
  const auto in = lanes([](uint32_t lane) { return lane + 100; });
  const auto out = map(R"(
  unsigned valid;
  asm volatile("{ .reg .pred p; shfl.sync.down.b32 %0|p, %2, 5, 0x1f, 0xffffffff; selp.u32 %1, 1, 0, p; }" : "=r"(r), "=r"(valid) : "r"(v));
  r = r * 2 + valid;)",
                       in);
  for (uint32_t lane = 0; lane < 32; ++lane)
    EXPECT_EQ(out[lane], lane + 5 < 32 ? 2 * (lane + 105) + 1 : 2 * (lane + 100));
}

TEST_P(Warp, ShufflesDoublesAndLongsInTwoParts) {
  const CUfunction function = kernel(R"(
extern "C" __global__ void rotate(const double* in, double* out, long long* longs) {
  out[threadIdx.x] = __shfl_sync(~0u, in[threadIdx.x], threadIdx.x + 1);
  longs[threadIdx.x] = __shfl_xor_sync(~0u, (long long)threadIdx.x << 40, 9);
})",
                                     "rotate");
  std::vector<double> values(32);
  for (int i = 0; i < 32; ++i) values[i] = i * 0.1;
  Buffer<double> in(values), out(32);
  Buffer<int64_t> longs(32);
  launch(function, grid(1, 32), in, out, longs);
  const auto result = out.download();
  const auto shifted = longs.download();
  for (int i = 0; i < 32; ++i) {
    EXPECT_EQ(result[i], values[(i + 1) % 32]);
    EXPECT_EQ(shifted[i], int64_t{i ^ 9} << 40);
  }
}

TEST_P(Warp, VotesOverItsMask) {
  const auto in = lanes([](uint32_t lane) { return uint32_t{lane % 3 == 0}; });
  uint32_t ballot = 0;
  for (uint32_t lane = 0; lane < 32; ++lane) ballot |= in[lane] << lane;
  EXPECT_EQ(map("r = __ballot_sync(~0u, v);", in), std::vector<uint32_t>(32, ballot));
  EXPECT_EQ(map("r = __any_sync(~0u, v) * 2 + __all_sync(~0u, v);", in), std::vector<uint32_t>(32, 2));
  EXPECT_EQ(map("r = __any_sync(~0u, v > 1) * 2 + __all_sync(~0u, v < 2);", in), std::vector<uint32_t>(32, 1));
  // Halves of the warp vote each among themselves.
  const auto halves = map("if (lane < 16) r = __ballot_sync(0xffffu, v); else r = __ballot_sync(0xffff0000u, !v);", in);
  for (uint32_t lane = 0; lane < 32; ++lane)
    EXPECT_EQ(halves[lane], lane < 16 ? ballot & 0xffff : ~ballot & 0xffff0000u);
  EXPECT_EQ(map("unsigned u; asm volatile(\"{ .reg .pred p, q; setp.ne.u32 p, %1, 0; vote.sync.uni.pred q, "
                "p, 0xffffffff; selp.u32 %0, 1, 0, q; }\" : \"=r\"(u) : \"r\"(v)); r = u;",
                in),
            std::vector<uint32_t>(32, 0));
}

TEST_P(Warp, KnowsItsActiveLanes) {
  const auto in = lanes([](uint32_t lane) { return lane; });
  const auto out = map("if (v % 3 == 1) r = __activemask();", in);
  uint32_t members = 0;
  for (uint32_t lane = 0; lane < 32; ++lane) members |= uint32_t{lane % 3 == 1} << lane;
  for (uint32_t lane = 0; lane < 32; ++lane)
    if (lane % 3 == 1) {
      EXPECT_NE(out[lane] & 1u << lane, 0u);
      EXPECT_EQ(out[lane] & ~members, 0u);
    }
}

TEST_P(Warp, MatchesEqualValues) {
  const auto in = lanes([](uint32_t lane) { return lane * lane % 7; });
  const auto any = map("r = __match_any_sync(~0u, v);", in);
  for (uint32_t lane = 0; lane < 32; ++lane) {
    uint32_t same = 0;
    for (uint32_t other = 0; other < 32; ++other) same |= uint32_t{in[other] == in[lane]} << other;
    EXPECT_EQ(any[lane], same);
  }
  EXPECT_EQ(map("int p; r = __match_all_sync(~0u, v, &p) ^ p;", in), std::vector<uint32_t>(32, 0));
  EXPECT_EQ(map("int p; r = __match_all_sync(~0u, 5u, &p) ^ p;", in), std::vector<uint32_t>(32, ~1u));
  EXPECT_EQ(map("r = __match_any_sync(~0u, (unsigned long long)v << 40);", in), any);
}

TEST_P(Warp, ReducesInOneInstruction) {
  const auto in = lanes(scrambled);
  uint32_t sum = 0, all_bits = ~0u, any_bits = 0, parity = 0, least = ~0u, most = 0;
  int32_t lowest = INT32_MAX, highest = INT32_MIN;
  for (const uint32_t v : in) {
    sum += v, all_bits &= v, any_bits |= v, parity ^= v, least = std::min(least, v), most = std::max(most, v);
    lowest = std::min(lowest, static_cast<int32_t>(v)), highest = std::max(highest, static_cast<int32_t>(v));
  }
  const auto everywhere = [](uint32_t value) { return std::vector<uint32_t>(32, value); };
  EXPECT_EQ(map("r = __reduce_add_sync(~0u, v);", in), everywhere(sum));
  EXPECT_EQ(map("r = __reduce_and_sync(~0u, v);", in), everywhere(all_bits));
  EXPECT_EQ(map("r = __reduce_or_sync(~0u, v);", in), everywhere(any_bits));
  EXPECT_EQ(map("r = __reduce_xor_sync(~0u, v);", in), everywhere(parity));
  EXPECT_EQ(map("r = __reduce_min_sync(~0u, v);", in), everywhere(least));
  EXPECT_EQ(map("r = __reduce_max_sync(~0u, v);", in), everywhere(most));
  EXPECT_EQ(map("r = (unsigned)__reduce_min_sync(~0u, (int)v);", in), everywhere(static_cast<uint32_t>(lowest)));
  EXPECT_EQ(map("r = (unsigned)__reduce_max_sync(~0u, (int)v);", in), everywhere(static_cast<uint32_t>(highest)));
}

TEST_P(Warp, ReducesATreeOfShufflesInAPartialWarp) {
  // 20 threads: the last warp has fewer lanes than 32.
  const CUfunction function = kernel(R"(
extern "C" __global__ void sum(const int* in, int* out) {
  int v = in[threadIdx.x];
  const unsigned mask = (1u << 20) - 1;
  for (int step = 16; step > 0; step /= 2) {
    const int other = __shfl_down_sync(mask, v, step);
    if (threadIdx.x + step < 20) v += other;
  }
  if (threadIdx.x == 0) *out = v;
})",
                                     "sum");
  std::vector<int32_t> values(20);
  int32_t sum = 0;
  for (int i = 0; i < 20; ++i) sum += values[i] = i * i + 1;
  Buffer<int32_t> in(values), out(1);
  launch(function, grid(1, 20), in, out);
  EXPECT_EQ(out.download()[0], sum);
}

TEST_P(Warp, SynchronisesSharedMemoryBetweenLanes) {
  const CUfunction function = kernel(R"(
extern "C" __global__ void exchange(int* out) {
  __shared__ int box[64];
  const unsigned lane = threadIdx.x & 31, warp = threadIdx.x / 32;
  for (int r = 0; r < 5; ++r) {
    box[threadIdx.x] = lane * 100 + r;
    __syncwarp();
    out[r * 64 + threadIdx.x] = box[warp * 32 + (lane + 1 + r) % 32];
    __syncwarp();
  }
})",
                                     "exchange");
  Buffer<int32_t> out(320);
  launch(function, grid(1, 64), out);
  const auto result = out.download();
  for (int i = 0; i < 320; ++i) ASSERT_EQ(result[i], (i % 32 + 1 + i / 64) % 32 * 100 + i / 64);
}

// Divergent lanes that meet at the same shuffle come from different paths.
TEST_P(Warp, MeetsAfterDivergentPaths) {
  const auto in = lanes([](uint32_t lane) { return lane; });
  const auto out = map(R"(
  unsigned w;
  if (v & 1) { w = v * 3; for (unsigned i = 0; i < v; ++i) w += i; } else { w = v + 1000; }
  r = __shfl_xor_sync(~0u, w, 1);)",
                       in);
  for (uint32_t lane = 0; lane < 32; ++lane) {
    const uint32_t other = lane ^ 1;
    EXPECT_EQ(out[lane], other & 1 ? other * 3 + other * (other - 1) / 2 : other + 1000);
  }
}

TEST_P(Warp, NumbersThreadsBlocksAndLanes) {
  const CUfunction function = kernel(R"(
extern "C" __global__ void numbers(unsigned* out) {
  unsigned lane, warp, warps, le, lt, ge, gt, eq;
  asm volatile("mov.u32 %0, %%laneid;" : "=r"(lane));
  asm volatile("mov.u32 %0, %%warpid;" : "=r"(warp));
  asm volatile("mov.u32 %0, %%nwarpid;" : "=r"(warps));
  asm volatile("mov.u32 %0, %%lanemask_le;" : "=r"(le));
  asm volatile("mov.u32 %0, %%lanemask_lt;" : "=r"(lt));
  asm volatile("mov.u32 %0, %%lanemask_ge;" : "=r"(ge));
  asm volatile("mov.u32 %0, %%lanemask_gt;" : "=r"(gt));
  asm volatile("mov.u32 %0, %%lanemask_eq;" : "=r"(eq));
  const unsigned block = (blockIdx.z * gridDim.y + blockIdx.y) * gridDim.x + blockIdx.x;
  const unsigned thread = (threadIdx.z * blockDim.y + threadIdx.y) * blockDim.x + threadIdx.x;
  const unsigned at = block * blockDim.x * blockDim.y * blockDim.z + thread;
  const bool masks = le == (gt ^ ~0u) && lt == (ge ^ ~0u) && eq == (le & ge) && eq == 1u << lane;
  out[at] = masks && lane == (thread & 31) && warp < warps ? at + 1 : 0;
})",
                                     "numbers");
  Grid shape;
  shape.blocks = {3, 2, 2};
  shape.threads = {5, 7, 3};
  const unsigned n = 12 * 105;
  Buffer<uint32_t> out(n);
  launch(function, shape, out);
  const auto result = out.download();
  for (unsigned i = 0; i < n; ++i) ASSERT_EQ(result[i], i + 1);
}

TEST_P(Warp, ReadsClocksThatAdvance) {
  const CUfunction function = kernel(R"(
extern "C" __global__ void clocks(unsigned long long* out) {
  const long long a = clock64();
  unsigned long long g, h;
  asm volatile("mov.u64 %0, %%globaltimer;" : "=l"(g));
  volatile int x = 0;
  for (int i = 0; i < 100; ++i) x = x + i;
  asm volatile("mov.u64 %0, %%globaltimer;" : "=l"(h));
  const long long b = clock64();
  out[0] = b > a; out[1] = h >= g;
})",
                                     "clocks");
  Buffer<uint64_t> out(2);
  launch(function, grid(1, 1), out);
  EXPECT_EQ(out.download(), (std::vector<uint64_t>{1, 1}));
}

}  // namespace
}  // namespace simulator::tests
