// Integer arithmetic, bits and conversions against the same arithmetic on the CPU.
#include <bitset>
#include <limits>

#include "support/expressions.h"

namespace simulator::tests {
namespace {

class Integer : public ExpressionTest {};
FOR_EACH_ARCHITECTURE(Integer);

template <class T>
std::vector<T> edges() {
  using L = std::numeric_limits<T>;
  std::vector<T> values{0,
                        1,
                        2,
                        3,
                        7,
                        31,
                        32,
                        33,
                        100,
                        L::max(),
                        L::min(),
                        static_cast<T>(L::max() - 1),
                        static_cast<T>(L::min() + 1),
                        static_cast<T>(L::max() / 2),
                        static_cast<T>(L::max() / 2 + 1),
                        static_cast<T>(0x5555555555555555ull),
                        static_cast<T>(0xaaaaaaaaaaaaaaaaull),
                        static_cast<T>(0x123456789abcdef0ull),
                        static_cast<T>(-1),
                        static_cast<T>(-7)};
  return values;
}

template <class T>
T wrap(__int128 value) {
  return static_cast<T>(static_cast<unsigned __int128>(value));
}

__int128 wide(int64_t v) { return v; }

using U = uint32_t;
using S = int32_t;
using UL = uint64_t;
using SL = int64_t;

TEST_P(Integer, WrapsInAdditionSubtractionAndMultiplicationOf32Bits) {
  check<S, S, S>({{"a + b", [](S a, S b) { return wrap<S>(wide(a) + b); }},
                  {"a - b", [](S a, S b) { return wrap<S>(wide(a) - b); }},
                  {"a * b", [](S a, S b) { return wrap<S>(wide(a) * b); }},
                  {"-a", [](S a, S) { return wrap<S>(-wide(a)); }},
                  {"__mulhi(a, b)", [](S a, S b) { return static_cast<S>((wide(a) * b) >> 32); }},
                  {"__mul24(a, b)",
                   [](S a, S b) {
                     const auto low = [](S v) { return wide(static_cast<S>(static_cast<U>(v) << 8) >> 8); };
                     return wrap<S>(low(a) * low(b));
                   }}},
                 pairs(edges<S>(), edges<S>()));
}

TEST_P(Integer, WrapsInAdditionSubtractionAndMultiplicationOf64Bits) {
  check<SL, SL, SL>({{"a + b", [](SL a, SL b) { return wrap<SL>(wide(a) + b); }},
                     {"a - b", [](SL a, SL b) { return wrap<SL>(wide(a) - b); }},
                     {"a * b", [](SL a, SL b) { return wrap<SL>(wide(a) * b); }},
                     {"__mul64hi(a, b)", [](SL a, SL b) { return static_cast<SL>((wide(a) * b) >> 64); }}},
                    pairs(edges<SL>(), edges<SL>()));
  check<UL, UL, UL>(
      {{"__umul64hi(a, b)", [](UL a, UL b) { return static_cast<UL>((static_cast<unsigned __int128>(a) * b) >> 64); }}},
      pairs(edges<UL>(), edges<UL>()));
}

TEST_P(Integer, WidensInMultiplication) {
  check<UL, U, U>({{"(unsigned long long)a * b", [](U a, U b) { return UL{a} * b; }}}, pairs(edges<U>(), edges<U>()));
  check<SL, S, S>({{"(long long)a * b", [](S a, S b) { return SL{a} * b; }}}, pairs(edges<S>(), edges<S>()));
  check<U, U, U>({{"__umulhi(a, b)", [](U a, U b) { return static_cast<U>((UL{a} * b) >> 32); }}},
                 pairs(edges<U>(), edges<U>()));
}

TEST_P(Integer, DividesTowardsZero) {
  std::vector<std::tuple<S, S>> inputs;
  for (const S a : edges<S>())
    for (const S b : edges<S>())
      if (b != 0 && !(b == -1 && a == std::numeric_limits<S>::min())) inputs.emplace_back(a, b);
  check<S, S, S>({{"a / b", [](S a, S b) { return a / b; }}, {"a % b", [](S a, S b) { return a % b; }}}, inputs);
  std::vector<std::tuple<SL, SL>> wide_inputs;
  for (const SL a : edges<SL>())
    for (const SL b : edges<SL>())
      if (b != 0 && !(b == -1 && a == std::numeric_limits<SL>::min())) wide_inputs.emplace_back(a, b);
  check<SL, SL, SL>({{"a / b", [](SL a, SL b) { return a / b; }}, {"a % b", [](SL a, SL b) { return a % b; }}},
                    wide_inputs);
  std::vector<std::tuple<UL, UL>> unsigned_inputs;
  for (const UL a : edges<UL>())
    for (const UL b : edges<UL>())
      if (b != 0) unsigned_inputs.emplace_back(a, b);
  check<UL, UL, UL>({{"a / b", [](UL a, UL b) { return a / b; }}, {"a % b", [](UL a, UL b) { return a % b; }}},
                    unsigned_inputs);
}

TEST_P(Integer, ComparesSignedAndUnsigned) {
  check<U, S, S>({{"a < b", [](S a, S b) { return U{a < b}; }},
                  {"a <= b", [](S a, S b) { return U{a <= b}; }},
                  {"a == b", [](S a, S b) { return U{a == b}; }},
                  {"a > b ? 5u : 7u", [](S a, S b) { return a > b ? 5u : 7u; }},
                  {"(unsigned)a < (unsigned)b", [](S a, S b) { return U{static_cast<U>(a) < static_cast<U>(b)}; }},
                  {"(a < b) != (a >= 0 && b != 3)", [](S a, S b) { return U{(a < b) != (a >= 0 && b != 3)}; }}},
                 pairs(edges<S>(), edges<S>()));
  check<U, SL, SL>({{"a < b", [](SL a, SL b) { return U{a < b}; }},
                    {"a >= b", [](SL a, SL b) { return U{a >= b}; }},
                    {"(unsigned long long)a > (unsigned long long)b",
                     [](SL a, SL b) { return U{static_cast<UL>(a) > static_cast<UL>(b)}; }}},
                   pairs(edges<SL>(), edges<SL>()));
}

TEST_P(Integer, TakesMinimaMaximaAndAbsoluteValues) {
  check<S, S, S>(
      {{"min(a, b)", [](S a, S b) { return std::min(a, b); }},
       {"max(a, b)", [](S a, S b) { return std::max(a, b); }},
       {"abs(a)", [](S a, S) { return wrap<S>(a < 0 ? -wide(a) : wide(a)); }},
       {"(int)__sad(a, b, 5u)", [](S a, S b) { return wrap<S>((wide(a) > b ? wide(a) - b : wide(b) - a) + 5); }}},
      pairs(edges<S>(), edges<S>()));
  check<UL, UL, UL>({{"min(a, b)", [](UL a, UL b) { return std::min(a, b); }},
                     {"max(a, b)", [](UL a, UL b) { return std::max(a, b); }}},
                    pairs(edges<UL>(), edges<UL>()));
}

TEST_P(Integer, CombinesBits) {
  check<U, U, U, U>({{"a & b", [](U a, U b, U) { return a & b; }},
                     {"a | b", [](U a, U b, U) { return a | b; }},
                     {"a ^ b", [](U a, U b, U) { return a ^ b; }},
                     {"~a", [](U a, U, U) { return ~a; }},
                     {"(a & b) | (~a & c)", [](U a, U b, U c) { return (a & b) | (~a & c); }},
                     {"(a & b) ^ (a & c) ^ (b & c)", [](U a, U b, U c) { return (a & b) ^ (a & c) ^ (b & c); }},
                     {"a ^ b ^ c", [](U a, U b, U c) { return a ^ b ^ c; }},
                     {"!a", [](U a, U, U) { return U{!a}; }}},
                    triples(edges<U>(), edges<U>(), std::vector<U>{0, 0xff00ff00u, 0x12345678u}));
}

// PTX clamps shift counts at the width; C leaves larger ones undefined, so they are reached through inline
// PTX.
TEST_P(Integer, ClampsShiftCounts) {
  const std::string prelude = R"(
__device__ unsigned shl(unsigned a, unsigned b) { unsigned r; asm("shl.b32 %0, %1, %2;" : "=r"(r) : "r"(a), "r"(b)); return r; }
__device__ unsigned shr(unsigned a, unsigned b) { unsigned r; asm("shr.u32 %0, %1, %2;" : "=r"(r) : "r"(a), "r"(b)); return r; }
__device__ unsigned sar(unsigned a, unsigned b) { unsigned r; asm("shr.s32 %0, %1, %2;" : "=r"(r) : "r"(a), "r"(b)); return r; }
__device__ unsigned long long shl(unsigned long long a, unsigned b) { unsigned long long r; asm("shl.b64 %0, %1, %2;" : "=l"(r) : "l"(a), "r"(b)); return r; }
__device__ unsigned long long sar(unsigned long long a, unsigned b) { unsigned long long r; asm("shr.s64 %0, %1, %2;" : "=l"(r) : "l"(a), "r"(b)); return r; }
)";
  const std::vector<U> counts{0, 1, 5, 31, 32, 33, 63, 64, 65, 0x80000000u, 0xffffffffu};
  check<U, U, U>({{"shl(a, b)", [](U a, U b) { return b > 31 ? 0 : a << b; }},
                  {"shr(a, b)", [](U a, U b) { return b > 31 ? 0 : a >> b; }},
                  {"sar(a, b)", [](U a, U b) { return static_cast<U>(static_cast<S>(a) >> std::min(b, 31u)); }}},
                 pairs(edges<U>(), counts), prelude);
  check<UL, UL, U>({{"shl(a, b)", [](UL a, U b) { return b > 63 ? 0 : a << b; }},
                    {"sar(a, b)", [](UL a, U b) { return static_cast<UL>(static_cast<SL>(a) >> std::min(b, 63u)); }}},
                   pairs(edges<UL>(), counts), prelude);
}

TEST_P(Integer, RotatesThroughFunnelShifts) {
  const std::vector<U> counts{0, 1, 7, 31, 32, 33, 64};
  const auto left = [](U low, U high, U n) {
    return n == 0 ? high : static_cast<U>((((UL{high} << 32) | low) << n) >> 32);
  };
  const auto right = [](U low, U high, U n) { return static_cast<U>(((UL{high} << 32) | low) >> n); };
  check<U, U, U, U>({{"__funnelshift_l(a, b, c)", [=](U a, U b, U c) { return left(a, b, c & 31); }},
                     {"__funnelshift_lc(a, b, c)", [=](U a, U b, U c) { return left(a, b, std::min(c, 32u)); }},
                     {"__funnelshift_r(a, b, c)", [=](U a, U b, U c) { return right(a, b, c & 31); }},
                     {"__funnelshift_rc(a, b, c)", [=](U a, U b, U c) { return right(a, b, std::min(c, 32u)); }}},
                    triples(edges<U>(), edges<U>(), counts));
}

TEST_P(Integer, CountsAndFindsBits) {
  const auto reverse = [](UL a, int width) {
    UL r = 0;
    for (int i = 0; i < width; ++i) r |= (a >> i & 1) << (width - 1 - i);
    return r;
  };
  check<U, U>({{"__popc(a)", [](U a) { return static_cast<U>(std::bitset<32>(a).count()); }},
               {"__clz(a)", [](U a) { return a ? static_cast<U>(__builtin_clz(a)) : 32u; }},
               {"__ffs(a)", [](U a) { return static_cast<U>(__builtin_ffs(static_cast<S>(a))); }},
               {"__brev(a)", [=](U a) { return static_cast<U>(reverse(a, 32)); }}},
              singles(edges<U>()));
  check<UL, UL>({{"__popcll(a)", [](UL a) { return UL{std::bitset<64>(a).count()}; }},
                 {"__clzll(a)", [](UL a) { return a ? static_cast<UL>(__builtin_clzll(a)) : 64u; }},
                 {"__ffsll(a)", [](UL a) { return static_cast<UL>(__builtin_ffsll(static_cast<SL>(a))); }},
                 {"__brevll(a)", [=](UL a) { return reverse(a, 64); }}},
                singles(edges<UL>()));
}

TEST_P(Integer, FindsTheLeadingBit) {
  const std::string prelude = R"(
__device__ unsigned bfind_u(unsigned a) { unsigned r; asm("bfind.u32 %0, %1;" : "=r"(r) : "r"(a)); return r; }
__device__ unsigned bfind_s(unsigned a) { unsigned r; asm("bfind.s32 %0, %1;" : "=r"(r) : "r"(a)); return r; }
__device__ unsigned bfind_shift(unsigned a) { unsigned r; asm("bfind.shiftamt.u32 %0, %1;" : "=r"(r) : "r"(a)); return r; }
)";
  const auto find = [](U a) { return a ? 31u - static_cast<U>(__builtin_clz(a)) : 0xffffffffu; };
  check<U, U>({{"bfind_u(a)", find},
               {"bfind_s(a)", [=](U a) { return find(static_cast<S>(a) < 0 ? ~a : a); }},
               {"bfind_shift(a)", [](U a) { return a ? static_cast<U>(__builtin_clz(a)) : 0xffffffffu; }}},
              singles(edges<U>()), prelude);
}

