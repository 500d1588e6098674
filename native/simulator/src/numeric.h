// Number formats of PTX that C++ does not have, and rounding other than to nearest.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>
#if defined(__F16C__)
#include <immintrin.h>
#endif

namespace simulator {

enum class Rounding : uint8_t { nearest, zero, down, up, away };  // .rn .rz .rm .rp .rna

template <class To, class From>
inline To bit_cast(From from) {
  static_assert(sizeof(To) == sizeof(From));
  To to;
  std::memcpy(&to, &from, sizeof to);
  return to;
}

constexpr uint32_t canonical_nan = 0x7FFFFFFF;  // of f32
constexpr uint16_t canonical_nan16 = 0x7FFF;    // of f16 and bf16

// Results of f32 arithmetic that are not a number are the canonical NaN.
inline float canonical(float x) { return x == x ? x : bit_cast<float>(canonical_nan); }
inline double canonical(double x) { return x; }

inline float flush(float x) {
  uint32_t bits = bit_cast<uint32_t>(x);
  return bit_cast<float>((bits & 0x7F800000) ? bits : bits & 0x80000000);
}
inline double flush(double x) { return x; }
template <bool ftz, class T>
inline T flush_if(T x) {
  return ftz ? flush(x) : x;
}

inline float f16_to_float(uint16_t h) {
#if defined(__F16C__)
  return _cvtsh_ss(h);
#else
  uint32_t sign = uint32_t{h & 0x8000u} << 16, exponent = h >> 10 & 31, mantissa = h & 0x3FF;
  if (exponent == 31) return bit_cast<float>(sign | 0x7F800000 | mantissa << 13);
  if (exponent == 0) {
    float value = static_cast<float>(mantissa) * 0x1p-24f;
    return sign ? -value : value;
  }
  return bit_cast<float>(sign | (exponent + 112) << 23 | mantissa << 13);
#endif
}
inline float bf16_to_float(uint16_t h) { return bit_cast<float>(uint32_t{h} << 16); }

// x to a format of E exponent and M mantissa bits, as bits with the sign on top. Overflow gives infinity or
// the largest finite number as the rounding says; NaN all ones below the sign.
template <int E, int M>
inline uint32_t encode(double x, Rounding mode) {
  constexpr int bias = (1 << (E - 1)) - 1;
  constexpr uint32_t infinity = ((1u << E) - 1) << M, largest = infinity - 1;
  uint64_t bits = bit_cast<uint64_t>(x);
  uint32_t sign = static_cast<uint32_t>(bits >> 63) << (E + M);
  bool negative = bits >> 63;
  uint64_t magnitude = bits & ~(uint64_t{1} << 63);
  if (magnitude > 0x7FF0000000000000ull) return (1u << (E + M)) - 1;
  if (magnitude == 0x7FF0000000000000ull) return sign | infinity;
  if (magnitude == 0) return sign;
  int exponent = static_cast<int>(magnitude >> 52) - 1023;
  uint64_t mantissa = (magnitude & 0xFFFFFFFFFFFFFull) | (magnitude >> 52 ? uint64_t{1} << 52 : 0);
  if (!(magnitude >> 52)) ++exponent;
  int shift = 52 - M;
  int encoded = exponent + bias;
  if (encoded <= 0) {
    shift += 1 - encoded;
    encoded = 0;
  }
  uint64_t kept, rest, half;
  if (shift > 62) {
    kept = 0, rest = 1, half = 2;
  } else {
    kept = mantissa >> shift;
    rest = mantissa & ((uint64_t{1} << shift) - 1);
    half = uint64_t{1} << (shift - 1);
  }
  bool up = false;
  switch (mode) {
    case Rounding::nearest:
      up = rest > half || (rest == half && (kept & 1));
      break;
    case Rounding::away:
      up = rest >= half;
      break;
    case Rounding::zero:
      break;
    case Rounding::down:
      up = negative && rest;
      break;
    case Rounding::up:
      up = !negative && rest;
      break;
  }
  uint64_t value = kept + (up ? 1 : 0);
  // kept has the leading one for normal numbers: adding it to (encoded - 1) << M makes the exponent.
  uint64_t result = encoded ? (static_cast<uint64_t>(encoded - 1) << M) + value : value;
  if (result >= infinity) {
    bool to_infinity = mode == Rounding::nearest || mode == Rounding::away || (mode == Rounding::down && negative) ||
                       (mode == Rounding::up && !negative);
    return sign | (to_infinity ? infinity : largest);
  }
  return sign | static_cast<uint32_t>(result);
}

inline uint16_t to_f16(double x, Rounding mode = Rounding::nearest) {
  return static_cast<uint16_t>(encode<5, 10>(x, mode));
}
inline uint16_t to_bf16(double x, Rounding mode = Rounding::nearest) {
  return static_cast<uint16_t>(encode<8, 7>(x, mode));
}
inline float to_f32(double x, Rounding mode) { return bit_cast<float>(encode<8, 23>(x, mode)); }

inline uint16_t float_to_f16(float x) {
#if defined(__F16C__)
  if (x != x) return canonical_nan16;
  return static_cast<uint16_t>(_cvtss_sh(x, 0));
#else
  return to_f16(static_cast<double>(x));
#endif
}
inline uint16_t float_to_bf16(float x) {
  uint32_t bits = bit_cast<uint32_t>(x);
  uint32_t rounded = (bits + 0x7FFF + (bits >> 16 & 1)) >> 16;
  return static_cast<uint16_t>(x != x ? canonical_nan16 : rounded);
}

// a + b rounded to odd: the result of a further rounding to at most 51 bits is that of the exact sum.
inline double add_to_odd(double a, double b) {
  double sum = a + b;
  double part = sum - a;
  double error = (a - (sum - part)) + (b - part);
  if (error == 0 || !(std::fabs(sum) < 1.0 / 0.0)) return sum;
  uint64_t bits = bit_cast<uint64_t>(sum);
  bits = (error > 0) == (sum > 0) ? bits | 1 : (bits - 1) | 1;
  return bit_cast<double>(bits);
}

// ---- 8-bit floats ----

// e4m3: no infinity, largest 448, NaN 0x7F. Conversions saturate (.satfinite).
inline uint8_t to_e4m3(double x) {
  if (x != x) return 0x7F;
  uint32_t sign = std::signbit(x) ? 0x80 : 0;
  double magnitude = std::fabs(x);
  if (magnitude >= 464) return static_cast<uint8_t>(sign | 0x7E);
  // The format is that of encode<4, 3> but that the highest exponent is an ordinary one.
  uint32_t bits = magnitude < 240 ? encode<4, 3>(magnitude, Rounding::nearest)
                                  : 0x70 + encode<4, 3>(magnitude / 2, Rounding::nearest) - 0x68;
  if (bits > 0x7E) bits = 0x7E;
  return static_cast<uint8_t>(sign | bits);
}
inline uint8_t to_e5m2(double x) {
  if (x != x) return 0x7F;
  uint32_t bits = encode<5, 2>(x, Rounding::nearest);
  if ((bits & 0x7F) >= 0x7C) bits = (bits & 0x80) | 0x7B;
  return static_cast<uint8_t>(bits);
}
inline float e4m3_to_float(uint8_t v) {
  uint32_t exponent = v >> 3 & 15, mantissa = v & 7;
  float value;
  if (exponent == 15 && mantissa == 7) return bit_cast<float>(canonical_nan);
  if (exponent == 0) {
    value = static_cast<float>(mantissa) * 0x1p-9f;
  } else {
    value = bit_cast<float>((exponent + 120) << 23 | mantissa << 20);
  }
  return v & 0x80 ? -value : value;
}
inline float e5m2_to_float(uint8_t v) { return f16_to_float(static_cast<uint16_t>(v << 8)); }

// The bits of f32 that tf32 keeps.
inline float to_tf32(float x, Rounding mode) {
  if (x != x) return bit_cast<float>(canonical_nan);
  uint32_t bits = bit_cast<uint32_t>(x);
  if ((bits & 0x7F800000) == 0x7F800000) return x;
  if (mode == Rounding::nearest) {
    bits += 0xFFF + (bits >> 13 & 1);
  } else if (mode == Rounding::away) {
    bits += 0x1000;
  }
  return bit_cast<float>(bits & ~0x1FFFu);
}

// While it lives, floating-point arithmetic of this thread rounds as asked. Computation must be kept inside
// by the caller: memory operands do, for the constructor and destructor are barriers.
class RoundingScope {
 public:
  explicit RoundingScope(Rounding mode);
  ~RoundingScope();
  RoundingScope(const RoundingScope&) = delete;
  RoundingScope& operator=(const RoundingScope&) = delete;

 private:
  unsigned saved_;
};

}  // namespace simulator
