// Arithmetic of f16 and bf16, single and in pairs: computed exactly or in a wider format and rounded once.
#include <cmath>

#include "arithmetic.h"
#include "lanes.h"
#include "numeric.h"

namespace simulator {

namespace {

struct F16 {
  static float wide(uint16_t x) { return f16_to_float(x); }
  static uint16_t narrow(float x) { return float_to_f16(x); }
  static uint16_t narrow(double x) { return to_f16(x); }
  static uint16_t flush16(uint16_t x) { return (x & 0x7C00) ? x : static_cast<uint16_t>(x & 0x8000); }
  static constexpr uint16_t one = 0x3C00;
};
struct Bf16 {
  static float wide(uint16_t x) { return bf16_to_float(x); }
  static uint16_t narrow(float x) { return float_to_bf16(x); }
  static uint16_t narrow(double x) { return to_bf16(x); }
  static uint16_t flush16(uint16_t x) { return (x & 0x7F80) ? x : static_cast<uint16_t>(x & 0x8000); }
  static constexpr uint16_t one = 0x3F80;
};

// f32 has more than twice the bits and two: rounding twice is rounding once, for these three.
struct Add {
  template <class H>
  static uint16_t compute(uint16_t a, uint16_t b, uint16_t) {
    return H::narrow(H::wide(a) + H::wide(b));
  }
};
struct Sub {
  template <class H>
  static uint16_t compute(uint16_t a, uint16_t b, uint16_t) {
    return H::narrow(H::wide(a) - H::wide(b));
  }
};
struct Mul {
  template <class H>
  static uint16_t compute(uint16_t a, uint16_t b, uint16_t) {
    return H::narrow(H::wide(a) * H::wide(b));
  }
};
struct Fma {
  template <class H>
  static uint16_t compute(uint16_t a, uint16_t b, uint16_t c) {
    double product = static_cast<double>(H::wide(a)) * static_cast<double>(H::wide(b));  // exact
    return H::narrow(add_to_odd(product, static_cast<double>(H::wide(c))));
  }
};
template <bool maximum, bool nan, bool xorsign = false>
struct Pick {
  template <class H>
  static uint16_t compute(uint16_t a, uint16_t b, uint16_t) {
    if (xorsign) {
      uint16_t r = Pick<maximum, nan>::template compute<H>(a & 0x7FFF, b & 0x7FFF, 0);
      return r == canonical_nan16 ? r : static_cast<uint16_t>(r | ((a ^ b) & 0x8000));
    }
    float x = H::wide(a), y = H::wide(b);
    bool xn = x != x, yn = y != y;
    if (nan ? (xn || yn) : (xn && yn)) return canonical_nan16;
    if (xn) return b;
    if (yn) return a;
    if (x == y) return maximum ? ((a & 0x8000) ? b : a) : ((a & 0x8000) ? a : b);
    return (maximum ? x > y : x < y) ? a : b;
  }
};
struct Neg {
  template <class H>
  static uint16_t compute(uint16_t a, uint16_t, uint16_t) {
    return a ^ 0x8000;
  }
};
struct Abs {
  template <class H>
  static uint16_t compute(uint16_t a, uint16_t, uint16_t) {
    return a & 0x7FFF;
  }
};
struct Ex2 {
  template <class H>
  static uint16_t compute(uint16_t a, uint16_t, uint16_t) {
    return H::narrow(std::exp2(static_cast<double>(H::wide(a))));
  }
};
struct Tanh {
  template <class H>
  static uint16_t compute(uint16_t a, uint16_t, uint16_t) {
    return H::narrow(std::tanh(static_cast<double>(H::wide(a))));
  }
};

// small[0]: 1 ftz, 2 sat, 4 relu
template <class H, class F>
inline uint16_t apply(uint16_t a, uint16_t b, uint16_t c, unsigned flags) {
  if (flags & 1) a = H::flush16(a), b = H::flush16(b), c = H::flush16(c);
  uint16_t r = F::template compute<H>(a, b, c);
  if (flags) {
    if (flags & 1) r = H::flush16(r);
    bool nan = (r & 0x7FFF) > (H::one == 0x3C00 ? 0x7C00 : 0x7F80);
    if ((flags & 4) && !nan && (r & 0x8000)) r = 0;
    if (flags & 2) r = nan || (r & 0x8000) ? 0 : r > H::one ? H::one : r;
  }
  return r;
}

template <class H, class F, int operands>
const Op* single(Warp& w, const Op* op, uint32_t exec) {
  uint16_t* d = destination<uint16_t>(w, op->d);
  const uint16_t* a = source<uint16_t>(w, op->a);
  const uint16_t* b = operands > 1 ? source<uint16_t>(w, op->b) : a;
  const uint16_t* c = operands > 2 ? source<uint16_t>(w, op->c) : a;
  unsigned flags = op->small[0];
  for_lanes(exec, [=](int i) { d[i] = apply<H, F>(a[i], b[i], c[i], flags); });
  return op + 1;
}

template <class H, class F, int operands>
const Op* pair(Warp& w, const Op* op, uint32_t exec) {
  uint32_t* d = destination<uint32_t>(w, op->d);
  const uint32_t* a = source<uint32_t>(w, op->a);
  const uint32_t* b = operands > 1 ? source<uint32_t>(w, op->b) : a;
  const uint32_t* c = operands > 2 ? source<uint32_t>(w, op->c) : a;
  unsigned flags = op->small[0];
  for_lanes(exec, [=](int i) {
    uint32_t low =
        apply<H, F>(static_cast<uint16_t>(a[i]), static_cast<uint16_t>(b[i]), static_cast<uint16_t>(c[i]), flags);
    uint32_t high = apply<H, F>(static_cast<uint16_t>(a[i] >> 16), static_cast<uint16_t>(b[i] >> 16),
                                static_cast<uint16_t>(c[i] >> 16), flags);
    d[i] = low | high << 16;
  });
  return op + 1;
}

template <class F, int operands>
OpFunction body(Type t) {
  switch (t) {
    case Type::f16:
      return &single<F16, F, operands>;
    case Type::bf16:
      return &single<Bf16, F, operands>;
    case Type::f16x2:
      return &pair<F16, F, operands>;
    default:
      return &pair<Bf16, F, operands>;
  }
}

}  // namespace

void decode_small_float(Decoder& d, Type t, SmallFloatOp which) {
  d.set_class(which == SmallFloatOp::ex2 || which == SmallFloatOp::tanh ? OpClass::sfu : OpClass::fp16);
  d.take("rn");
  d.take("approx");
  bool nan = d.take("NaN"), xorsign = d.take("xorsign");
  if (xorsign && !d.take("abs")) d.fail("xorsign needs .abs");
  unsigned flags = (d.take("ftz") ? 1u : 0u) | (d.take("sat") ? 2u : 0u) | (d.take("relu") ? 4u : 0u);
  d.op.small[0] = static_cast<uint16_t>(flags);
  size_t operands = which == SmallFloatOp::fma ? 3
                    : which == SmallFloatOp::neg || which == SmallFloatOp::abs || which == SmallFloatOp::ex2 ||
                            which == SmallFloatOp::tanh
                        ? 1
                        : 2;
  d.expect_operands(operands + 1);
  d.op.d = d.destination(0, t);
  d.op.a = d.source(1, t);
  if (operands > 1) d.op.b = d.source(2, t);
  if (operands > 2) d.op.c = d.source(3, t);
  switch (which) {
    case SmallFloatOp::add:
      return d.emit(body<Add, 2>(t));
    case SmallFloatOp::sub:
      return d.emit(body<Sub, 2>(t));
    case SmallFloatOp::mul:
      return d.emit(body<Mul, 2>(t));
    case SmallFloatOp::fma:
      return d.emit(body<Fma, 3>(t));
    case SmallFloatOp::min:
      if (xorsign) return d.emit(nan ? body<Pick<false, true, true>, 2>(t) : body<Pick<false, false, true>, 2>(t));
      return d.emit(nan ? body<Pick<false, true>, 2>(t) : body<Pick<false, false>, 2>(t));
    case SmallFloatOp::max:
      if (xorsign) return d.emit(nan ? body<Pick<true, true, true>, 2>(t) : body<Pick<true, false, true>, 2>(t));
      return d.emit(nan ? body<Pick<true, true>, 2>(t) : body<Pick<true, false>, 2>(t));
    case SmallFloatOp::neg:
      return d.emit(body<Neg, 1>(t));
    case SmallFloatOp::abs:
      return d.emit(body<Abs, 1>(t));
    case SmallFloatOp::ex2:
      return d.emit(body<Ex2, 1>(t));
    case SmallFloatOp::tanh:
      return d.emit(body<Tanh, 1>(t));
  }
}

}  // namespace simulator
