// Branches, loops, switches, calls: the lanes of a warp each take their own way.
#include "support/device_test.h"

namespace simulator::tests {
namespace {

class ControlFlow : public KernelTest {
 protected:
  // out[i] = body's r for v = i, over 4 blocks of 96 threads.
  std::vector<int32_t> map(const std::string& prelude, const std::string& body) {
    const CUfunction function = kernel(prelude +
                                           "\nextern \"C\" __global__ void map(int* out) {\n  const int i = "
                                           "blockIdx.x * blockDim.x + threadIdx.x;\n  int v = i, r = 0;\n" +
                                           body + "\n  out[i] = r;\n}\n",
                                       "map");
    Buffer<int32_t> out(4 * 96);
    launch(function, grid(4, 96), out);
    return out.download();
  }
  template <class F>
  void expect(const std::vector<int32_t>& results, F&& reference) {
    for (int i = 0; i < 4 * 96; ++i) ASSERT_EQ(results[static_cast<size_t>(i)], reference(i)) << i;
  }
};
FOR_EACH_ARCHITECTURE(ControlFlow);

int32_t collatz(int v) {
  int steps = 0;
  for (int n = v + 1; n != 1; ++steps) n = n % 2 ? 3 * n + 1 : n / 2;
  return steps;
}

TEST_P(ControlFlow, LoopsADifferentNumberOfTimesInEachLane) {
  expect(map("", "for (int n = v + 1; n != 1; ++r) n = n % 2 ? 3 * n + 1 : n / 2;"), collatz);
}

TEST_P(ControlFlow, NestsDivergentBranches) {
  const std::string body = R"(
  if (v & 1) {
    if (v & 2) { r = v * 3; if (v & 4) r ^= 0x55; else r += 7; }
    else { for (int k = 0; k < (v & 15); ++k) { if (k == 9) continue; if (k * k > v) break; r += k ^ v; } }
  } else if (v % 3 == 0) { r = -v; do { r += 11; } while (r < 0 && (r & 63)); }
  else { r = v & 8 ? v << 2 : v >> 1; }
  r = r * 2 + (v & 1);)";
  expect(map("", body), [](int v) {
    int r = 0;
    if (v & 1) {
      if (v & 2) {
        r = v * 3;
        if (v & 4)
          r ^= 0x55;
        else
          r += 7;
      } else {
        for (int k = 0; k < (v & 15); ++k) {
          if (k == 9) continue;
          if (k * k > v) break;
          r += k ^ v;
        }
      }
    } else if (v % 3 == 0) {
      r = -v;
      do {
        r += 11;
      } while (r < 0 && (r & 63));
    } else {
      r = v & 8 ? v << 2 : v >> 1;
    }
    return r * 2 + (v & 1);
  });
}

const char* const switch_body = R"(
  switch (v % 13) {
    case 0: r = v + 5; break;
    case 1: r = v * v; break;
    case 2: r = ~v;
    case 3: r += 3; break;
    case 4: r = v ^ 0x77; break;
    case 5: for (int k = 0; k < v % 7; ++k) r += v - k; break;
    case 6: r = v << 3; break;
    case 7: r = v / 3; break;
    case 8: r = -v; break;
    case 9: r = v & 0xf0; break;
    case 10: r = v | 0xf; break;
    default: r = 999 - v;
  })";

int32_t switch_reference(int v) {
  int r = 0;
  switch (v % 13) {
    case 0:
      r = v + 5;
      break;
    case 1:
      r = v * v;
      break;
    case 2:
      r = ~v;
      [[fallthrough]];
    case 3:
      r += 3;
      break;
    case 4:
      r = v ^ 0x77;
      break;
    case 5:
      for (int k = 0; k < v % 7; ++k) r += v - k;
      break;
    case 6:
      r = v << 3;
      break;
    case 7:
      r = v / 3;
      break;
    case 8:
      r = -v;
      break;
    case 9:
      r = v & 0xf0;
      break;
    case 10:
      r = v | 0xf;
      break;
    default:
      r = 999 - v;
  }
  return r;
}

