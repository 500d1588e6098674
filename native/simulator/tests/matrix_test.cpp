// mma.sync, ldmatrix and stmatrix: the fragment layouts of the PTX ISA, with small integers so that every
// product and sum is exact.
#include <functional>

#include "support/device_test.h"
#include "support/small_float.h"

namespace simulator::tests {
namespace {

class Matrix : public KernelTest {};
FOR_EACH_ARCHITECTURE(Matrix);

uint32_t bits_of(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, 4);
  return bits;
}
float float_of(uint32_t bits) {
  float value;
  std::memcpy(&value, &bits, 4);
  return value;
}

struct Product {
  const char* instruction;  // mma.sync.aligned. and this
  int k, element_bits, needed_target;
  bool integer_result;
  std::function<uint32_t(int)> encode_a, encode_b;
  int low = -3, high = 4;  // the range of elements
};

const std::vector<Product>& products() {
  const auto half = [](int v) { return half_format.encode(v, false, false); };
  const auto brain = [](int v) { return bfloat16_format.encode(v, false, false); };
  const auto single = [](int v) { return bits_of(static_cast<float>(v)); };
  const auto byte = [](int v) { return static_cast<uint32_t>(v) & 0xff; };
  const auto e4m3 = [](int v) { return e4m3_format.encode(v, false, true); };
  const auto e5m2 = [](int v) { return e5m2_format.encode(v, false, true); };
  static const std::vector<Product> all{
      {"m16n8k16.row.col.f32.f16.f16.f32", 16, 16, 80, false, half, half},
      {"m16n8k8.row.col.f32.f16.f16.f32", 8, 16, 80, false, half, half},
      {"m16n8k16.row.col.f32.bf16.bf16.f32", 16, 16, 80, false, brain, brain},
      {"m16n8k8.row.col.f32.bf16.bf16.f32", 8, 16, 80, false, brain, brain},
      {"m16n8k8.row.col.f32.tf32.tf32.f32", 8, 32, 80, false, single, single},
      {"m16n8k4.row.col.f32.tf32.tf32.f32", 4, 32, 80, false, single, single},
      {"m16n8k32.row.col.s32.s8.s8.s32", 32, 8, 80, true, byte, byte, -128, 128},
      {"m16n8k32.row.col.s32.u8.u8.s32", 32, 8, 80, true, byte, byte, 0, 256},
      {"m16n8k16.row.col.s32.s8.s8.s32", 16, 8, 80, true, byte, byte, -128, 128},
      {"m16n8k32.row.col.f32.e4m3.e4m3.f32", 32, 8, 89, false, e4m3, e4m3},
      {"m16n8k32.row.col.f32.e5m2.e4m3.f32", 32, 8, 89, false, e5m2, e4m3},
  };
  return all;
}

TEST_P(Matrix, MultipliesFragments) {
  for (const Product& product : products()) {
    if (target() < product.needed_target) continue;
    SCOPED_TRACE(product.instruction);
    const int in_register = 32 / product.element_bits, a_registers = product.k / (2 * in_register),
              b_registers = product.k / (4 * in_register);
    const std::string type = product.integer_result ? "r" : "f", c_type = product.integer_result ? "int" : "float";
    std::string d_list, a_list, b_list, c_list, inputs;
    const auto operands = [](int count, int from) {
      std::string list = "{";
      for (int i = 0; i < count; ++i) list += (i ? ", %" : "%") + std::to_string(from + i);
      return list + "}";
    };
    d_list = operands(4, 0);
    a_list = operands(a_registers, 4);
    b_list = operands(b_registers, 4 + a_registers);
    c_list = operands(4, 4 + a_registers + b_registers);
    for (int i = 0; i < a_registers; ++i) inputs += "\"r\"(a[" + std::to_string(i) + "]), ";
    for (int i = 0; i < b_registers; ++i) inputs += "\"r\"(b[" + std::to_string(i) + "]), ";
    for (int i = 0; i < 4; ++i) inputs += "\"" + type + "\"(c[" + std::to_string(i) + "])" + (i < 3 ? ", " : "");
    const std::string source =
        "extern \"C\" __global__ void multiply(const unsigned* as, const unsigned* bs, const " + c_type + "* cs, " +
        c_type + "* ds) {\n  const unsigned* a = as + threadIdx.x * " + std::to_string(a_registers) +
        ";\n  const unsigned* b = bs + threadIdx.x * " + std::to_string(b_registers) + ";\n  const " + c_type +
        "* c = cs + threadIdx.x * 4;\n  " + c_type + " d[4];\n  asm volatile(\"mma.sync.aligned." +
        product.instruction + " " + d_list + ", " + a_list + ", " + b_list + ", " + c_list + ";\" : \"=" + type +
        "\"(d[0]), \"=" + type + "\"(d[1]), \"=" + type + "\"(d[2]), \"=" + type + "\"(d[3]) : " + inputs +
        ");\n  for (int i = 0; i < 4; ++i) ds[threadIdx.x * 4 + i] = d[i];\n}\n";
    const CUfunction multiply = kernel(source, "multiply");

    const int k = product.k, range = product.high - product.low;
    std::vector<int> a(16 * k), b(k * 8), c(16 * 8);
    uint32_t state = 12345;
    const auto next = [&] {
      return product.low + static_cast<int>((state = state * 1664525u + 1013904223u) >> 16) % range;
    };
    for (int& v : a) v = next();
    for (int& v : b) v = next();
    for (int& v : c) v = next();
    std::vector<uint32_t> a_fragments, b_fragments, c_fragments;
    for (int lane = 0; lane < 32; ++lane) {
      const int group = lane / 4, place = lane % 4;
      for (int r = 0; r < a_registers; ++r) {
        uint32_t word = 0;
        for (int j = 0; j < in_register; ++j)
          word |= product.encode_a(a[(group + 8 * (r & 1)) * k + place * in_register + j + (r / 2) * 4 * in_register])
                  << (j * product.element_bits % 32);
        a_fragments.push_back(word);
      }
      for (int r = 0; r < b_registers; ++r) {
        uint32_t word = 0;
        for (int j = 0; j < in_register; ++j)
          word |= product.encode_b(b[(place * in_register + j + r * 4 * in_register) * 8 + group])
                  << (j * product.element_bits % 32);
        b_fragments.push_back(word);
      }
      for (int r = 0; r < 4; ++r) {
        const int value = c[(group + 8 * (r / 2)) * 8 + place * 2 + r % 2];
        c_fragments.push_back(product.integer_result ? static_cast<uint32_t>(value)
                                                     : bits_of(static_cast<float>(value)));
      }
    }
    Buffer<uint32_t> as(a_fragments), bs(b_fragments), cs(c_fragments), ds(128);
    launch(multiply, grid(1, 32), as, bs, cs, ds);
    const auto d = ds.download();
    for (int lane = 0; lane < 32; ++lane)
      for (int r = 0; r < 4; ++r) {
        const int row = lane / 4 + 8 * (r / 2), column = lane % 4 * 2 + r % 2;
        int sum = c[row * 8 + column];
        for (int n = 0; n < k; ++n) sum += a[row * k + n] * b[n * 8 + column];
        const uint32_t word = d[static_cast<size_t>(lane * 4 + r)];
        ASSERT_EQ(product.integer_result ? static_cast<int>(word) : static_cast<int>(float_of(word)), sum)
            << row << ", " << column;
      }
  }
}

// The loop has more rounds than a group of lanes may go without giving others a turn.
TEST_P(Matrix, WaitsForLanesInALongLoop) {
  const CUfunction function = kernel(R"(
extern "C" __global__ void multiply(int rounds, int* out) {
  int k = 0;
  if (threadIdx.x < 16)
#pragma unroll 1
    for (; k < rounds; ++k) asm volatile("");
  int d[4];
  asm volatile("mma.sync.aligned.m16n8k16.row.col.s32.s8.s8.s32 {%0, %1, %2, %3}, {%4, %4}, {%4}, {%5, %5, %5, %5};"
               : "=r"(d[0]), "=r"(d[1]), "=r"(d[2]), "=r"(d[3]) : "r"(0x01010101), "r"(k));
  for (int i = 0; i < 4; ++i) out[threadIdx.x * 4 + i] = d[i];
})",
                                     "multiply");
  const int rounds = 2500000;
  Buffer<int32_t> out(128);
  launch(function, grid(1, 32), rounds, out);
  const auto result = out.download();
  for (size_t i = 0; i < 128; ++i) ASSERT_EQ(result[i], i < 64 ? 16 + rounds : 16) << i;
}

