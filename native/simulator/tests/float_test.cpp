// Floating point against the processor's IEEE arithmetic, in every rounding mode PTX has.
#include <cfenv>
#include <limits>

#include "support/expressions.h"

namespace simulator::tests {
namespace {

class Float : public ExpressionTest {};
FOR_EACH_ARCHITECTURE(Float);

template <class T>
std::vector<T> edges() {
  using L = std::numeric_limits<T>;
  std::vector<T> values{T(0),
                        T(1),
                        T(1.5),
                        T(0.1),
                        T(2) / T(3),
                        T(1e10),
                        T(123456.789),
                        T(0.5),
                        T(2.5),
                        L::max(),
                        L::min(),
                        L::denorm_min(),
                        L::min() - L::denorm_min(),
                        L::min() * T(1.5),
                        L::epsilon(),
                        T(1) + L::epsilon(),
                        T(1) - L::epsilon() / 2,
                        std::sqrt(L::max()),
                        std::sqrt(L::min()),
                        L::infinity()};
  const size_t positive = values.size();
  for (size_t i = 0; i < positive; ++i) values.push_back(-values[i]);
  values.push_back(L::quiet_NaN());
  return values;
}

// The processor's result under a rounding mode. Operands and results pass through volatiles so that the
// compiler computes nothing itself.
template <class T, class F>
T rounded(int mode, F&& compute) {
  const int before = std::fegetround();
  std::fesetround(mode);
  volatile T result = compute();
  std::fesetround(before);
  return result;
}

struct Mode {
  const char* suffix;
  int value;
};
const Mode modes[] = {{"rn", FE_TONEAREST}, {"rz", FE_TOWARDZERO}, {"ru", FE_UPWARD}, {"rd", FE_DOWNWARD}};

template <class T>
T flushed(T v) {
  return std::fpclassify(v) == FP_SUBNORMAL ? std::copysign(T(0), v) : v;
}

template <class T>
Expressions<T, T, T> binary_operations(const char* letter) {
  Expressions<T, T, T> all;
  for (const Mode& mode : modes) {
    const std::string prefix = std::string("__") + letter;
    all.push_back({prefix + "add_" + mode.suffix + "(a, b)", [=](T a, T b) {
                     volatile T x = a, y = b;
                     return rounded<T>(mode.value, [&] { return x + y; });
                   }});
    all.push_back({prefix + "sub_" + mode.suffix + "(a, b)", [=](T a, T b) {
                     volatile T x = a, y = b;
                     return rounded<T>(mode.value, [&] { return x - y; });
                   }});
    all.push_back({prefix + "mul_" + mode.suffix + "(a, b)", [=](T a, T b) {
                     volatile T x = a, y = b;
                     return rounded<T>(mode.value, [&] { return x * y; });
                   }});
    all.push_back({prefix + "div_" + mode.suffix + "(a, b)", [=](T a, T b) {
                     volatile T x = a, y = b;
                     return rounded<T>(mode.value, [&] { return x / y; });
                   }});
  }
  return all;
}

TEST_P(Float, RoundsSinglePrecisionInEveryMode) {
  check(binary_operations<float>("f"), pairs(edges<float>(), edges<float>()));
}
TEST_P(Float, RoundsDoublePrecisionInEveryMode) {
  check(binary_operations<double>("d"), pairs(edges<double>(), edges<double>()));
}

TEST_P(Float, FusesMultiplyAndAddInEveryMode) {
  Expressions<float, float, float, float> single;
  Expressions<double, double, double, double> twice;
  for (const Mode& mode : modes) {
    single.push_back({std::string("__fmaf_") + mode.suffix + "(a, b, c)", [=](float a, float b, float c) {
                        volatile float x = a, y = b, z = c;
                        return rounded<float>(mode.value, [&] { return std::fma(x, y, z); });
                      }});
    twice.push_back({std::string("__fma_") + mode.suffix + "(a, b, c)", [=](double a, double b, double c) {
                       volatile double x = a, y = b, z = c;
                       return rounded<double>(mode.value, [&] { return std::fma(x, y, z); });
                     }});
  }
  const auto few = [](auto type) {
    using T = decltype(type);
    using L = std::numeric_limits<T>;
    return std::vector<T>{T(0),   T(-0.0),  T(1),      T(-1),           T(1) + L::epsilon(), T(-0.1),
                          T(3e7), L::max(), -L::min(), L::denorm_min(), L::infinity(),       L::quiet_NaN()};
  };
  check(single, triples(few(0.0f), few(0.0f), few(0.0f)));
  check(twice, triples(few(0.0), few(0.0), few(0.0)));
}

TEST_P(Float, TakesRootsAndReciprocals) {
  Expressions<float, float> single;
  Expressions<double, double> twice;
  for (const Mode& mode : modes) {
    single.push_back({std::string("__fsqrt_") + mode.suffix + "(a)", [=](float a) {
                        volatile float x = a;
                        return rounded<float>(mode.value, [&] { return std::sqrt(x); });
                      }});
    single.push_back({std::string("__frcp_") + mode.suffix + "(a)", [=](float a) {
                        volatile float x = a;
                        return rounded<float>(mode.value, [&] { return 1.0f / x; });
                      }});
    twice.push_back({std::string("__dsqrt_") + mode.suffix + "(a)", [=](double a) {
                       volatile double x = a;
                       return rounded<double>(mode.value, [&] { return std::sqrt(x); });
                     }});
    twice.push_back({std::string("__drcp_") + mode.suffix + "(a)", [=](double a) {
                       volatile double x = a;
                       return rounded<double>(mode.value, [&] { return 1.0 / x; });
                     }});
  }
  check(single, singles(edges<float>()));
  check(twice, singles(edges<double>()));
}

TEST_P(Float, FlushesDenormalsWhenAskedTo) {
  check<float, float, float>(
      {{"a + b", [](float a, float b) { return flushed(flushed(a) + flushed(b)); }},
       {"a * b", [](float a, float b) { return flushed(flushed(a) * flushed(b)); }},
       {"fmaf(a, b, a)", [](float a, float b) { return flushed(std::fma(flushed(a), flushed(b), flushed(a))); }}},
      pairs(edges<float>(), edges<float>()), "", {"--ftz=true", "--fmad=false"});
}

// setp.ftz flushes its operands (PTX ISA, setp). The independent implementation that these tests are run on
// does not.
TEST_P(Float, FlushesDenormalsInComparisons) {
  if (!driver().ours()) GTEST_SKIP() << "known difference of other implementations: setp.ftz";
  check<uint32_t, float, float>({{"a < b", [](float a, float b) { return uint32_t{flushed(a) < flushed(b)}; }},
                                 {"a == b", [](float a, float b) { return uint32_t{flushed(a) == flushed(b)}; }}},
                                pairs(edges<float>(), edges<float>()), "", {"--ftz=true"});
}

TEST_P(Float, TakesMinimaAndMaximaPastNan) {
  // PTX: the other operand where one is NaN; -0 is less than +0.
  const auto lesser = [](auto a, auto b) {
    if (std::isnan(a)) return b;
    if (std::isnan(b)) return a;
    if (a == b) return std::signbit(a) ? a : b;
    return a < b ? a : b;
  };
  const auto greater = [](auto a, auto b) {
    if (std::isnan(a)) return b;
    if (std::isnan(b)) return a;
    if (a == b) return std::signbit(a) ? b : a;
    return a > b ? a : b;
  };
  const std::string nan_prelude = R"(
__device__ float min_nan(float a, float b) { float r; asm("min.NaN.f32 %0, %1, %2;" : "=f"(r) : "f"(a), "f"(b)); return r; }
__device__ float max_nan(float a, float b) { float r; asm("max.NaN.f32 %0, %1, %2;" : "=f"(r) : "f"(a), "f"(b)); return r; }
)";
  check<float, float, float>(
      {{"fminf(a, b)", lesser},
       {"fmaxf(a, b)", greater},
       {"min_nan(a, b)", [=](float a, float b) { return std::isnan(a) || std::isnan(b) ? NAN : lesser(a, b); }},
       {"max_nan(a, b)", [=](float a, float b) { return std::isnan(a) || std::isnan(b) ? NAN : greater(a, b); }},
       {"copysignf(a, b)", [](float a, float b) { return std::copysign(a, b); }},
       {"fabsf(a)", [](float a, float) { return std::fabs(a); }},
       {"-a", [](float a, float) { return -a; }}},
      pairs(edges<float>(), edges<float>()), nan_prelude);
  check<double, double, double>({{"fmin(a, b)", lesser}, {"fmax(a, b)", greater}},
                                pairs(edges<double>(), edges<double>()));
}

TEST_P(Float, ComparesOrderedAndUnordered) {
  const std::string prelude = R"(
#define COMPARE(name) __device__ unsigned name(float a, float b) { unsigned r; asm("{ .reg .pred p; setp." #name ".f32 p, %1, %2; selp.u32 %0, 1, 0, p; }" : "=r"(r) : "f"(a), "f"(b)); return r; }
COMPARE(eq) COMPARE(ne) COMPARE(lt) COMPARE(le) COMPARE(gt) COMPARE(ge)
COMPARE(equ) COMPARE(neu) COMPARE(ltu) COMPARE(leu) COMPARE(gtu) COMPARE(geu) COMPARE(num) COMPARE(nan)
)";
  const auto unordered = [](float a, float b) { return std::isnan(a) || std::isnan(b); };
  using R = uint32_t;
  check<R, float, float>({{"eq(a, b)", [](float a, float b) { return R{a == b}; }},
                          {"ne(a, b)", [=](float a, float b) { return R{!unordered(a, b) && a != b}; }},
                          {"lt(a, b)", [](float a, float b) { return R{a < b}; }},
                          {"le(a, b)", [](float a, float b) { return R{a <= b}; }},
                          {"gt(a, b)", [](float a, float b) { return R{a > b}; }},
                          {"ge(a, b)", [](float a, float b) { return R{a >= b}; }},
                          {"equ(a, b)", [=](float a, float b) { return R{unordered(a, b) || a == b}; }},
                          {"neu(a, b)", [=](float a, float b) { return R{a != b}; }},
                          {"ltu(a, b)", [=](float a, float b) { return R{unordered(a, b) || a < b}; }},
                          {"leu(a, b)", [=](float a, float b) { return R{unordered(a, b) || a <= b}; }},
                          {"gtu(a, b)", [=](float a, float b) { return R{unordered(a, b) || a > b}; }},
                          {"geu(a, b)", [=](float a, float b) { return R{unordered(a, b) || a >= b}; }},
                          {"num(a, b)", [=](float a, float b) { return R{!unordered(a, b)}; }},
                          {"nan(a, b)", [=](float a, float b) { return R{unordered(a, b)}; }},
                          {"isnan(a) ? 3u : isinf(a) ? 2u : 1u",
                           [](float a, float) { return std::isnan(a)   ? 3u
                                                       : std::isinf(a) ? 2u
                                                                       : 1u; }}},
                         pairs(edges<float>(), edges<float>()), prelude);
}