TEST_P(ControlFlow, SwitchesByJumpTable) { expect(map("", switch_body), switch_reference); }

TEST_P(ControlFlow, BranchesByIndexInPtx) {
  const std::string body = R"(
  asm volatile("{\n\t.reg .u32 t;\n\trem.u32 t, %1, 3;\n"
               "targets: .branchtargets first, second, third;\n\tbrx.idx t, targets;\n"
               "first:\n\tadd.s32 %0, %1, 100;\n\tbra done;\n"
               "second:\n\tmul.lo.s32 %0, %1, 5;\n\tbra done;\n"
               "third:\n\tneg.s32 %0, %1;\n"
               "done:\n\t}" : "=r"(r) : "r"(v));)";
  expect(map("", body), [](int v) { return v % 3 == 0 ? v + 100 : v % 3 == 1 ? v * 5 : -v; });
}

TEST_P(ControlFlow, LeavesEarly) {
  const CUfunction function = kernel(R"(
extern "C" __global__ void leave(int* out, int n) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= n) return;
  int r = 0;
  for (int k = 0; k < 100; ++k) {
    r += k;
    if (k == i % 50) { out[i] = r; return; }
  }
  out[i] = -1;
})",
                                     "leave");
  Buffer<int32_t> out(std::vector<int32_t>(256, 12345));
  launch(function, grid(2, 128), out, 200);
  const auto result = out.download();
  for (int i = 0; i < 256; ++i) ASSERT_EQ(result[i], i < 200 ? i % 50 * (i % 50 + 1) / 2 : 12345);
}

TEST_P(ControlFlow, CallsFunctionsThatAreNotInlined) {
  const std::string prelude = R"(
struct Pair { int a; long long b; float c; };
__device__ __noinline__ int twice(int x) { return x * 2 + 1; }
__device__ __noinline__ Pair make(int x, const Pair& p) { Pair q; q.a = twice(x) + p.a; q.b = p.b * x; q.c = p.c + x; return q; }
__device__ __noinline__ void add(int* to, int amount) { *to += amount; }
)";
  const std::string body = R"(
  Pair p{v, 7, 0.5f};
  if (v % 3) p = make(v, p);
  int local = 0;
  add(&local, p.a); add(&local, (int)p.b);
  r = local + (int)(p.c * 2);)";
  expect(map(prelude, body), [](int v) {
    struct {
      int a;
      int64_t b;
      float c;
    } p{v, 7, 0.5f};
    if (v % 3) p = {v * 2 + 1 + v, 7 * int64_t{v}, 0.5f + static_cast<float>(v)};
    return p.a + static_cast<int>(p.b) + static_cast<int>(p.c * 2);
  });
}

TEST_P(ControlFlow, Recurses) {
  const std::string prelude = R"(
__device__ __noinline__ int ackermann(int m, int n) { return m == 0 ? n + 1 : n == 0 ? ackermann(m - 1, 1) : ackermann(m - 1, ackermann(m, n - 1)); }
__device__ __noinline__ int fib(int n) { return n < 2 ? n : fib(n - 1) + fib(n - 2); }
)";
  expect(map(prelude, "r = v % 5 == 0 ? ackermann(2, v % 4) : fib(v % 12);"), [](int v) {
    if (v % 5 == 0) return 2 * (v % 4) + 3;
    int a = 0, b = 1;
    for (int i = 0; i < v % 12; ++i) b = std::exchange(a, b) + b;
    return a;
  });
}