TEST_P(Matrix, LoadsFragmentsFromSharedMemory) {
  const CUfunction gather = kernel(R"(
extern "C" __global__ void gather(const unsigned short* in, unsigned* out) {
  __shared__ __align__(16) unsigned short tile[4][8][8];
  for (int i = threadIdx.x; i < 256; i += 32) ((unsigned short*)tile)[i] = in[i];
  __syncwarp();
  const unsigned row = (unsigned)__cvta_generic_to_shared(&tile[threadIdx.x / 8][threadIdx.x % 8][0]);
  unsigned a, b, c, d;
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];" : "=r"(a), "=r"(b), "=r"(c), "=r"(d) : "r"(row) : "memory");
  out[threadIdx.x] = a; out[32 + threadIdx.x] = b; out[64 + threadIdx.x] = c; out[96 + threadIdx.x] = d;
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];" : "=r"(a), "=r"(b), "=r"(c), "=r"(d) : "r"(row) : "memory");
  out[128 + threadIdx.x] = a; out[160 + threadIdx.x] = b; out[192 + threadIdx.x] = c; out[224 + threadIdx.x] = d;
  asm volatile("ldmatrix.sync.aligned.m8n8.x1.shared.b16 {%0}, [%1];" : "=r"(a) : "r"(row) : "memory");
  out[256 + threadIdx.x] = a;
  asm volatile("ldmatrix.sync.aligned.m8n8.x2.shared.b16 {%0, %1}, [%2];" : "=r"(a), "=r"(b) : "r"(row) : "memory");
  out[288 + threadIdx.x] = b;
})",
                                   "gather");
  std::vector<uint16_t> values(256);
  for (size_t i = 0; i < 256; ++i) values[i] = static_cast<uint16_t>(i * 257);
  Buffer<uint16_t> in(values);
  Buffer<uint32_t> out(320);
  launch(gather, grid(1, 32), in, out);
  const auto result = out.download();
  const auto at = [&](size_t matrix, size_t row, size_t column) {
    return uint32_t{values[matrix * 64 + row * 8 + column]};
  };
  for (size_t lane = 0; lane < 32; ++lane) {
    const size_t row = lane / 4, column = lane % 4 * 2;
    for (size_t m = 0; m < 4; ++m) {
      ASSERT_EQ(result[32 * m + lane], at(m, row, column) | at(m, row, column + 1) << 16);
      ASSERT_EQ(result[128 + 32 * m + lane], at(m, column, row) | at(m, column + 1, row) << 16);
    }
    ASSERT_EQ(result[256 + lane], result[lane]);
    ASSERT_EQ(result[288 + lane], result[32 + lane]);
  }
}

