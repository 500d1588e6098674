// Comparison with a second implementation: the same kernels under both libraries, each in a process of its
// own with statistics on. Outputs and what PTX fixes of the counters (lane instructions, bytes) must be
// equal; what it leaves open (where diverged lanes meet again) may differ by 3%.
#include <sys/wait.h>
#include <unistd.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <map>
#include <sstream>

#include "support/device_test.h"

namespace simulator::tests {
namespace {

struct Workload {
  const char* name;
  const char* source;  // a kernel `k(const unsigned* in, unsigned* out)`: one word of output a thread
  Grid shape;
};

const std::vector<Workload>& workloads() {
  static const std::vector<Workload> all{
      {"arithmetic", R"(extern "C" __global__ void k(const unsigned* in, unsigned* out) {
  const unsigned i = blockIdx.x * blockDim.x + threadIdx.x;
  unsigned a = in[i]; float f = (float)(a & 1023) + 1.0f; unsigned long long w = a;
  #pragma unroll 1
  for (int n = 0; n < 50; ++n) { a = a * 1664525u + 1013904223u; f = f * 1.0001f + 0.5f; w = w * 6364136223846793005ull + a; }
  out[i] = a ^ __float_as_uint(f) ^ (unsigned)(w >> 32);
})",
       grid(16, 256)},
      {"divergence", R"(extern "C" __global__ void k(const unsigned* in, unsigned* out) {
  const unsigned i = blockIdx.x * blockDim.x + threadIdx.x;
  unsigned n = in[i] % 97 + 1, steps = 0;
  while (n != 1) { n = n & 1 ? 3 * n + 1 : n >> 1; ++steps; if (steps > 80) break; }
  switch (steps % 5) { case 0: steps += in[i ^ 1]; break; case 1: steps *= 7; break; case 2: steps ^= 0x55; break; default: steps = ~steps; }
  out[i] = steps;
})",
       grid(8, 128)},
      {"bank conflicts", R"(extern "C" __global__ void k(const unsigned* in, unsigned* out) {
  __shared__ unsigned tile[32 * 32]; __shared__ unsigned padded[32 * 33]; __shared__ uint4 wide[256];
  const unsigned t = threadIdx.x, i = blockIdx.x * 256 + t;
  for (unsigned k = t; k < 1024; k += 256) tile[k % 32 * 32 + k / 32] = in[i] + k, padded[k % 32 * 33 + k / 32] = k;
  wide[(t * 5) & 255] = make_uint4(t, t + 1, t + 2, t + 3);
  __syncthreads();
  unsigned sum = 0;
  for (unsigned k = 0; k < 8; ++k) sum += tile[(t * (k + 1)) & 1023] + padded[(t + k * 33) % 1056];
  const uint4 v = wide[t];
  out[i] = sum + v.x * v.w;
})",
       grid(6, 256)},
      {"global access", R"(extern "C" __global__ void k(const unsigned* in, unsigned* out) {
  const unsigned i = blockIdx.x * blockDim.x + threadIdx.x, n = gridDim.x * blockDim.x;
  unsigned sum = in[i * 7 % n] + in[i / 3] + ((const unsigned char*)in)[i] + ((const unsigned short*)in)[n - 1 - i];
  const uint4 v = ((const uint4*)in)[i / 4]; const uint2 w = ((const uint2*)in)[(i * 5) % (n / 2)];
  if (i % 3 == 0) ((unsigned char*)(out + n))[i] = 1;
  if (i % 4 == 0) ((uint4*)(out + 2 * n))[i / 4] = v;
  out[i] = sum + v.y + w.x;
})",
       grid(10, 192)},
      {"atomics", R"(extern "C" __global__ void k(const unsigned* in, unsigned* out) {
  __shared__ unsigned bins[64];
  const unsigned t = threadIdx.x, i = blockIdx.x * blockDim.x + t;
  if (t < 64) bins[t] = 0;
  __syncthreads();
  atomicAdd(&bins[in[i] & 63], 1u);
  __syncthreads();
  out[i] = bins[t & 63];
  const unsigned n = gridDim.x * blockDim.x;
  atomicAdd(out + n + (in[i] & 15), 1u);
  atomicMax(out + n + 16, in[i] >> 16);
})",
       grid(7, 128)},
      {"shuffles", R"(extern "C" __global__ void k(const unsigned* in, unsigned* out) {
  const unsigned i = blockIdx.x * blockDim.x + threadIdx.x;
  unsigned v = in[i];
  for (int s = 16; s > 0; s >>= 1) v += __shfl_xor_sync(~0u, v, s);
  const unsigned b = __ballot_sync(~0u, in[i] & 1), m = __match_any_sync(~0u, in[i] & 3), r = __reduce_add_sync(~0u, in[i]);
  out[i] = v ^ b ^ m ^ r ^ __shfl_up_sync(~0u, in[i], 3);
})",
       grid(5, 96)},
      {"calls and local arrays",
       R"(__device__ __noinline__ unsigned mix(unsigned a, const unsigned* table) { return table[a & 7] * 31 + a; }
__device__ __noinline__ unsigned fib(unsigned n) { return n < 2 ? n : fib(n - 1) + fib(n - 2); }
extern "C" __global__ void k(const unsigned* in, unsigned* out) {
  const unsigned i = blockIdx.x * blockDim.x + threadIdx.x;
  unsigned table[8];
  for (int n = 0; n < 8; ++n) table[n] = in[i] >> n;
  unsigned r = 0;
  for (int n = 0; n < 5; ++n) r = mix(r + i, table);
  out[i] = r + fib(in[i] % 7);
})",
       grid(4, 64)},
      {"asynchronous copies", R"(extern "C" __global__ void k(const unsigned* in, unsigned* out) {
  __shared__ __align__(16) unsigned stage[2][512];
  const unsigned t = threadIdx.x, base = blockIdx.x * 128;
  unsigned sum = 0;
  for (int n = 0; n < 4; ++n) {
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16;" :: "r"((unsigned)__cvta_generic_to_shared(&stage[n & 1][4 * t])), "l"(in + (base + t) % 256 * 4) : "memory");
    asm volatile("cp.async.commit_group; cp.async.wait_group 0;" ::: "memory");
    __syncthreads();
    sum += stage[n & 1][(t * 3 + n) & 511];
  }
  out[base + t] = sum;
})",
       grid(8, 128)},
      {"partial warps", R"(extern "C" __global__ void k(const unsigned* in, unsigned* out) {
  const unsigned i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= 777) return;
  out[i] = i < 300 ? in[i] / 3 : in[i] % 1000 + in[i - 300];
})",
       grid(9, 90)},
      {"conversions", R"(extern "C" __global__ void k(const unsigned* in, unsigned* out) {
  const unsigned i = blockIdx.x * blockDim.x + threadIdx.x;
  const float f = (float)in[i] * 1e-5f; unsigned short h, b;
  asm("cvt.rn.f16.f32 %0, %1;" : "=h"(h) : "f"(f)); asm("cvt.rn.bf16.f32 %0, %1;" : "=h"(b) : "f"(f));
  const double d = (double)f / 3.0; const float s = sqrtf(f) + fminf(f, 100.0f) / 7.0f;
  out[i] = h ^ b << 16 ^ (unsigned)__double2int_rn(d) ^ __float_as_uint(s) ^ __popc(in[i]) ^ __clz(in[i]) ^ __byte_perm(in[i], i, 0x5140);
})",
       grid(6, 128)}};
  return all;
}