TEST_P(ControlFlow, CallsThroughFunctionPointers) {
  const std::string prelude = R"(
typedef int (*Operation)(int, int);
__device__ __noinline__ int plus(int a, int b) { return a + b; }
__device__ __noinline__ int minus(int a, int b) { return a - b; }
__device__ __noinline__ int times(int a, int b) { return a * b; }
__device__ Operation operations[3] = {plus, minus, times};
)";
  expect(map(prelude, "Operation f = operations[v % 3]; r = f(v, 9) + 1;"), [](int v) {
    return (v % 3 == 0 ? v + 9 : v % 3 == 1 ? v - 9 : v * 9) + 1;
  });
}

TEST_P(ControlFlow, CallsVirtualFunctions) {
  const std::string prelude = R"(
struct Shape { __device__ virtual int area(int x) const = 0; };
struct Square : Shape { __device__ int area(int x) const override { return x * x; } };
struct Strip : Shape { int width; __device__ Strip(int w) : width(w) {} __device__ int area(int x) const override { return x * width; } };
__device__ __noinline__ int measure(const Shape& s, int x) { return s.area(x); }
)";
  expect(map(prelude,
             "Square a; Strip b(v % 7); const Shape* s = v & 1 ? (const Shape*)&a : (const Shape*)&b; r = "
             "measure(*s, v);"),
         [](int v) { return v & 1 ? v * v : v * (v % 7); });
}

TEST_P(ControlFlow, DestroysThroughVirtualDestructors) {
  const std::string prelude = R"(
struct Shape { int* left; __device__ virtual int area(int x) const { return x; } __device__ virtual ~Shape() { *left += 1; } };
struct Square : Shape { __device__ int area(int x) const override { return x * x; } __device__ ~Square() override { *left += 10; } };
__device__ __noinline__ int measure(const Shape& s, int x) { return s.area(x); }
)";
  expect(map(prelude,
             "int left = 0, area; { Square a; Shape b; a.left = b.left = &left; "
             "area = measure(v & 1 ? (const Shape&)a : b, v); } r = area + left;"),
         [](int v) { return (v & 1 ? v * v : v) + 12; });
}

TEST_P(ControlFlow, AllocatesInsideKernels) {
  // As often as the heap of 8 MiB would be used up if nothing were freed.
  const std::string body = R"(
  for (int k = 0; k < 8; ++k) {
    int* volatile p = (int*)malloc(8192);
    int* volatile q = (int*)malloc(16);
    if (!p || !q) break;
    for (int j = 0; j < 2048; j += 64) p[j] = v + j;
    q[3] = k;
    r += p[64 * k] - q[3];
    free(p);
    free(q);
  }
  if (malloc((size_t)1 << 30)) r = -1;)";
  expect(map("", body), [](int v) { return 8 * v + 63 * 28; });
}

TEST_P(ControlFlow, PredicatesSingleInstructions) {
  const std::string body = R"(
  asm volatile("{ .reg .pred p, q; setp.lt.s32 p, %1, 100; setp.eq.and.s32 q, %2, 1, p;\n\t"
               "mov.s32 %0, 5; @p add.s32 %0, %0, %1; @!p sub.s32 %0, %0, %1; @q mul.lo.s32 %0, %0, 3; }" : "=&r"(r) : "r"(v), "r"(v & 1));)";
  expect(map("", body), [](int v) {
    int r = 5;
    r = v < 100 ? r + v : r - v;
    return v < 100 && (v & 1) ? r * 3 : r;
  });
}

TEST_P(ControlFlow, ComputesPredicatesBothWays) {
  const std::string body = R"(
  asm volatile("{ .reg .pred p, q, s, t; setp.lt.s32 p|q, %1, 50; and.pred s, p, q; xor.pred t, p, q; not.pred q, q;\n\t"
               "selp.s32 %0, 1, 0, p; @s add.s32 %0, %0, 100; @t add.s32 %0, %0, 10; @q add.s32 %0, %0, 1000; }" : "=&r"(r) : "r"(v));)";
  expect(map("", body), [](int v) { return (v < 50) + 10 + (v < 50 ? 1000 : 0); });
}

}  // namespace
}  // namespace simulator::tests