TEST_P(Matrix, StoresFragmentsToSharedMemory) {
  if (target() < 90) GTEST_SKIP() << "stmatrix needs sm_90";
  const CUfunction scatter = kernel(R"(
extern "C" __global__ void scatter(unsigned short* out) {
  __shared__ __align__(16) unsigned short tile[4][8][8];
  const unsigned row = (unsigned)__cvta_generic_to_shared(&tile[threadIdx.x / 8][threadIdx.x % 8][0]);
  const unsigned r = threadIdx.x / 4, c = threadIdx.x % 4 * 2;
  unsigned v[4];
  for (unsigned m = 0; m < 4; ++m) v[m] = (m * 64 + r * 8 + c) | (m * 64 + r * 8 + c + 1) << 16;
  asm volatile("stmatrix.sync.aligned.m8n8.x4.shared.b16 [%0], {%1, %2, %3, %4};" :: "r"(row), "r"(v[0]), "r"(v[1]), "r"(v[2]), "r"(v[3]) : "memory");
  __syncwarp();
  for (int i = threadIdx.x; i < 256; i += 32) out[i] = ((unsigned short*)tile)[i];
})",
                                    "scatter");
  Buffer<uint16_t> out(256);
  launch(scatter, grid(1, 32), out);
  const auto result = out.download();
  for (size_t i = 0; i < 256; ++i) ASSERT_EQ(result[i], i);
}

class MemoryBarrier : public KernelTest {};
FOR_EACH_ARCHITECTURE(MemoryBarrier);

// mbarrier objects: producers arrive, consumers wait for the phase.
TEST_P(MemoryBarrier, HandsPhasesFromProducersToConsumers) {
  const CUfunction phases = kernel(R"(
__device__ void wait(unsigned bar, unsigned parity) {
  unsigned done;
  do asm volatile("{ .reg .pred p; mbarrier.test_wait.parity.shared.b64 p, [%1], %2; selp.u32 %0, 1, 0, p; }" : "=r"(done) : "r"(bar), "r"(parity) : "memory");
  while (!done);
}
__device__ void arrive(unsigned bar) { asm volatile("{ .reg .b64 s; mbarrier.arrive.shared.b64 s, [%0]; }" :: "r"(bar) : "memory"); }
extern "C" __global__ void phases(int* out, int rounds) {
  __shared__ unsigned long long bars[2];
  __shared__ int box[32];
  const unsigned full = (unsigned)__cvta_generic_to_shared(&bars[0]), empty = (unsigned)__cvta_generic_to_shared(&bars[1]);
  if (threadIdx.x == 0) {
    asm volatile("mbarrier.init.shared.b64 [%0], 32;" :: "r"(full) : "memory");
    asm volatile("mbarrier.init.shared.b64 [%0], 32;" :: "r"(empty) : "memory");
  }
  __syncthreads();
  for (int r = 0; r < rounds; ++r) {
    if (threadIdx.x < 32) {
      if (r > 0) wait(empty, (r - 1) & 1);
      box[threadIdx.x] = r * 100 + threadIdx.x;
      arrive(full);
    } else {
      wait(full, r & 1);
      out[r * 32 + threadIdx.x - 32] = box[63 - threadIdx.x];
      arrive(empty);
    }
  }
})",
                                   "phases");
  const int rounds = 6;
  Buffer<int32_t> out(rounds * 32);
  launch(phases, grid(1, 64), out, rounds);
  const auto result = out.download();
  for (int i = 0; i < rounds * 32; ++i) ASSERT_EQ(result[static_cast<size_t>(i)], i / 32 * 100 + 31 - i % 32);
}

}  // namespace
}  // namespace simulator::tests
