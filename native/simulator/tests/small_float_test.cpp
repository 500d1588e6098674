// half, bfloat16 and the fp8 formats: every 16-bit pattern, and the values around every one of them.
#include "support/small_float.h"

#include <set>

#include "support/device_test.h"

namespace simulator::tests {
namespace {

class SmallFloat : public KernelTest {
 protected:
  // Runs `statement` over (in[i], out[i]) for all inputs.
  template <class In, class Out>
  std::vector<Out> map(const std::vector<In>& inputs, const std::string& in_type, const std::string& out_type,
                       const std::string& statement) {
    const CUfunction function =
        kernel("extern \"C\" __global__ void map(const " + in_type + "* in, " + out_type +
                   "* out, unsigned n) {\n  const unsigned i = blockIdx.x * blockDim.x + threadIdx.x;\n  if "
                   "(i >= n) return;\n" +
                   statement + "\n}\n",
               "map");
    const auto n = static_cast<unsigned>(inputs.size());
    Buffer<In> in(inputs);
    Buffer<Out> out(n);
    launch(function, grid((n + 255) / 256, 256), in, out, n);
    return out.download();
  }
};
FOR_EACH_ARCHITECTURE(SmallFloat);

std::vector<uint16_t> all_patterns() {
  std::vector<uint16_t> all(65536);
  for (size_t i = 0; i < all.size(); ++i) all[i] = static_cast<uint16_t>(i);
  return all;
}

// Every value of the format, the midpoints between neighbours, and the floats right beside both.
std::vector<float> around_every_value(const SmallFormat& format) {
  std::vector<float> values{0.0f, -0.0f, INFINITY, -INFINITY, NAN, 3.4e38f, -3.4e38f, 1e-45f, -1e-45f};
  for (uint32_t bits = 0; bits <= format.largest_finite(); ++bits) {
    const double value = format.decode(bits),
                 next = bits == format.largest_finite() ? 2 * value - format.decode(bits - 1) : format.decode(bits + 1);
    for (const float v : {static_cast<float>(value), static_cast<float>((value + next) / 2)})
      for (const float each : {v, std::nextafterf(v, INFINITY), std::nextafterf(v, -INFINITY)})
        values.push_back(each), values.push_back(-each);
  }
  return values;
}

void expect_same(const SmallFormat& format, float input, uint32_t expected, uint32_t actual, const char* what,
                 int& failures) {
  if (expected == actual || (format.is_nan(expected) && format.is_nan(actual))) return;
  if (++failures <= 5)
    ADD_FAILURE() << what << "(" << std::hexfloat << input << "): is 0x" << std::hex << actual << ", should be 0x"
                  << expected;
}

TEST_P(SmallFloat, WidensEveryHalf) {
  const auto results = map<uint16_t, float>(all_patterns(), "unsigned short", "float",
                                            R"(  asm("cvt.f32.f16 %0, %1;" : "=f"(out[i]) : "h"(in[i]));)");
  for (uint32_t bits = 0; bits < 65536; ++bits) {
    const double expected = half_format.decode(bits);
    if (std::isnan(expected))
      ASSERT_TRUE(std::isnan(results[bits])) << bits;
    else
      ASSERT_EQ(results[bits], static_cast<float>(expected)) << bits;
    ASSERT_EQ(std::signbit(results[bits]) || std::isnan(expected), (bits & 0x8000) != 0 || std::isnan(expected))
        << bits;
  }
}

TEST_P(SmallFloat, NarrowsToHalfAroundEveryValue) {
  const std::vector<float> inputs = around_every_value(half_format);
  const auto nearest = map<float, uint16_t>(inputs, "float", "unsigned short",
                                            R"(  asm("cvt.rn.f16.f32 %0, %1;" : "=h"(out[i]) : "f"(in[i]));)");
  const auto truncated = map<float, uint16_t>(inputs, "float", "unsigned short",
                                              R"(  asm("cvt.rz.f16.f32 %0, %1;" : "=h"(out[i]) : "f"(in[i]));)");
  int failures = 0;
  for (size_t i = 0; i < inputs.size(); ++i) {
    expect_same(half_format, inputs[i], half_format.encode(inputs[i], false, false), nearest[i], "cvt.rn.f16.f32",
                failures);
    expect_same(half_format, inputs[i], half_format.encode(inputs[i], true, false), truncated[i], "cvt.rz.f16.f32",
                failures);
  }
}

TEST_P(SmallFloat, NarrowsToBfloat16AroundEveryValue) {
  const std::vector<float> inputs = around_every_value(bfloat16_format);
  const auto nearest = map<float, uint16_t>(inputs, "float", "unsigned short",
                                            R"(  asm("cvt.rn.bf16.f32 %0, %1;" : "=h"(out[i]) : "f"(in[i]));)");
  const auto truncated = map<float, uint16_t>(inputs, "float", "unsigned short",
                                              R"(  asm("cvt.rz.bf16.f32 %0, %1;" : "=h"(out[i]) : "f"(in[i]));)");
  int failures = 0;
  for (size_t i = 0; i < inputs.size(); ++i) {
    expect_same(bfloat16_format, inputs[i], bfloat16_format.encode(inputs[i], false, false), nearest[i],
                "cvt.rn.bf16.f32", failures);
    expect_same(bfloat16_format, inputs[i], bfloat16_format.encode(inputs[i], true, false), truncated[i],
                "cvt.rz.bf16.f32", failures);
  }
}

TEST_P(SmallFloat, WidensEveryBfloat16) {
  const auto results = map<uint16_t, float>(all_patterns(), "unsigned short", "float",
                                            R"(  asm("cvt.f32.bf16 %0, %1;" : "=f"(out[i]) : "h"(in[i]));)");
  for (uint32_t bits = 0; bits < 65536; ++bits) {
    uint32_t wide = 0;  // the upper half of the float, NaNs too
    std::memcpy(&wide, &results[bits], sizeof wide);
    ASSERT_EQ(wide, bits << 16) << bits;
  }
}

TEST_P(SmallFloat, PacksPairsWithTheFirstOperandOnTop) {
  const std::vector<float> inputs{1.0f, -2.5f, 0.1f, 65504.0f};
  const auto halves = map<float, uint32_t>(
      inputs, "float", "unsigned", R"(  asm("cvt.rn.f16x2.f32 %0, %1, %2;" : "=r"(out[i]) : "f"(in[i]), "f"(3.0f));)");
  const auto brains = map<float, uint32_t>(
      inputs, "float", "unsigned", R"(  asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(out[i]) : "f"(in[i]), "f"(3.0f));)");
  for (size_t i = 0; i < inputs.size(); ++i) {
    EXPECT_EQ(halves[i], half_format.encode(inputs[i], false, false) << 16 | half_format.encode(3.0, false, false));
    EXPECT_EQ(brains[i],
              bfloat16_format.encode(inputs[i], false, false) << 16 | bfloat16_format.encode(3.0, false, false));
  }
}

// Sums and products of two halves are exact in double, so one rounding at the end is the whole operation.
TEST_P(SmallFloat, CalculatesWithHalves) {
  std::vector<uint32_t> inputs;
  const std::vector<uint16_t> operands{0x0000, 0x8000, 0x3c00, 0xbc00, 0x3c01, 0x0001, 0x8001, 0x03ff, 0x0400,
                                       0x7bff, 0xfbff, 0x7c00, 0xfc00, 0x7e00, 0x3555, 0xb7ff, 0x5640};
  for (const uint32_t a : operands)
    for (const uint32_t b : operands) inputs.push_back(a << 16 | b);
  const auto run = [&](const char* instruction) {
    return map<uint32_t, uint16_t>(inputs, "unsigned", "unsigned short",
                                   std::string("  const unsigned short a = in[i] >> 16, b = in[i];\n  asm(\"") +
                                       instruction + "\" : \"=h\"(out[i]) : \"h\"(a), \"h\"(b));");
  };
  const auto sums = run("add.rn.f16 %0, %1, %2;"), differences = run("sub.rn.f16 %0, %1, %2;"),
             products = run("mul.rn.f16 %0, %1, %2;"), fused = run("fma.rn.f16 %0, %1, %2, %1;");
  int failures = 0;
  for (size_t i = 0; i < inputs.size(); ++i) {
    const double a = half_format.decode(inputs[i] >> 16), b = half_format.decode(inputs[i] & 0xffff);
    const auto expect = [&](double exact, uint16_t actual, const char* what) {
      expect_same(half_format, static_cast<float>(a), half_format.encode(exact, false, false), actual, what, failures);
    };
    expect(a + b, sums[i], "add.f16");
    expect(a - b, differences[i], "sub.f16");
    expect(a * b, products[i], "mul.f16");
    // a * b + a has more bits than a double only where the addends are 2^53 apart, which halves never are.
    expect(std::fma(a, b, a), fused[i], "fma.f16");
  }
}

TEST_P(SmallFloat, CalculatesWithPairsOfHalvesAndBfloats) {
  std::vector<uint32_t> inputs{0x3c004000, 0xbc000001, 0x7bff3c00, 0x00018001, 0x3f803f00, 0xc0003e80};
  const auto halves = map<uint32_t, uint32_t>(
      inputs, "unsigned", "unsigned",
      R"(  asm("fma.rn.f16x2 %0, %1, %1, %2;" : "=r"(out[i]) : "r"(in[i]), "r"(0x3c003800u));)");
  const auto brains = map<uint32_t, uint32_t>(
      inputs, "unsigned", "unsigned",
      R"(  asm("fma.rn.bf16x2 %0, %1, %1, %2;" : "=r"(out[i]) : "r"(in[i]), "r"(0x3f803f00u));)");
  int failures = 0;
  for (size_t i = 0; i < inputs.size(); ++i)
    for (const int shift : {0, 16}) {
      const uint32_t a = inputs[i] >> shift & 0xffff;
      const auto expected = [&](const SmallFormat& format, uint32_t c) {
        return format.encode(std::fma(format.decode(a), format.decode(a), format.decode(c >> shift & 0xffff)), false,
                             false);
      };
      expect_same(half_format, static_cast<float>(i), expected(half_format, 0x3c003800u), halves[i] >> shift & 0xffff,
                  "fma.f16x2", failures);
      expect_same(bfloat16_format, static_cast<float>(i), expected(bfloat16_format, 0x3f803f00u),
                  brains[i] >> shift & 0xffff, "fma.bf16x2", failures);
    }
}

TEST_P(SmallFloat, ComparesHalves) {
  std::vector<uint32_t> inputs;
  for (const uint32_t a : {0x0000u, 0x8000u, 0x3c00u, 0xbc00u, 0x7c00u, 0x7e00u, 0x0001u})
    for (const uint32_t b : {0x0000u, 0x3c00u, 0xfc00u, 0x7e00u, 0x0001u}) inputs.push_back(a << 16 | b);
  const auto results = map<uint32_t, uint32_t>(inputs, "unsigned", "unsigned", R"(
  const unsigned short a = in[i] >> 16, b = in[i];
  unsigned less, least;
  unsigned short smaller;
  asm("{ .reg .pred p; setp.lt.f16 p, %1, %2; selp.u32 %0, 1, 0, p; }" : "=r"(less) : "h"(a), "h"(b));
  asm("min.f16 %0, %1, %2;" : "=h"(smaller) : "h"(a), "h"(b));
  least = smaller;
  out[i] = less << 16 | least;)");
  int failures = 0;
  for (size_t i = 0; i < inputs.size(); ++i) {
    const uint32_t a = inputs[i] >> 16, b = inputs[i] & 0xffff;
    const double x = half_format.decode(a), y = half_format.decode(b);
    EXPECT_EQ(results[i] >> 16, uint32_t{x < y}) << std::hex << inputs[i];
    const uint32_t least = std::isnan(x) ? b : std::isnan(y) ? a : x == y ? (std::signbit(x) ? a : b) : x < y ? a : b;
    expect_same(half_format, static_cast<float>(x), least, results[i] & 0xffff, "min.f16", failures);
  }
}

class Float8 : public SmallFloat {
 protected:
  void SetUp() override {
    SmallFloat::SetUp();
    if (!IsSkipped() && target() < 89) GTEST_SKIP() << "fp8 conversions need sm_89";
  }
};
FOR_EACH_ARCHITECTURE(Float8);

TEST_P(Float8, WidensEveryPattern) {
  std::vector<uint16_t> inputs(256);
  for (size_t i = 0; i < 256; ++i) inputs[i] = static_cast<uint16_t>(i << 8 | (255 - i));
  const auto e4m3 = map<uint16_t, uint32_t>(inputs, "unsigned short", "unsigned",
                                            R"(  asm("cvt.rn.f16x2.e4m3x2 %0, %1;" : "=r"(out[i]) : "h"(in[i]));)");
  const auto e5m2 = map<uint16_t, uint32_t>(inputs, "unsigned short", "unsigned",
                                            R"(  asm("cvt.rn.f16x2.e5m2x2 %0, %1;" : "=r"(out[i]) : "h"(in[i]));)");
  int failures = 0;
  for (uint32_t i = 0; i < 256; ++i)
    for (const int half : {0, 1}) {
      const uint32_t bits = half ? i : 255 - i;
      const auto expect = [&](const SmallFormat& format, uint32_t packed, const char* what) {
        expect_same(half_format, static_cast<float>(bits), half_format.encode(format.decode(bits), false, false),
                    packed >> (16 * half) & 0xffff, what, failures);
      };
      expect(e4m3_format, e4m3[i], "cvt.f16x2.e4m3x2");
      expect(e5m2_format, e5m2[i], "cvt.f16x2.e5m2x2");
    }
}

TEST_P(Float8, NarrowsAndSaturatesAroundEveryValue) {
  for (const auto& [format, name] : {std::pair{e4m3_format, "e4m3"}, std::pair{e5m2_format, "e5m2"}}) {
    const std::vector<float> inputs = around_every_value(format);
    const auto results =
        map<float, uint16_t>(inputs, "float", "unsigned short",
                             std::string("  asm(\"cvt.rn.satfinite.") + name +
                                 "x2.f32 %0, %1, %2;\" : \"=h\"(out[i]) : \"f\"(in[i]), \"f\"(-in[i]));");
    int failures = 0;
    for (size_t i = 0; i < inputs.size(); ++i) {
      expect_same(format, inputs[i], format.encode(inputs[i], false, true), results[i] >> 8, name, failures);
      expect_same(format, -inputs[i], format.encode(-inputs[i], false, true), results[i] & 0xff, name, failures);
    }
  }
}

TEST_P(Float8, NarrowsEveryHalf) {
  std::vector<uint32_t> inputs(65536);
  for (uint32_t i = 0; i < 65536; ++i) inputs[i] = i << 16 | i;
  const auto results =
      map<uint32_t, uint16_t>(inputs, "unsigned", "unsigned short",
                              R"(  asm("cvt.rn.satfinite.e4m3x2.f16x2 %0, %1;" : "=h"(out[i]) : "r"(in[i]));)");
  int failures = 0;
  for (uint32_t i = 0; i < 65536; ++i) {
    const uint32_t expected = e4m3_format.encode(half_format.decode(i), false, true);
    expect_same(e4m3_format, static_cast<float>(half_format.decode(i)), expected, results[i] & 0xff, "cvt.e4m3x2.f16x2",
                failures);
    expect_same(e4m3_format, static_cast<float>(half_format.decode(i)), expected, results[i] >> 8, "cvt.e4m3x2.f16x2",
                failures);
  }
}

TEST_P(SmallFloat, FlushesSubnormalResultsOfExponentials) {
  if (target() < 90) GTEST_SKIP() << "ex2 of bf16 needs compute_90";
  const auto results = map<uint16_t, uint16_t>(all_patterns(), "unsigned short", "unsigned short",
                                               R"(  asm("ex2.approx.ftz.bf16 %0, %1;" : "=h"(out[i]) : "h"(in[i]));)");
  for (uint32_t bits = 0; bits < 65536; ++bits)
    ASSERT_TRUE((results[bits] & 0x7f80) != 0 || (results[bits] & 0x7f) == 0) << bits << " gives " << results[bits];
  EXPECT_EQ(results[0xc2fd], 0);       // 2^-126.5
  EXPECT_EQ(results[0xc2fc], 0x0080);  // 2^-126, the smallest normal number
}

}  // namespace
}  // namespace simulator::tests