template <class I>
I saturated(double value, int mode) {
  if (std::isnan(value)) return 0;
  const double whole = rounded<double>(mode, [&] {
    volatile double v = value;
    return std::nearbyint(v);
  });
  using L = std::numeric_limits<I>;
  const double top = std::ldexp(1.0, L::digits);
  if (whole >= top) return L::max();
  if (whole < (L::is_signed ? -top : 0.0)) return L::min();
  return static_cast<I>(whole);
}

TEST_P(Float, ConvertsToIntegersInEveryModeAndSaturates) {
  std::vector<float> values = edges<float>();
  for (const float v : {2147483520.0f, 2147483648.0f, 4294967040.0f, 9.2233715e18f, 1.8446743e19f, 0.49999997f, 3.5f,
                        4.5f, 1e9f + 0.5f})
    values.push_back(v), values.push_back(-v);
  Expressions<int32_t, float> to_int;
  Expressions<uint32_t, float> to_unsigned;
  Expressions<int64_t, float> to_long;
  Expressions<uint64_t, float> to_unsigned_long;
  Expressions<int32_t, double> from_double;
  Expressions<int64_t, double> from_double_long;
  for (const Mode& mode : modes) {
    const std::string end = std::string("_") + mode.suffix + "(a)";
    // A NaN gives 0 in 32 bits and 0x8000000000000000 in 64: what the hardware does, of which PTX says
    // nothing.
    to_int.push_back({"__float2int" + end, [=](float a) { return saturated<int32_t>(a, mode.value); }});
    to_unsigned.push_back({"__float2uint" + end, [=](float a) { return saturated<uint32_t>(a, mode.value); }});
    to_long.push_back(
        {"a == a ? __float2ll" + end + " : 0", [=](float a) { return saturated<int64_t>(a, mode.value); }});
    to_unsigned_long.push_back(
        {"a == a ? __float2ull" + end + " : 0", [=](float a) { return saturated<uint64_t>(a, mode.value); }});
    from_double.push_back(
        {"a == a ? __double2int" + end + " : 0", [=](double a) { return saturated<int32_t>(a, mode.value); }});
    from_double_long.push_back(
        {"a == a ? __double2ll" + end + " : 0", [=](double a) { return saturated<int64_t>(a, mode.value); }});
  }
  check(to_int, singles(values));
  check(to_unsigned, singles(values));
  check(to_long, singles(values));
  check(to_unsigned_long, singles(values));
  check(from_double, singles(edges<double>()));
  check(from_double_long, singles(edges<double>()));
}