// bfe and bfi as the PTX ISA defines them: position and length are bytes, lengths past the end give the sign
// or zero.
TEST_P(Integer, ExtractsAndInsertsBitFields) {
  const std::string prelude = R"(
__device__ unsigned bfe_u(unsigned a, unsigned b, unsigned c) { unsigned r; asm("bfe.u32 %0, %1, %2, %3;" : "=r"(r) : "r"(a), "r"(b), "r"(c)); return r; }
__device__ unsigned bfe_s(unsigned a, unsigned b, unsigned c) { unsigned r; asm("bfe.s32 %0, %1, %2, %3;" : "=r"(r) : "r"(a), "r"(b), "r"(c)); return r; }
__device__ unsigned bfi(unsigned a, unsigned b, unsigned c) { unsigned r; asm("bfi.b32 %0, %1, 0xdeadbeef, %2, %3;" : "=r"(r) : "r"(a), "r"(b), "r"(c)); return r; }
)";
  const auto extract = [](U a, U position, U length, bool is_signed) {
    const U pos = position & 0xff, len = length & 0xff, msb = 31;
    const U sign = (!is_signed || len == 0) ? 0 : a >> std::min(pos + len - 1, msb) & 1;
    U d = 0;
    for (U i = 0; i <= msb; ++i) {
      const U bit = i < len && pos + i <= msb ? a >> (pos + i) & 1 : sign;
      d |= bit << i;
    }
    return d;
  };
  const auto insert = [](U a, U position, U length) {
    const U pos = position & 0xff, len = length & 0xff;
    U f = 0xdeadbeefu;
    for (U i = 0; i < len && pos + i <= 31; ++i) f = (f & ~(1u << (pos + i))) | ((a >> i & 1) << (pos + i));
    return f;
  };
  const std::vector<U> places{0, 1, 4, 16, 31, 32, 40, 255, 256};
  check<U, U, U, U>({{"bfe_u(a, b, c)", [=](U a, U b, U c) { return extract(a, b, c, false); }},
                     {"bfe_s(a, b, c)", [=](U a, U b, U c) { return extract(a, b, c, true); }},
                     {"bfi(a, b, c)", insert}},
                    triples(edges<U>(), places, places), prelude);
}

