// simulator-bench: how fast the simulator executes. Prints lane instructions a second of one host thread for
// kernels of one kind each; the number of instructions is what the simulator itself counts. KERNELS_DRIVER
// measures another library.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>

#include "../support/driver.h"
#include "../support/nvrtc.h"

namespace {

using simulator::tests::driver;

struct Kernel {
  const char* name;
  const char* body;  // statements over unsigned a, b; float f, g; unsigned long long w; repeated in a loop
  int repetitions;
};

const Kernel kernels[] = {
    {"integer arithmetic",
     "a = a * 1664525u + b; b = (b ^ a) + 0x9e3779b9u; a = (a << 5) ^ (b >> 3); b = max(a, b) - (a & 0xff);", 4000},
    {"float arithmetic",
     "f = f * 1.0001f + g; g = g * 0.9999f - f; f = fminf(f, 1e10f) + 0.5f; g = fmaxf(g, -1e10f) * 0.5f;", 4000},
    {"64-bit integers", "w = w * 6364136223846793005ull + a; a = (unsigned)(w >> 33) ^ b; w ^= w >> 17;", 4000},
    {"shared memory", "tile[threadIdx.x] = a; a = a * 3 + tile[threadIdx.x ^ 1]; b += tile[(threadIdx.x + 5) & 255];",
     2000},
    {"global memory", "a = a * 3 + p[(a & 1023) + threadIdx.x]; p[2048 + threadIdx.x] = a; b += p[threadIdx.x];", 2000},
    {"divergence",
     "if (a & 1) { a = a * 3 + 1; b += a; } else { a >>= 1; b ^= a; } if ((b & 7) == threadIdx.x % 8) a += "
     "12345u;",
     1500},
    {"shuffles", "a += __shfl_xor_sync(~0u, a, 1); b += __shfl_down_sync(~0u, b, 4); a ^= b;", 2000},
};

void check(CUresult result, const char* call) {
  if (result != CUDA_SUCCESS)
    throw std::runtime_error(std::string(call) + " answered " + simulator::tests::describe(result));
}
#define CHECK(call) check(driver().call, #call)

std::string source_of(const Kernel& kernel) {
  return "extern \"C\" __global__ void k(unsigned* p, int n) {\n  __shared__ unsigned tile[256];\n"
         "  unsigned a = threadIdx.x, b = blockIdx.x + 1; float f = (float)a, g = 1.0f; unsigned long long w "
         "= a;\n"
         "  tile[threadIdx.x] = 0;\n  #pragma unroll 1\n  for (int i = 0; i < n; ++i) { " +
         std::string(kernel.body) +
         " }\n  p[blockIdx.x * 256 + threadIdx.x] = a + b + (unsigned)f + (unsigned)g + (unsigned)w + "
         "tile[threadIdx.x];\n}\n";
}

double counted_lanes(const std::string& statistics) {
  std::ifstream file(statistics);
  std::string line, last;
  while (std::getline(file, line)) last = line;
  const size_t at = last.find("\"lane_instr\":");
  if (at == std::string::npos) throw std::runtime_error("no lane_instr in " + statistics);
  return std::strtod(last.c_str() + at + 13, nullptr);
}

}  // namespace

int main() try {
  const std::string statistics =
      std::filesystem::temp_directory_path() /
      ("simulator-bench-" + std::to_string(std::chrono::steady_clock::now().time_since_epoch().count()) + ".json");
  for (const char* prefix : {"KERNELS_SIM_", "PTXSIM_"}) {
    setenv((std::string(prefix) + "STATS").c_str(), statistics.c_str(), 1);
    setenv((std::string(prefix) + "THREADS").c_str(), "1", 1);
  }
  if (!simulator::tests::nvrtc_missing().empty()) throw std::runtime_error(simulator::tests::nvrtc_missing());
  CHECK(cuInit(0));
  CUcontext context = nullptr;
  CHECK(cuCtxCreate_v2(&context, 0, 0));
  CUdeviceptr memory = 0;
  CHECK(cuMemAlloc_v2(&memory, 1 << 20));
  CHECK(cuMemsetD8_v2(memory, 0, 1 << 20));
  std::printf("%s, one thread\n%-20s %14s %10s %16s\n", driver().path.c_str(), "kernel", "lane instr.", "ms",
              "lane instr. / s");
  for (const Kernel& kernel : kernels) {
    CUmodule module = nullptr;
    CUfunction function = nullptr;
    CHECK(cuModuleLoadData(&module, simulator::tests::compile({source_of(kernel), "compute_80", {}, {}}).ptx.c_str()));
    CHECK(cuModuleGetFunction(&function, module, "k"));
    int n = kernel.repetitions;
    void* arguments[] = {&memory, &n};
    double best = 1e9;
    for (int round = 0; round < 3; ++round) {
      const auto start = std::chrono::steady_clock::now();
      CHECK(cuLaunchKernel(function, 8, 1, 1, 256, 1, 1, 0, nullptr, arguments, nullptr));
      CHECK(cuCtxSynchronize());
      best = std::min(best, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
    }
    const double lanes = counted_lanes(statistics);
    std::printf("%-20s %14.0f %10.2f %16.3e\n", kernel.name, lanes, best * 1e3, lanes / best);
    CHECK(cuModuleUnload(module));
  }
  CHECK(cuMemFree_v2(memory));
  CHECK(cuCtxDestroy_v2(context));
  std::remove(statistics.c_str());
  return 0;
} catch (const std::exception& failure) {
  std::fprintf(stderr, "simulator-bench: %s\n", failure.what());
  return 1;
}