constexpr size_t words = 1 << 14;

// Runs in the child process: every workload once; outputs go to the file that KERNELS_COMPARISON_OUTPUT
// names.
class ComparisonChild : public DeviceTest {};

TEST_F(ComparisonChild, RunsTheWorkloads) {
  const char* path = std::getenv("KERNELS_COMPARISON_OUTPUT");
  if (!path) GTEST_SKIP() << "run by the suite Comparison in a process of its own";
  if (cannot_compile_for("compute_80")) return;
  std::ofstream output(path, std::ios::binary);
  for (const Workload& workload : workloads()) {
    std::vector<uint32_t> input(words);
    for (size_t i = 0; i < words; ++i) input[i] = static_cast<uint32_t>(i * 2654435761u ^ (i >> 3));
    Buffer<uint32_t> in(input), out(std::vector<uint32_t>(words, 0));
    launch(kernel("compute_80", workload.source, "k"), workload.shape, in, out);
    const auto result = out.download();
    output.write(reinterpret_cast<const char*>(result.data()), static_cast<std::streamsize>(result.size() * 4));
  }
  ASSERT_TRUE(output.good());
}

using Counters = std::map<std::string, double>;

// The numbers of a JSON object on one line; those of inner objects as "outer.inner". Arrays are passed over.
Counters parse(const std::string& line) {
  Counters counters;
  std::string outer;
  int depth = 0;
  for (size_t at = 0; at < line.size(); ++at) {
    if (line[at] == '{' || line[at] == '[') ++depth;
    if (line[at] == '}' || line[at] == ']') --depth;
    if (line[at] != '"') continue;
    const size_t end = line.find('"', at + 1);
    if (depth <= 2 && end + 1 < line.size() && line[end + 1] == ':') {
      const std::string name = line.substr(at + 1, end - at - 1);
      char* parsed = nullptr;
      const double value = std::strtod(line.c_str() + end + 2, &parsed);
      if (parsed == line.c_str() + end + 2)
        outer = name;
      else
        counters[depth == 1 ? name : outer + "." + name] = value;
    }
    at = end;
  }
  return counters;
}