TEST_P(Integer, PermutesBytes) {
  const auto permute = [](U a, U b, U selector) {
    const UL bytes = UL{b} << 32 | a;
    U d = 0;
    for (int i = 0; i < 4; ++i) {
      const U nibble = selector >> (4 * i) & 15;
      U byte = static_cast<U>(bytes >> (8 * (nibble & 7))) & 0xff;
      if (nibble & 8) byte = byte & 0x80 ? 0xff : 0;
      d |= byte << (8 * i);
    }
    return d;
  };
  // Selectors of __byte_perm use three bits; prmt's fourth copies the sign.
  const std::string prelude = R"(
__device__ unsigned prmt(unsigned a, unsigned b, unsigned c) { unsigned r; asm("prmt.b32 %0, %1, %2, %3;" : "=r"(r) : "r"(a), "r"(b), "r"(c)); return r; }
__device__ unsigned prmt_f4e(unsigned a, unsigned b, unsigned c) { unsigned r; asm("prmt.b32.f4e %0, %1, %2, %3;" : "=r"(r) : "r"(a), "r"(b), "r"(c)); return r; }
)";
  check<U, U, U, U>(
      {{"__byte_perm(a, b, c)", [=](U a, U b, U c) { return permute(a, b, c & 0x7777); }},
       {"prmt(a, b, c)", permute},
       {"prmt_f4e(a, b, c)", [](U a, U b, U c) { return static_cast<U>((UL{b} << 32 | a) >> (8 * (c & 3))); }}},
      triples(edges<U>(), edges<U>(),
              std::vector<U>{0x3210, 0x7654, 0x0123, 0x4567, 0x89ab, 0xfedc, 0x6420, 0xffff, 0x1111}),
      prelude);
}