TEST_P(Float, ConvertsFromIntegersInEveryMode) {
  const std::vector<int32_t> ints{0, 1, -1, 16777217, -16777217, 16777219, 2147483647, -2147483647 - 1, 123456789};
  const std::vector<uint64_t> longs{
      0, 1, 16777217, 9007199254740993ull, 0x8000000000000000ull, 0xffffffffffffffffull, 0x7fffffbfffffffffull};
  Expressions<float, int32_t> from_int;
  Expressions<float, uint64_t> from_long;
  Expressions<double, uint64_t> double_from_long;
  for (const Mode& mode : modes) {
    const std::string end = std::string("_") + mode.suffix + "(a)";
    from_int.push_back({"__int2float" + end, [=](int32_t a) {
                          volatile int32_t v = a;
                          return rounded<float>(mode.value, [&] { return static_cast<float>(v); });
                        }});
    from_long.push_back({"__ull2float" + end, [=](uint64_t a) {
                           // By way of 80 bits, which hold every 64-bit integer exactly.
                           volatile long double v = static_cast<long double>(a);
                           return rounded<float>(mode.value, [&] { return static_cast<float>(v); });
                         }});
    double_from_long.push_back({"__ull2double" + end, [=](uint64_t a) {
                                  volatile long double v = static_cast<long double>(a);
                                  return rounded<double>(mode.value, [&] { return static_cast<double>(v); });
                                }});
  }
  check(from_int, singles(ints));
  check(from_long, singles(longs));
  check(double_from_long, singles(longs));
}

