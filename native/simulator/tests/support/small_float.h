// Small floating-point formats by their definition: an exact value for every pattern, and the pattern nearest
// to a value.
#pragma once

#include <cmath>
#include <cstdint>

namespace simulator::tests {

struct SmallFormat {
  int exponent_bits, mantissa_bits;
  bool has_infinity = true;  // e4m3 has none: its top exponent is finite but for the all-ones mantissa, which is NaN

  int bias() const { return (1 << (exponent_bits - 1)) - 1; }
  uint32_t sign_bit() const { return 1u << (exponent_bits + mantissa_bits); }
  uint32_t magnitude_mask() const { return sign_bit() - 1; }
  uint32_t largest_finite() const {
    const uint32_t all = magnitude_mask();
    return has_infinity ? all - (1u << mantissa_bits) : all - 1;
  }
  uint32_t infinity() const { return ((1u << exponent_bits) - 1) << mantissa_bits; }
  uint32_t nan() const { return has_infinity ? infinity() | (1u << (mantissa_bits - 1)) : magnitude_mask(); }

  bool is_nan(uint32_t bits) const {
    const uint32_t magnitude = bits & magnitude_mask();
    return has_infinity ? magnitude > infinity() : magnitude == magnitude_mask();
  }

  // (-1)^s * 2^(e - bias) * (1 + m / 2^M), or 2^(1 - bias) * m / 2^M where e is 0.
  double decode(uint32_t bits) const {
    const double sign = bits & sign_bit() ? -1.0 : 1.0;
    const uint32_t magnitude = bits & magnitude_mask();
    if (is_nan(bits)) return NAN;
    if (has_infinity && magnitude == infinity()) return sign * INFINITY;
    const int exponent = static_cast<int>(magnitude >> mantissa_bits);
    const double mantissa = magnitude & ((1u << mantissa_bits) - 1);
    const double scale = std::ldexp(1.0, -mantissa_bits);
    return exponent == 0 ? sign * std::ldexp(mantissa * scale, 1 - bias())
                         : sign * std::ldexp(1 + mantissa * scale, exponent - bias());
  }

  // Nearest, ties to the even pattern; or towards zero. Found by search among the patterns, which are in
  // order.
  uint32_t encode(double value, bool towards_zero, bool saturate_finite) const {
    if (std::isnan(value)) return nan();
    const uint32_t sign = std::signbit(value) ? sign_bit() : 0;
    const double magnitude = std::fabs(value);
    uint32_t low = 0, high = largest_finite();  // decode(low) <= magnitude
    const double top = decode(high);
    if (magnitude > top) {
      if (saturate_finite) return sign | high;
      if (towards_zero && std::isfinite(magnitude)) return sign | high;
      // Half a step past the largest finite value and everything above goes to infinity.
      const double step = top - decode(high - 1);
      return sign | (magnitude >= top + step / 2 ? infinity() : high);
    }
    while (low < high) {
      const uint32_t middle = low + (high - low + 1) / 2;
      if (decode(middle) <= magnitude)
        low = middle;
      else
        high = middle - 1;
    }
    if (decode(low) == magnitude || towards_zero) return sign | low;
    const double below = magnitude - decode(low), above = decode(low + 1) - magnitude;
    return sign | (below < above || (below == above && low % 2 == 0) ? low : low + 1);
  }
};

constexpr SmallFormat half_format{5, 10};
constexpr SmallFormat bfloat16_format{8, 7};
constexpr SmallFormat e4m3_format{4, 3, false};
constexpr SmallFormat e5m2_format{5, 2};

}  // namespace simulator::tests