struct Observation {
  int status = -1;
  std::string outputs;
  std::vector<Counters> launches;
};

Observation run_under(const std::string& library, const std::string& tag) {
  const std::string stem = testing::TempDir() + "simulator-comparison-" + std::to_string(getpid()) + "-" + tag;
  const std::string output = stem + ".bin", statistics = stem + ".json";
  std::remove(statistics.c_str());
  const pid_t child = fork();
  if (child == 0) {
    setenv("KERNELS_DRIVER", library.c_str(), 1);
    setenv("KERNELS_COMPARISON_OUTPUT", output.c_str(), 1);
    setenv("KERNELS_SIM_STATS", statistics.c_str(), 1);
    setenv("PTXSIM_STATS", statistics.c_str(), 1);
    if (!std::freopen("/dev/null", "w", stdout)) _exit(126);
    execl("/proc/self/exe", "simulator-tests", "--gtest_filter=ComparisonChild.*", nullptr);
    _exit(127);
  }
  Observation run;
  waitpid(child, &run.status, 0);
  std::ostringstream bytes;
  bytes << std::ifstream(output, std::ios::binary).rdbuf();
  run.outputs = bytes.str();
  std::ifstream lines(statistics);
  for (std::string line; std::getline(lines, line);) run.launches.push_back(parse(line));
  std::remove(output.c_str());
  std::remove(statistics.c_str());
  return run;
}

TEST(Comparison, AgreesWithTheReferenceInOutputsAndCounters) {
  const char* reference_library = std::getenv("KERNELS_REFERENCE_DRIVER");
  if (!reference_library || !*reference_library)
    GTEST_SKIP() << "KERNELS_REFERENCE_DRIVER names no second driver library to compare with";
  if (!nvrtc_missing().empty()) GTEST_SKIP() << nvrtc_missing();
  const Observation ours = run_under(driver().path, "ours"), reference = run_under(reference_library, "reference");
  ASSERT_EQ(ours.status, 0);
  ASSERT_EQ(reference.status, 0);
  ASSERT_EQ(ours.outputs.size(), workloads().size() * words * 4);
  ASSERT_EQ(ours.launches.size(), workloads().size());
  ASSERT_EQ(reference.launches.size(), workloads().size());
  for (size_t w = 0; w < workloads().size(); ++w) {
    SCOPED_TRACE(workloads()[w].name);
    EXPECT_EQ(ours.outputs.compare(w * words * 4, words * 4, reference.outputs, w * words * 4, words * 4), 0)
        << "outputs differ";
    const Counters &a = ours.launches[w], &b = reference.launches[w];
    const auto value = [](const Counters& of, const char* name) {
      const auto found = of.find(name);
      EXPECT_NE(found, of.end()) << name << " is missing";
      return found == of.end() ? -1.0 : found->second;
    };
    // By class, moves apart: ptxsim turns a move from a special register, and some others, into two of its
    // own and counts both.
    for (const char* name : {"class_lanes.int",
                             "class_lanes.fp32",
                             "class_lanes.fp16",
                             "class_lanes.fp64",
                             "class_lanes.ld_global",
                             "class_lanes.st_global",
                             "class_lanes.ld_shared",
                             "class_lanes.st_shared",
                             "class_lanes.local",
                             "class_lanes.branch",
                             "class_lanes.barrier",
                             "class_lanes.shuffle",
                             "class_lanes.sfu",
                             "class_lanes.atom",
                             "class_lanes.cvt",
                             "class_lanes.param",
                             "class_lanes.async",
                             "class_lanes.other",
                             "global_load_bytes",
                             "global_store_bytes",
                             "dram_load_bytes",
                             "dram_store_bytes",
                             "atomic_bytes",
                             "local_bytes",
                             "mma_flop",
                             "static_smem",
                             "dynamic_smem"})
      EXPECT_EQ(value(a, name), value(b, name)) << name;
    EXPECT_LE(value(a, "class_lanes.move"), value(b, "class_lanes.move"));
    EXPECT_EQ(value(a, "lane_instr") - value(a, "class_lanes.move"),
              value(b, "lane_instr") - value(b, "class_lanes.move"));
    const auto expect_near = [](const char* name, double x, double y) {
      EXPECT_NEAR(x, y, 0.03 * std::max(x, y)) << name;
    };
    expect_near("warp_instr without moves", value(a, "warp_instr") - value(a, "class.move"),
                value(b, "warp_instr") - value(b, "class.move"));
    for (const char* name : {"global_load_sectors", "global_store_sectors", "atomic_sectors", "shared_requests",
                             "shared_wavefronts", "shared_conflict_wavefronts"})
      expect_near(name, value(a, name), value(b, name));
  }
}

}  // namespace
}  // namespace simulator::tests