TEST_P(Float, ConvertsBetweenPrecisionsInEveryMode) {
  Expressions<float, double> narrow;
  for (const Mode& mode : modes)
    narrow.push_back({std::string("__double2float_") + mode.suffix + "(a)", [=](double a) {
                        volatile double v = a;
                        return rounded<float>(mode.value, [&] { return static_cast<float>(v); });
                      }});
  std::vector<double> values = edges<double>();
  for (const double v : {1.0000000596046448, 1.0000000596046447, 3.4028235677973366e38, 1e-46, 7.0e-46, 1e-39})
    values.push_back(v), values.push_back(-v);
  check(narrow, singles(values));
  check<double, float>({{"(double)a", [](float a) { return static_cast<double>(a); }}}, singles(edges<float>()));
}

TEST_P(Float, RoundsToIntegralValues) {
  std::vector<float> values = edges<float>();
  for (const float v : {0.5f, 1.5f, 2.5f, 0.49999997f, 8388607.5f, 8388608.0f, 3.7f})
    values.push_back(v), values.push_back(-v);
  check<float, float>(
      {{"rintf(a)", [](float a) { return std::nearbyint(a); }},
       {"truncf(a)", [](float a) { return std::trunc(a); }},
       {"ceilf(a)", [](float a) { return std::ceil(a); }},
       {"floorf(a)", [](float a) { return std::floor(a); }},
       {"__saturatef(a)", [](float a) { return std::isnan(a) ? 0.0f
                                               : a <= 0.0f   ? 0.0f
                                               : a > 1.0f    ? 1.0f
                                                             : a; }}},
      singles(values));
}

TEST_P(Float, ReinterpretsBits) {
  check<uint32_t, float>({{"__float_as_uint(a)",
                           [](float a) {
                             uint32_t bits;
                             std::memcpy(&bits, &a, 4);
                             return bits;
                           }}},
                         singles(edges<float>()));
  check<int32_t, double>({{"__double2hiint(a) ^ __double2loint(a)",
                           [](double a) {
                             uint64_t bits;
                             std::memcpy(&bits, &a, 8);
                             return static_cast<int32_t>(bits >> 32 ^ bits);
                           }}},
                         singles(edges<double>()));
}

// Approximations: PTX gives maximal errors, which are what is checked here.
class Approximation : public KernelTest {};
FOR_EACH_ARCHITECTURE(Approximation);