TEST_P(Integer, MultipliesAndAccumulatesDotProducts) {
  const auto byte = [](U v, int i) { return static_cast<int>(static_cast<int8_t>(v >> (8 * i))); };
  const auto ubyte = [](U v, int i) { return static_cast<int>(static_cast<uint8_t>(v >> (8 * i))); };
  check<U, U, U, U>({{"(unsigned)__dp4a((int)a, (int)b, (int)c)",
                      [=](U a, U b, U c) {
                        for (int i = 0; i < 4; ++i) c += static_cast<U>(byte(a, i) * byte(b, i));
                        return c;
                      }},
                     {"__dp4a(a, b, c)",
                      [=](U a, U b, U c) {
                        for (int i = 0; i < 4; ++i) c += static_cast<U>(ubyte(a, i) * ubyte(b, i));
                        return c;
                      }}},
                    triples(edges<U>(), edges<U>(), std::vector<U>{0, 0xfffffff0u}));
}

TEST_P(Integer, CarriesThroughExtendedPrecision) {
  const std::string prelude = R"(
__device__ unsigned long long add_high(unsigned long long a, unsigned long long b) {
  unsigned long long low, high;
  asm("add.cc.u64 %0, %2, %3; addc.u64 %1, %2, %3;" : "=l"(low), "=l"(high) : "l"(a), "l"(b));
  return high ^ low;
}
__device__ unsigned long long subtract_high(unsigned long long a, unsigned long long b) {
  unsigned low, high;
  asm("sub.cc.u32 %0, %2, %4; subc.u32 %1, %3, %5;" : "=r"(low), "=r"(high)
      : "r"((unsigned)a), "r"((unsigned)(a >> 32)), "r"((unsigned)b), "r"((unsigned)(b >> 32)));
  return (unsigned long long)high << 32 | low;
}
__device__ unsigned long long multiply_wide(unsigned long long a, unsigned long long b) {
  unsigned low, high;
  asm("mad.lo.cc.u32 %0, %2, %3, %4; madc.hi.u32 %1, %2, %3, %5;" : "=r"(low), "=r"(high)
      : "r"((unsigned)a), "r"((unsigned)(a >> 32)), "r"((unsigned)b), "r"((unsigned)(b >> 32)));
  return (unsigned long long)high << 32 | low;
}
)";
  check<UL, UL, UL>(
      {{"add_high(a, b)",
        [](UL a, UL b) {
          const unsigned __int128 sum = static_cast<unsigned __int128>(a) + b;
          return (a + b + static_cast<UL>(sum >> 64)) ^ static_cast<UL>(sum);
        }},
       {"subtract_high(a, b)", [](UL a, UL b) { return a - b; }},
       {"multiply_wide(a, b)", [](UL a, UL b) { return UL{static_cast<U>(a)} * static_cast<U>(a >> 32) + b; }}},
      pairs(edges<UL>(), edges<UL>()), prelude);
}

