// cvt: between integers, floats and the small formats.
#include <cmath>
#include <limits>

#include "decode.h"
#include "lanes.h"
#include "numeric.h"

namespace simulator {

namespace {

// ---- the usual pairs ----

template <class S, class SR, class D, class DR>
const Op* integer_to_integer(Warp& w, const Op* op, uint32_t exec) {
  DR* d = destination<DR>(w, op->d);
  const SR* a = source<SR>(w, op->a);
  each_lane(w, d, exec, [=](int i) { return static_cast<DR>(static_cast<D>(static_cast<S>(a[i]))); });
  return op + 1;
}
template <class S, class D>
const Op* to_float_nearest(Warp& w, const Op* op, uint32_t exec) {
  D* d = destination<D>(w, op->d);
  const S* a = source<S>(w, op->a);
  each_lane(w, d, exec, [=](int i) { return static_cast<D>(a[i]); });
  return op + 1;
}
const Op* f32_to_s32_truncated(Warp& w, const Op* op, uint32_t exec) {
  int32_t* d = destination<int32_t>(w, op->d);
  const float* a = source<float>(w, op->a);
  each_lane(w, d, exec, [=](int i) {
    float x = a[i];
    float in = x >= -0x1p31f && x < 0x1p31f ? x : 0.0f;
    int32_t r = static_cast<int32_t>(in);
    return x >= 0x1p31f ? INT32_MAX : x < -0x1p31f ? INT32_MIN : r;
  });
  return op + 1;
}
const Op* f32_to_bf16(Warp& w, const Op* op, uint32_t exec) {
  uint16_t* d = destination<uint16_t>(w, op->d);
  const float* a = source<float>(w, op->a);
  each_lane(w, d, exec, [=](int i) { return float_to_bf16(a[i]); });
  return op + 1;
}
const Op* f32_pair_to_bf16(Warp& w, const Op* op, uint32_t exec) {
  uint32_t* d = destination<uint32_t>(w, op->d);
  const float *a = source<float>(w, op->a), *b = source<float>(w, op->b);
  each_lane(w, d, exec, [=](int i) { return uint32_t{float_to_bf16(a[i])} << 16 | float_to_bf16(b[i]); });
  return op + 1;
}
// A shift: NaNs keep their bits.
const Op* bf16_to_f32(Warp& w, const Op* op, uint32_t exec) {
  float* d = destination<float>(w, op->d);
  const uint16_t* a = source<uint16_t>(w, op->a);
  each_lane(w, d, exec, [=](int i) { return bf16_to_float(a[i]); });
  return op + 1;
}
const Op* f16_to_f32(Warp& w, const Op* op, uint32_t exec) {
  float* d = destination<float>(w, op->d);
  const uint16_t* a = source<uint16_t>(w, op->a);
  for_lanes(exec, [=](int i) { d[i] = canonical(f16_to_float(a[i])); });
  return op + 1;
}
const Op* f32_to_f16(Warp& w, const Op* op, uint32_t exec) {
  uint16_t* d = destination<uint16_t>(w, op->d);
  const float* a = source<float>(w, op->a);
  for_lanes(exec, [=](int i) { d[i] = float_to_f16(a[i]); });
  return op + 1;
}
const Op* f32_pair_to_f16(Warp& w, const Op* op, uint32_t exec) {
  uint32_t* d = destination<uint32_t>(w, op->d);
  const float *a = source<float>(w, op->a), *b = source<float>(w, op->b);
  for_lanes(exec, [=](int i) { d[i] = uint32_t{float_to_f16(a[i])} << 16 | float_to_f16(b[i]); });
  return op + 1;
}

// ---- any pair, lane by lane, through int64/uint64 or double ----

enum class ToIntegral : uint8_t { no, nearest, zero, down, up };

struct Conversion {
  Type to, from;
  unsigned to_bytes, from_bytes;  // of the registers
  Rounding rounding;
  ToIntegral integral;
  bool ftz, sat, relu, satfinite;
};

uint64_t read_bits(const Warp& w, OperandRef r, unsigned bytes, int lane) {
  switch (bytes) {
    case 2:
      return source<uint16_t>(w, r)[lane];
    case 4:
      return source<uint32_t>(w, r)[lane];
    default:
      return source<uint64_t>(w, r)[lane];
  }
}
void write_bits(const Warp& w, OperandRef r, unsigned bytes, int lane, uint64_t value) {
  switch (bytes) {
    case 2:
      destination<uint16_t>(w, r)[lane] = static_cast<uint16_t>(value);
      break;
    case 4:
      destination<uint32_t>(w, r)[lane] = static_cast<uint32_t>(value);
      break;
    default:
      destination<uint64_t>(w, r)[lane] = value;
      break;
  }
}

int64_t extend(Type t, uint64_t bits) {
  switch (t) {
    case Type::s8:
      return static_cast<int8_t>(bits);
    case Type::s16:
      return static_cast<int16_t>(bits);
    case Type::s32:
      return static_cast<int32_t>(bits);
    case Type::u8:
    case Type::b8:
      return static_cast<uint8_t>(bits);
    case Type::u16:
    case Type::b16:
      return static_cast<uint16_t>(bits);
    case Type::u32:
    case Type::b32:
      return static_cast<uint32_t>(bits);
    default:
      return static_cast<int64_t>(bits);
  }
}

double integral(double x, ToIntegral how) {
  switch (how) {
    case ToIntegral::nearest:
      return std::nearbyint(x);
    case ToIntegral::zero:
      return std::trunc(x);
    case ToIntegral::down:
      return std::floor(x);
    case ToIntegral::up:
      return std::ceil(x);
    default:
      return x;
  }
}

uint64_t integer_from_double(double x, Type t, Type from) {
  unsigned bits = 8 * type_bytes(t);
  // A NaN gives the top bit alone when either side has 64 bits, else zero.
  if (x != x) return from == Type::f64 || bits == 64 ? uint64_t{1} << (bits - 1) : 0;
  if (is_signed(t)) {
    double limit = std::ldexp(1.0, static_cast<int>(bits) - 1);
    if (x >= limit) return (uint64_t{1} << (bits - 1)) - 1;
    if (x < -limit) return ~uint64_t{0} << (bits - 1);
    return static_cast<uint64_t>(static_cast<int64_t>(x));
  }
  double limit = std::ldexp(1.0, static_cast<int>(bits));
  if (x >= limit) return bits == 64 ? ~uint64_t{0} : (uint64_t{1} << bits) - 1;
  if (x < 0) return 0;
  return static_cast<uint64_t>(x);
}

uint64_t saturate_integer(int64_t value, bool is_unsigned64, Type t) {
  unsigned bits = 8 * type_bytes(t);
  if (is_signed(t)) {
    int64_t high = bits == 64 ? INT64_MAX : (int64_t{1} << (bits - 1)) - 1, low = -high - 1;
    if (is_unsigned64 && value < 0) return static_cast<uint64_t>(high);
    return static_cast<uint64_t>(value > high ? high : value < low ? low : value);
  }
  if (is_unsigned64 && value < 0) return bits == 64 ? static_cast<uint64_t>(value) : (uint64_t{1} << bits) - 1;
  if (value < 0) return 0;
  uint64_t high = bits == 64 ? ~uint64_t{0} : (uint64_t{1} << bits) - 1;
  return static_cast<uint64_t>(value) > high ? high : static_cast<uint64_t>(value);
}

bool is_float(Type t) {
  return t == Type::f16 || t == Type::bf16 || t == Type::f32 || t == Type::f64 || t == Type::tf32 || t == Type::e4m3 ||
         t == Type::e5m2;
}

double double_from_bits(Type t, uint64_t bits, bool ftz) {
  switch (t) {
    case Type::f16:
      return static_cast<double>(f16_to_float(static_cast<uint16_t>(bits)));
    case Type::bf16:
      return static_cast<double>(bf16_to_float(static_cast<uint16_t>(bits)));
    case Type::f64:
      return bit_cast<double>(bits);
    default: {
      float x = bit_cast<float>(static_cast<uint32_t>(bits));
      return static_cast<double>(ftz ? flush(x) : x);
    }
  }
}

uint64_t bits_from_double(double x, const Conversion& c) {
  if (c.sat) x = x > 0 ? (x < 1 ? x : 1.0) : 0.0;
  if (c.relu && (x < 0 || (x == 0 && std::signbit(x)))) x = 0;
  switch (c.to) {
    case Type::f16: {
      uint16_t r = to_f16(x, c.rounding);
      if (c.satfinite && (r & 0x7FFF) == 0x7C00) r = static_cast<uint16_t>((r & 0x8000) | 0x7BFF);
      return r;
    }
    case Type::bf16: {
      uint16_t r = to_bf16(x, c.rounding);
      if (c.satfinite && (r & 0x7FFF) == 0x7F80) r = static_cast<uint16_t>((r & 0x8000) | 0x7F7F);
      return r;
    }
    case Type::f64:
      return bit_cast<uint64_t>(x);
    case Type::tf32:
      return bit_cast<uint32_t>(to_tf32(static_cast<float>(x), c.rounding));
    default: {
      float r = to_f32(x, c.rounding);
      if (c.ftz) r = flush(r);
      return bit_cast<uint32_t>(canonical(r));
    }
  }
}

// Integers to floats under a rounding: 64-bit ones do not fit in a double.
uint64_t float_from_integer(int64_t value, bool is_unsigned64, const Conversion& c) {
  bool negative = !is_unsigned64 && value < 0;
  uint64_t magnitude = negative ? 0 - static_cast<uint64_t>(value) : static_cast<uint64_t>(value);
  if (c.to == Type::f64) {
    RoundingScope scope(c.rounding);
    volatile uint64_t v = static_cast<uint64_t>(value);
    volatile double x = is_unsigned64 ? static_cast<double>(v) : static_cast<double>(static_cast<int64_t>(v));
    return bit_cast<uint64_t>(static_cast<double>(x));
  }
  // Keep 54 bits and a sticky one, so that the next rounding is the only one that counts.
  int shift = 0;
  while (magnitude >> 53) {
    magnitude = magnitude >> 1 | (magnitude & 1);
    ++shift;
  }
  double x = std::ldexp(static_cast<double>(magnitude), shift);
  return bits_from_double(negative ? -x : x, c);
}

uint64_t convert(const Conversion& c, uint64_t bits) {
  bool from_float = is_float(c.from), to_float = is_float(c.to);
  bool is_unsigned64 = c.from == Type::u64 || c.from == Type::b64;
  if (!from_float && !to_float) {
    int64_t value = extend(c.from, bits);
    uint64_t result = c.sat ? saturate_integer(value, is_unsigned64, c.to) : static_cast<uint64_t>(value);
    return static_cast<uint64_t>(extend(c.to, result));
  }
  if (!from_float) return float_from_integer(extend(c.from, bits), is_unsigned64, c);
  double x = integral(double_from_bits(c.from, bits, c.ftz), c.integral);
  if (!to_float) return static_cast<uint64_t>(extend(c.to, integer_from_double(x, c.to, c.from)));
  if (c.to == c.from && !c.sat && c.to == Type::f64) return bit_cast<uint64_t>(x);
  return bits_from_double(x, c);
}

const Op* convert_any(Warp& w, const Op* op, uint32_t exec) {
  const Conversion& c = *static_cast<const Conversion*>(op->data);
  for_lanes(exec,
            [&](int i) { write_bits(w, op->d, c.to_bytes, i, convert(c, read_bits(w, op->a, c.from_bytes, i))); });
  return op + 1;
}

// Two f32 to a pair of a small format: a in the upper half, b in the lower.
const Op* convert_pair(Warp& w, const Op* op, uint32_t exec) {
  const Conversion& c = *static_cast<const Conversion*>(op->data);
  const float *a = source<float>(w, op->a), *b = source<float>(w, op->b);
  uint32_t* d = destination<uint32_t>(w, op->d);
  for_lanes(exec, [&](int i) {
    uint64_t high = bits_from_double(static_cast<double>(a[i]), c),
             low = bits_from_double(static_cast<double>(b[i]), c);
    d[i] = static_cast<uint32_t>(high << 16 | low);
  });
  return op + 1;
}

uint16_t pair_of_e4m3_or_e5m2(bool e4m3, double high, double low, bool relu) {
  auto one = [&](double x) -> uint32_t {
    if (relu && (x < 0 || (x == 0 && std::signbit(x)))) x = 0;
    return e4m3 ? to_e4m3(x) : to_e5m2(x);
  };
  return static_cast<uint16_t>(one(high) << 8 | one(low));
}
const Op* f32_pair_to_fp8(Warp& w, const Op* op, uint32_t exec) {
  const Conversion& c = *static_cast<const Conversion*>(op->data);
  const float *a = source<float>(w, op->a), *b = source<float>(w, op->b);
  uint16_t* d = destination<uint16_t>(w, op->d);
  for_lanes(exec, [&](int i) {
    d[i] = pair_of_e4m3_or_e5m2(c.to == Type::e4m3x2, static_cast<double>(a[i]), static_cast<double>(b[i]), c.relu);
  });
  return op + 1;
}
const Op* f16_pair_to_fp8(Warp& w, const Op* op, uint32_t exec) {
  const Conversion& c = *static_cast<const Conversion*>(op->data);
  const uint32_t* a = source<uint32_t>(w, op->a);
  uint16_t* d = destination<uint16_t>(w, op->d);
  for_lanes(exec, [&](int i) {
    d[i] =
        pair_of_e4m3_or_e5m2(c.to == Type::e4m3x2, static_cast<double>(f16_to_float(static_cast<uint16_t>(a[i] >> 16))),
                             static_cast<double>(f16_to_float(static_cast<uint16_t>(a[i]))), c.relu);
  });
  return op + 1;
}
const Op* fp8_pair_to_f16(Warp& w, const Op* op, uint32_t exec) {
  const Conversion& c = *static_cast<const Conversion*>(op->data);
  const uint16_t* a = source<uint16_t>(w, op->a);
  uint32_t* d = destination<uint32_t>(w, op->d);
  for_lanes(exec, [&](int i) {
    auto one = [&](uint8_t v) -> uint32_t {
      uint16_t r = float_to_f16(c.from == Type::e4m3x2 ? e4m3_to_float(v) : e5m2_to_float(v));
      bool nan = (r & 0x7FFF) > 0x7C00;
      return c.relu && !nan && (r & 0x8000) ? 0u : r;
    };
    d[i] = one(static_cast<uint8_t>(a[i] >> 8)) << 16 | one(static_cast<uint8_t>(a[i]));
  });
  return op + 1;
}

// cvt.pack.sat: a and b saturated to 16 or 8 bits, put above the lower part of c.
const Op* convert_pack(Warp& w, const Op* op, uint32_t exec) {
  Type t = static_cast<Type>(op->small[0]);
  bool has_c = op->c != no_operand;
  const int32_t *a = source<int32_t>(w, op->a), *b = source<int32_t>(w, op->b);
  const uint32_t* c = has_c ? source<uint32_t>(w, op->c) : nullptr;
  uint32_t* d = destination<uint32_t>(w, op->d);
  unsigned bits = op->small[1];
  for_lanes(exec, [&](int i) {
    uint32_t mask = (1u << bits) - 1;
    uint32_t high = static_cast<uint32_t>(saturate_integer(a[i], false, t)) & mask;
    uint32_t low = static_cast<uint32_t>(saturate_integer(b[i], false, t)) & mask;
    uint32_t both = high << bits | low;
    d[i] = has_c ? c[i] << (2 * bits) | both : both;
  });
  return op + 1;
}

// ---- decoding ----

template <class S>
OpFunction integer_body(Type to, unsigned to_bytes, unsigned from_bytes) {
  using SR = std::conditional_t<sizeof(S) == 1, uint16_t, typename UnsignedOf<sizeof(S)>::type>;
  if (from_bytes != sizeof(SR)) return nullptr;
  switch (to) {
    case Type::u8:
      return to_bytes == 2 ? &integer_to_integer<S, SR, uint8_t, uint16_t> : nullptr;
    case Type::s8:
      return to_bytes == 2 ? &integer_to_integer<S, SR, int8_t, uint16_t> : nullptr;
    case Type::u16:
    case Type::s16:
      return to_bytes == 2 ? &integer_to_integer<S, SR, uint16_t, uint16_t> : nullptr;
    case Type::u32:
    case Type::s32:
      return to_bytes == 4 ? &integer_to_integer<S, SR, uint32_t, uint32_t> : nullptr;
    case Type::u64:
    case Type::s64:
      return to_bytes == 8 ? &integer_to_integer<S, SR, uint64_t, uint64_t> : nullptr;
    default:
      return nullptr;
  }
}

OpFunction usual_body(const Conversion& c) {
  if (c.sat || c.relu || c.satfinite) return nullptr;
  bool from_float = is_float(c.from), to_float = is_float(c.to);
  if (!from_float && !to_float) {
    switch (c.from) {
      case Type::u8:
        return integer_body<uint8_t>(c.to, c.to_bytes, c.from_bytes);
      case Type::s8:
        return integer_body<int8_t>(c.to, c.to_bytes, c.from_bytes);
      case Type::u16:
        return integer_body<uint16_t>(c.to, c.to_bytes, c.from_bytes);
      case Type::s16:
        return integer_body<int16_t>(c.to, c.to_bytes, c.from_bytes);
      case Type::u32:
        return integer_body<uint32_t>(c.to, c.to_bytes, c.from_bytes);
      case Type::s32:
        return integer_body<int32_t>(c.to, c.to_bytes, c.from_bytes);
      case Type::u64:
      case Type::s64:
        return integer_body<uint64_t>(c.to, c.to_bytes, c.from_bytes);
      default:
        return nullptr;
    }
  }
  if (c.rounding == Rounding::nearest && c.integral == ToIntegral::no) {
    if (c.to == Type::f32 && c.to_bytes == 4) {
      if (c.from == Type::s32 && c.from_bytes == 4) return &to_float_nearest<int32_t, float>;
      if (c.from == Type::u32 && c.from_bytes == 4) return &to_float_nearest<uint32_t, float>;
      if (c.from == Type::bf16 && !c.ftz) return &bf16_to_f32;
      if (c.from == Type::f16 && !c.ftz) return &f16_to_f32;
    }
    if (c.to == Type::f64 && c.from == Type::s32 && c.from_bytes == 4) return &to_float_nearest<int32_t, double>;
    if (c.to == Type::f64 && c.from == Type::u32 && c.from_bytes == 4) return &to_float_nearest<uint32_t, double>;
    if (c.to == Type::f64 && c.from == Type::f32 && !c.ftz) return &to_float_nearest<float, double>;
    if (c.from == Type::f32 && c.to == Type::bf16 && c.to_bytes == 2 && !c.ftz) return &f32_to_bf16;
    if (c.from == Type::f32 && c.to == Type::f16 && c.to_bytes == 2 && !c.ftz) return &f32_to_f16;
  }
  if (c.from == Type::f32 && c.to == Type::s32 && c.integral == ToIntegral::zero && c.to_bytes == 4 && !c.ftz)
    return &f32_to_s32_truncated;
  return nullptr;
}

void decode_cvt_pack(Decoder& d) {
  d.take("sat");
  Type to = d.take_type(), from = d.take_type(), lower = Type::none;
  bool has_c = d.take_type(&lower);
  if (from != Type::s32) d.fail("cvt.pack needs .s32 sources");
  if (to != Type::s16 && to != Type::u16 && to != Type::s8 && to != Type::u8) d.fail("this cvt.pack is not supported");
  d.expect_operands(has_c ? 4 : 3);
  d.op.d = d.destination(0, Type::b32);
  d.op.a = d.source(1, Type::s32);
  d.op.b = d.source(2, Type::s32);
  if (has_c) d.op.c = d.source(3, Type::b32);
  d.op.small[0] = static_cast<uint16_t>(to);
  d.op.small[1] = static_cast<uint16_t>(8 * type_bytes(to));
  d.emit(&convert_pack);
}

void decode_cvt(Decoder& d) {
  d.set_class(OpClass::cvt);
  if (d.take("pack")) return decode_cvt_pack(d);
  Conversion c{};
  int r = d.take_one_of({"rn", "rz", "rm", "rp", "rna"});
  if (r >= 0) c.rounding = static_cast<Rounding>(r);
  int i = d.take_one_of({"rni", "rzi", "rmi", "rpi"});
  if (i >= 0) c.integral = static_cast<ToIntegral>(i + 1);
  c.ftz = d.take("ftz");
  c.sat = d.take("sat");
  c.satfinite = d.take("satfinite");
  c.relu = d.take("relu");
  c.to = d.take_type();
  c.from = d.take_type();
  switch (c.to) {
    case Type::f16x2:
    case Type::bf16x2:
      if (c.from == Type::e4m3x2 || c.from == Type::e5m2x2) {
        d.expect_operands(2);
        d.op.d = d.destination(0, Type::b32);
        d.op.a = d.source(1, Type::b16);
        d.op.data = d.out.new_data(c);
        return d.emit(&fp8_pair_to_f16);
      }
      if (c.from != Type::f32) d.fail("this conversion is not supported");
      d.expect_operands(3);
      d.op.d = d.destination(0, Type::b32);
      d.op.a = d.source(1, Type::f32);
      d.op.b = d.source(2, Type::f32);
      if (c.rounding == Rounding::nearest && !c.relu && !c.satfinite)
        return d.emit(c.to == Type::f16x2 ? &f32_pair_to_f16 : &f32_pair_to_bf16);
      c.to = c.to == Type::f16x2 ? Type::f16 : Type::bf16;
      d.op.data = d.out.new_data(c);
      return d.emit(&convert_pair);
    case Type::e4m3x2:
    case Type::e5m2x2:
      if (!c.satfinite) d.fail("conversions to 8-bit floats need .satfinite");
      d.op.data = d.out.new_data(c);
      d.op.d = d.destination(0, Type::b16);
      if (c.from == Type::f16x2) {
        d.expect_operands(2);
        d.op.a = d.source(1, Type::b32);
        return d.emit(&f16_pair_to_fp8);
      }
      if (c.from != Type::f32) d.fail("this conversion is not supported");
      d.expect_operands(3);
      d.op.a = d.source(1, Type::f32);
      d.op.b = d.source(2, Type::f32);
      return d.emit(&f32_pair_to_fp8);
    default:
      break;
  }
  d.expect_operands(2);
  const Operand &to = d.operand(0), &from = d.operand(1);
  if (c.to == Type::pred || c.from == Type::pred || (!is_float(c.to) && !is_integer(c.to) && !is_bits(c.to)) ||
      (!is_float(c.from) && !is_integer(c.from) && !is_bits(c.from)))
    d.fail("this conversion is not supported");
  c.to_bytes = d.bytes_of(to, c.to);
  c.from_bytes = d.bytes_of(from, c.from);
  if (c.to_bytes < type_bytes(c.to) || c.from_bytes < type_bytes(c.from))
    d.fail("a register is too small for its type");
  d.op.d = d.destination_any(to, c.to);
  d.op.a = d.source_any(from, c.from);
  bool from_float = is_float(c.from), to_float = is_float(c.to);
  bool narrows = from_float && to_float && (type_bytes(c.to) < type_bytes(c.from) || c.to == Type::tf32);
  bool widens = from_float && to_float && type_bytes(c.to) > type_bytes(c.from);
  if ((narrows || (!from_float && to_float)) && r < 0) d.fail("the conversion needs a rounding modifier");
  if (from_float && !to_float && i < 0) d.fail("the conversion needs an integer rounding modifier");
  if ((widens || !to_float) && r >= 0) d.fail("the conversion takes no such rounding modifier");
  if (OpFunction body = usual_body(c)) return d.emit(body);
  d.op.data = d.out.new_data(c);
  d.emit(&convert_any);
}

}  // namespace

void add_convert_opcodes(Opcodes& table) { table["cvt"] = decode_cvt; }

}  // namespace simulator