TEST_P(Approximation, StaysWithinTheErrorsThatPtxStates) {
  const CUfunction evaluate = kernel(R"(
extern "C" __global__ void evaluate(const float* in, float* out, unsigned n) {
  const unsigned i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= n) return;
  const float a = in[i];
  asm("ex2.approx.f32 %0, %1;" : "=f"(out[i]) : "f"(a));
  asm("lg2.approx.f32 %0, %1;" : "=f"(out[n + i]) : "f"(fabsf(a)));
  asm("rcp.approx.f32 %0, %1;" : "=f"(out[2 * n + i]) : "f"(a));
  asm("rsqrt.approx.f32 %0, %1;" : "=f"(out[3 * n + i]) : "f"(fabsf(a)));
  asm("sqrt.approx.f32 %0, %1;" : "=f"(out[4 * n + i]) : "f"(fabsf(a)));
  asm("sin.approx.f32 %0, %1;" : "=f"(out[5 * n + i]) : "f"(a));
  asm("cos.approx.f32 %0, %1;" : "=f"(out[6 * n + i]) : "f"(a));
  asm("tanh.approx.f32 %0, %1;" : "=f"(out[7 * n + i]) : "f"(a));
})",
                                     "evaluate");
  std::vector<float> inputs;
  for (int i = -200; i <= 200; ++i)
    if (i != 0) inputs.push_back(static_cast<float>(i) * 0.0151f);
  const auto n = static_cast<unsigned>(inputs.size());
  Buffer<float> in(inputs), out(8 * n);
  launch(evaluate, grid((n + 63) / 64, 64), in, out, n);
  const std::vector<float> results = out.download();
  for (unsigned i = 0; i < n; ++i) {
    const double a = inputs[i], m = std::fabs(a);
    const auto near = [&](unsigned row, double exact, double error, const char* what) {
      EXPECT_NEAR(results[row * n + i], exact, error) << what << "(" << a << ")";
    };
    near(0, std::exp2(a), std::ldexp(std::exp2(a), -22), "ex2");
    near(1, std::log2(m), std::max(std::ldexp(1.0, -22), std::ldexp(std::fabs(std::log2(m)), -22)), "lg2");
    near(2, 1 / a, std::ldexp(1 / m, -23), "rcp");
    near(3, 1 / std::sqrt(m), std::ldexp(1 / std::sqrt(m), -22), "rsqrt");
    near(4, std::sqrt(m), std::ldexp(std::sqrt(m), -22), "sqrt");
    near(5, std::sin(a), std::ldexp(1.0, -20), "sin");
    near(6, std::cos(a), std::ldexp(1.0, -20), "cos");
    near(7, std::tanh(a), std::ldexp(std::fabs(std::tanh(a)), -10), "tanh");
  }
}

// 64 bits on either side: a NaN gives the top bit alone. Else it gives 0.
TEST_P(Float, ConvertsNanToIntegers) {
  const CUfunction function = kernel(R"(
#define CONVERT(k, mode, type, constraint, variable) \
  { variable r; asm volatile("cvt." mode "." type ".f64 %0, %1;" : "=" constraint(r) : "d"(wide)); out[k] = (unsigned)r; }
#define MODE(k, mode) \
  asm volatile("{ .reg .u16 t; cvt." mode ".u8.f64 t, %1; cvt.u32.u8 %0, t; }" : "=r"(out[k]) : "d"(wide)); \
  asm volatile("{ .reg .u16 t; cvt." mode ".s8.f64 t, %1; cvt.s32.s8 %0, t; }" : "=r"(out[k + 1]) : "d"(wide)); \
  CONVERT(k + 2, mode, "u16", "h", unsigned short) CONVERT(k + 3, mode, "s16", "h", short) \
  CONVERT(k + 4, mode, "u32", "r", unsigned) CONVERT(k + 5, mode, "s32", "r", int)
extern "C" __global__ void convert(unsigned* out, unsigned long long* longs, double wide, float narrow) {
  MODE(0, "rni") MODE(6, "rzi") MODE(12, "rmi") MODE(18, "rpi") MODE(24, "rzi.sat")
  asm volatile("cvt.rzi.s32.f32 %0, %1;" : "=r"(out[30]) : "f"(narrow));
  asm volatile("cvt.rni.u32.f32 %0, %1;" : "=r"(out[31]) : "f"(narrow));
  asm volatile("cvt.rzi.s64.f32 %0, %1;" : "=l"(longs[0]) : "f"(narrow));
  asm volatile("cvt.rzi.u64.f64 %0, %1;" : "=l"(longs[1]) : "d"(wide));
})",
                                     "convert");
  Buffer<uint32_t> out(32);
  Buffer<uint64_t> longs(2);
  launch(function, grid(1, 1), out, longs, std::numeric_limits<double>::quiet_NaN(),
         std::numeric_limits<float>::quiet_NaN());
  const auto result = out.download();
  const uint32_t top_bits[] = {0x80, 0xffffff80, 0x8000, 0xffff8000, 0x80000000, 0x80000000};
  for (size_t i = 0; i < 30; ++i) EXPECT_EQ(result[i], top_bits[i % 6]) << i;
  EXPECT_EQ(result[30], 0u);
  EXPECT_EQ(result[31], 0u);
  EXPECT_EQ(longs.download(), (std::vector<uint64_t>{uint64_t{1} << 63, uint64_t{1} << 63}));
}

}  // namespace
}  // namespace simulator::tests