TEST_P(Integer, ConvertsBetweenWidths) {
  check<SL, SL>({{"(signed char)a", [](SL a) { return SL{static_cast<int8_t>(a)}; }},
                 {"(unsigned char)a", [](SL a) { return SL{static_cast<uint8_t>(a)}; }},
                 {"(short)a", [](SL a) { return SL{static_cast<int16_t>(a)}; }},
                 {"(unsigned short)a", [](SL a) { return SL{static_cast<uint16_t>(a)}; }},
                 {"(int)a", [](SL a) { return SL{static_cast<S>(a)}; }},
                 {"(unsigned)a", [](SL a) { return SL{static_cast<U>(a)}; }}},
                singles(edges<SL>()));
}

TEST_P(Integer, SaturatesConversionsThatAskForIt) {
  const std::string prelude = R"(
__device__ int sat8(int a) { int r; asm("cvt.sat.s8.s32 %0, %1;" : "=r"(r) : "r"(a)); return r; }
__device__ int satu8(int a) { int r; asm("cvt.sat.u8.s32 %0, %1;" : "=r"(r) : "r"(a)); return r; }
__device__ int satu16(int a) { int r; asm("cvt.sat.u16.s32 %0, %1;" : "=r"(r) : "r"(a)); return r; }
__device__ int add_sat(int a, int b) { int r; asm("add.sat.s32 %0, %1, %2;" : "=r"(r) : "r"(a), "r"(b)); return r; }
__device__ int sub_sat(int a, int b) { int r; asm("sub.sat.s32 %0, %1, %2;" : "=r"(r) : "r"(a), "r"(b)); return r; }
)";
  const auto clamp = [](__int128 v, SL low, SL high) { return static_cast<S>(v < low ? low : v > high ? high : v); };
  check<S, S, S>({{"sat8(a)", [=](S a, S) { return clamp(a, -128, 127); }},
                  {"satu8(a)", [=](S a, S) { return clamp(a, 0, 255); }},
                  {"satu16(a)", [=](S a, S) { return clamp(a, 0, 65535); }},
                  {"add_sat(a, b)", [=](S a, S b) { return clamp(wide(a) + b, INT32_MIN, INT32_MAX); }},
                  {"sub_sat(a, b)", [=](S a, S b) { return clamp(wide(a) - b, INT32_MIN, INT32_MAX); }}},
                 pairs(edges<S>(), edges<S>()), prelude);
}

TEST_P(Integer, WorksOn16Bits) {
  using H = uint16_t;
  using SH = int16_t;
  const std::string prelude = R"(
__device__ unsigned short mul16(unsigned short a, unsigned short b) { unsigned short r; asm("mul.lo.u16 %0, %1, %2;" : "=h"(r) : "h"(a), "h"(b)); return r; }
__device__ unsigned short hi16(unsigned short a, unsigned short b) { unsigned short r; asm("mul.hi.s16 %0, %1, %2;" : "=h"(r) : "h"(a), "h"(b)); return r; }
__device__ unsigned short add16(unsigned short a, unsigned short b) { unsigned short r; asm("add.u16 %0, %1, %2;" : "=h"(r) : "h"(a), "h"(b)); return r; }
__device__ unsigned short min16(unsigned short a, unsigned short b) { unsigned short r; asm("min.s16 %0, %1, %2;" : "=h"(r) : "h"(a), "h"(b)); return r; }
)";
  check<H, H, H>(
      {{"mul16(a, b)", [](H a, H b) { return static_cast<H>(U{a} * b); }},
       {"hi16(a, b)", [](H a, H b) { return static_cast<H>((S{static_cast<SH>(a)} * static_cast<SH>(b)) >> 16); }},
       {"add16(a, b)", [](H a, H b) { return static_cast<H>(a + b); }},
       {"min16(a, b)", [](H a, H b) { return static_cast<H>(std::min(static_cast<SH>(a), static_cast<SH>(b))); }}},
      pairs(edges<H>(), edges<H>()), prelude);
}

}  // namespace
}  // namespace simulator::tests
