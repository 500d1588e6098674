// Floating-point arithmetic: f32, f64; the opcodes it shares with integers and 16-bit floats.
#include <cmath>
#include <limits>
#include <type_traits>

#include "arithmetic.h"
#include "decode.h"
#include "lanes.h"
#include "numeric.h"

namespace simulator {

namespace {

template <class T>
inline T saturate(T x) {
  return x > T(0) ? (x < T(1) ? x : T(1)) : T(0);
}  // NaN gives 0

struct Add {
  template <class T>
  T operator()(T a, T b) const {
    return a + b;
  }
};
struct Sub {
  template <class T>
  T operator()(T a, T b) const {
    return a - b;
  }
};
struct Mul {
  template <class T>
  T operator()(T a, T b) const {
    return a * b;
  }
};
struct Div {
  template <class T>
  T operator()(T a, T b) const {
    return a / b;
  }
};
struct Rcp {
  template <class T>
  T operator()(T a) const {
    return T(1) / a;
  }
};
struct Sqrt {
  template <class T>
  T operator()(T a) const {
    return std::sqrt(a);
  }
};
struct Rsqrt {
  float operator()(float a) const { return static_cast<float>(1.0 / std::sqrt(static_cast<double>(a))); }
  double operator()(double a) const { return 1.0 / std::sqrt(a); }
};
struct Sin {
  float operator()(float a) const { return static_cast<float>(std::sin(static_cast<double>(a))); }
};
struct Cos {
  float operator()(float a) const { return static_cast<float>(std::cos(static_cast<double>(a))); }
};
struct Ex2 {
  float operator()(float a) const { return exp2f(a); }
};
struct Lg2 {
  float operator()(float a) const { return log2f(a); }
};
struct Tanh {
  float operator()(float a) const { return static_cast<float>(std::tanh(static_cast<double>(a))); }
};

// The smaller or larger of two: -0 is below +0; of a number and a NaN the number, or with `nan` the NaN. On the bits, which
// order like integers once the negative ones are turned around, so that the compiler makes vectors of it.
template <bool maximum, bool nan, class T>
inline T ordered(T x, T y) {
  using S = typename std::make_signed<typename UnsignedOf<sizeof(T)>::type>::type;
  constexpr S magnitude = std::numeric_limits<S>::max();
  const S infinity = bit_cast<S>(std::numeric_limits<T>::infinity());
  S a = bit_cast<S>(x), b = bit_cast<S>(y);
  S key_a = a ^ ((a >> (8 * sizeof(T) - 1)) & magnitude), key_b = b ^ ((b >> (8 * sizeof(T) - 1)) & magnitude);
  bool a_nan = (a & magnitude) > infinity, b_nan = (b & magnitude) > infinity;
  S r = maximum == (key_a < key_b) ? b : a;
  if (nan) return bit_cast<T>(a_nan ? a : b_nan ? b : r);
  return bit_cast<T>(a_nan ? b : b_nan ? a : r);
}
template <bool nan>
struct Min {
  template <class T>
  T operator()(T a, T b) const {
    return ordered<false, nan>(a, b);
  }
};
template <bool nan>
struct Max {
  template <class T>
  T operator()(T a, T b) const {
    return ordered<true, nan>(a, b);
  }
};

template <class T, class F, bool ftz, bool sat>
const Op* unary(Warp& w, const Op* op, uint32_t exec) {
  T* d = destination<T>(w, op->d);
  const T* a = source<T>(w, op->a);
  each_lane(w, d, exec, [=](int i) {
    T r = canonical(flush_if<ftz>(F()(flush_if<ftz>(a[i]))));
    return sat ? saturate(r) : r;
  });
  return op + 1;
}

// Calls of the mathematical library: only for lanes that execute.
template <class F, bool ftz>
const Op* approximate(Warp& w, const Op* op, uint32_t exec) {
  float* d = destination<float>(w, op->d);
  const float* a = source<float>(w, op->a);
  for_lanes(exec, [=](int i) { d[i] = canonical(flush_if<ftz>(F()(flush_if<ftz>(a[i])))); });
  return op + 1;
}

template <class T, class F, bool ftz, bool sat>
const Op* binary(Warp& w, const Op* op, uint32_t exec) {
  T* d = destination<T>(w, op->d);
  const T *a = source<T>(w, op->a), *b = source<T>(w, op->b);
  each_lane(w, d, exec, [=](int i) {
    T r = canonical(flush_if<ftz>(F()(flush_if<ftz>(a[i]), flush_if<ftz>(b[i]))));
    return sat ? saturate(r) : r;
  });
  return op + 1;
}

template <class T, bool ftz, bool sat>
const Op* fma(Warp& w, const Op* op, uint32_t exec) {
  T* d = destination<T>(w, op->d);
  const T *a = source<T>(w, op->a), *b = source<T>(w, op->b), *c = source<T>(w, op->c);
  each_lane(w, d, exec, [=](int i) {
    T r = canonical(flush_if<ftz>(std::fma(flush_if<ftz>(a[i]), flush_if<ftz>(b[i]), flush_if<ftz>(c[i]))));
    return sat ? saturate(r) : r;
  });
  return op + 1;
}

// The same body under another rounding.
template <OpFunction body>
const Op* rounded(Warp& w, const Op* op, uint32_t exec) {
  RoundingScope scope(static_cast<Rounding>(op->small[2]));
  body(w, op, exec);
  return op + 1;
}

template <class T, class F, bool xorsign>
const Op* min_max(Warp& w, const Op* op, uint32_t exec) {
  T* d = destination<T>(w, op->d);
  const T *a = source<T>(w, op->a), *b = source<T>(w, op->b);
  bool ftz = op->small[0];
  const T* c = op->c == no_operand ? nullptr : source<T>(w, op->c);
  if (!xorsign && !c) {
    if (ftz)
      each_lane(w, d, exec, [=](int i) { return canonical(F()(flush(a[i]), flush(b[i]))); });
    else
      each_lane(w, d, exec, [=](int i) { return canonical(F()(a[i], b[i])); });
    return op + 1;
  }
  for_lanes(exec, [=](int i) {
    T x = ftz ? flush(a[i]) : a[i], y = ftz ? flush(b[i]) : b[i];
    T r;
    if (xorsign) {
      bool negative = std::signbit(x) != std::signbit(y);
      r = std::copysign(F()(std::fabs(x), std::fabs(y)), negative ? T(-1) : T(1));
    } else {
      r = F()(x, y);
      if (c) r = F()(r, ftz ? flush(c[i]) : c[i]);
    }
    d[i] = canonical(r);
  });
  return op + 1;
}

template <class T, bool negate, bool ftz>
const Op* sign(Warp& w, const Op* op, uint32_t exec) {
  using U = typename UnsignedOf<sizeof(T)>::type;
  constexpr U top = U(1) << (8 * sizeof(T) - 1);
  T* d = destination<T>(w, op->d);
  const T* a = source<T>(w, op->a);
  each_lane(w, d, exec, [=](int i) {
    U bits = bit_cast<U>(flush_if<ftz>(a[i]));
    return bit_cast<T>(static_cast<U>(negate ? bits ^ top : bits & ~top));
  });
  return op + 1;
}

template <class T>
const Op* copysign(Warp& w, const Op* op, uint32_t exec) {
  using U = typename UnsignedOf<sizeof(T)>::type;
  constexpr U top = U(1) << (8 * sizeof(T) - 1);
  U* d = destination<U>(w, op->d);
  const U *a = source<U>(w, op->a), *b = source<U>(w, op->b);
  each_lane(w, d, exec, [=](int i) { return static_cast<U>((a[i] & top) | (b[i] & ~top)); });
  return op + 1;
}

template <class T>
const Op* testp(Warp& w, const Op* op, uint32_t exec) {
  const T* a = source<T>(w, op->a);
  uint32_t result = 0;
  for_lanes(exec, [&](int i) {
    int c = std::fpclassify(a[i]);
    bool yes = false;
    switch (op->small[0]) {
      case 0:
        yes = c != FP_NAN && c != FP_INFINITE;
        break;
      case 1:
        yes = c == FP_INFINITE;
        break;
      case 2:
        yes = c != FP_NAN;
        break;
      case 3:
        yes = c == FP_NAN;
        break;
      case 4:
        yes = c == FP_NORMAL;
        break;
      default:
        yes = c == FP_SUBNORMAL;
        break;
    }
    result |= (yes ? 1u : 0u) << i;
  });
  set_predicate(w, op->d, exec, result);
  return op + 1;
}

// ---- decoding ----

struct FloatForm {
  Rounding rounding = Rounding::nearest;
  bool ftz = false, sat = false, given = false;
};

FloatForm take_float_form(Decoder& d) {
  FloatForm form;
  int r = d.take_one_of({"rn", "rz", "rm", "rp"});
  if (r > 0) form.rounding = static_cast<Rounding>(r);
  form.given = r >= 0;
  form.ftz = d.take("ftz");
  form.sat = d.take("sat");
  return form;
}

// Chooses among the bodies for ftz and sat, under the rounding.
template <template <bool, bool> class Body>
OpFunction with_form(Decoder& d, const FloatForm& form) {
  d.op.small[2] = static_cast<uint16_t>(form.rounding);
  if (form.rounding != Rounding::nearest) {
    if (form.ftz) return form.sat ? &rounded<Body<true, true>::function> : &rounded<Body<true, false>::function>;
    return form.sat ? &rounded<Body<false, true>::function> : &rounded<Body<false, false>::function>;
  }
  if (form.ftz) return form.sat ? Body<true, true>::function : Body<true, false>::function;
  return form.sat ? Body<false, true>::function : Body<false, false>::function;
}

template <class T, class F>
struct BinaryBodies {
  template <bool ftz, bool sat>
  struct Body {
    static constexpr OpFunction function = &binary<T, F, ftz, sat>;
  };
};
template <class T, class F>
struct UnaryBodies {
  template <bool ftz, bool sat>
  struct Body {
    static constexpr OpFunction function = &unary<T, F, ftz, sat>;
  };
};
template <class T>
struct FmaBodies {
  template <bool ftz, bool sat>
  struct Body {
    static constexpr OpFunction function = &fma<T, ftz, sat>;
  };
};

void float_class(Decoder& d, Type t) { d.set_class(t == Type::f64 ? OpClass::fp64 : OpClass::fp32); }

template <class F>
void decode_binary_float(Decoder& d, Type t) {
  float_class(d, t);
  FloatForm form = take_float_form(d);
  d.expect_operands(3);
  d.op.d = d.destination(0, t);
  d.op.a = d.source(1, t);
  d.op.b = d.source(2, t);
  d.emit(t == Type::f32 ? with_form<BinaryBodies<float, F>::template Body>(d, form)
                        : with_form<BinaryBodies<double, F>::template Body>(d, form));
}

void decode_add(Decoder& d) {
  bool subtract = d.in.opcode == "sub";
  Type t = d.take_type();
  if (is_small_float(t)) return decode_small_float(d, t, subtract ? SmallFloatOp::sub : SmallFloatOp::add);
  if (t != Type::f32 && t != Type::f64) return decode_add_integer(d, t, subtract);
  subtract ? decode_binary_float<Sub>(d, t) : decode_binary_float<Add>(d, t);
}

void decode_mul(Decoder& d) {
  Type t = d.take_type();
  if (is_small_float(t)) return decode_small_float(d, t, SmallFloatOp::mul);
  if (t != Type::f32 && t != Type::f64) return decode_mul_integer(d, t);
  decode_binary_float<Mul>(d, t);
}

void decode_fma(Decoder& d) {
  Type t = d.take_type();
  if (is_small_float(t)) return decode_small_float(d, t, SmallFloatOp::fma);
  if (t != Type::f32 && t != Type::f64) {
    if (d.in.opcode == "mad") return decode_mad_integer(d, t);
    d.fail("fma of this type is not known");
  }
  float_class(d, t);
  FloatForm form = take_float_form(d);
  d.expect_operands(4);
  d.op.d = d.destination(0, t);
  d.op.a = d.source(1, t);
  d.op.b = d.source(2, t);
  d.op.c = d.source(3, t);
  d.emit(t == Type::f32 ? with_form<FmaBodies<float>::Body>(d, form) : with_form<FmaBodies<double>::Body>(d, form));
}

void decode_div(Decoder& d) {
  bool approx = d.take("approx"), whole = d.take("full");
  Type t = d.take_type();
  if (t != Type::f32 && t != Type::f64) return decode_div_integer(d, t);
  bool rounded = false;
  for (const std::string& m : d.in.modifiers) rounded |= m == "rn" || m == "rz" || m == "rm" || m == "rp";
  if (!approx && !whole && !rounded) d.fail("a rounding modifier, .approx or .full is needed");
  decode_binary_float<Div>(d, t);
  if (approx || whole) d.out.ops.back().info.op_class = OpClass::sfu;
  if (!approx && !whole) d.out.ops.back().info.op_class = t == Type::f64 ? OpClass::fp64 : OpClass::sfu;
}

template <class F>
void decode_unary_float(Decoder& d) {
  bool approx = d.take("approx");
  Type t = d.take_type();
  FloatForm form = take_float_form(d);
  if (!approx && !form.given) d.fail("a rounding modifier or .approx is needed");
  bool divides = d.in.opcode == "rcp" && !approx;
  d.set_class(t == Type::f64 ? OpClass::fp64 : divides ? OpClass::fp32 : OpClass::sfu);
  d.expect_operands(2);
  d.op.d = d.destination(0, t);
  d.op.a = d.source(1, t);
  if (t != Type::f32 && t != Type::f64) d.fail("the type must be .f32 or .f64");
  d.emit(t == Type::f32 ? with_form<UnaryBodies<float, F>::template Body>(d, form)
                        : with_form<UnaryBodies<double, F>::template Body>(d, form));
}

template <class F>
void decode_approximate(Decoder& d) {
  d.take("approx");
  Type t = d.take_type();
  if (is_small_float(t)) return decode_small_float(d, t, d.in.opcode == "ex2" ? SmallFloatOp::ex2 : SmallFloatOp::tanh);
  bool ftz = d.take("ftz");
  d.set_class(OpClass::sfu);
  if (t != Type::f32) d.fail("the type must be .f32");
  d.expect_operands(2);
  d.op.d = d.destination(0, t);
  d.op.a = d.source(1, t);
  d.emit(ftz ? &approximate<F, true> : &approximate<F, false>);
}

template <bool maximum>
OpFunction min_max_body(Type t, bool nan, bool xorsign) {
  using Plain = std::conditional_t<maximum, Max<false>, Min<false>>;
  using Nan = std::conditional_t<maximum, Max<true>, Min<true>>;
  if (t == Type::f64) return &min_max<double, Plain, false>;
  if (xorsign) return nan ? &min_max<float, Nan, true> : &min_max<float, Plain, true>;
  return nan ? &min_max<float, Nan, false> : &min_max<float, Plain, false>;
}

void decode_min_max(Decoder& d) {
  bool maximum = d.in.opcode == "max";
  Type t = d.take_type();
  if (is_small_float(t)) return decode_small_float(d, t, maximum ? SmallFloatOp::max : SmallFloatOp::min);
  if (t != Type::f32 && t != Type::f64) return decode_min_max_integer(d, t, maximum);
  float_class(d, t);
  d.op.small[0] = d.take("ftz");
  bool nan = d.take("NaN"), xorsign = d.take("xorsign");
  if (xorsign && !d.take("abs")) d.fail("xorsign needs .abs");
  d.expect_operands(3);
  d.op.d = d.destination(0, t);
  d.op.a = d.source(1, t);
  d.op.b = d.source(2, t);
  d.emit(maximum ? min_max_body<true>(t, nan, xorsign) : min_max_body<false>(t, nan, xorsign));
}

void decode_sign(Decoder& d) {
  bool negate = d.in.opcode == "neg";
  Type t = d.take_type();
  if (is_small_float(t)) return decode_small_float(d, t, negate ? SmallFloatOp::neg : SmallFloatOp::abs);
  if (t != Type::f32 && t != Type::f64) return decode_abs_neg_integer(d, t, negate);
  float_class(d, t);
  bool ftz = d.take("ftz");
  d.expect_operands(2);
  d.op.d = d.destination(0, t);
  d.op.a = d.source(1, t);
  if (t == Type::f64) return d.emit(negate ? &sign<double, true, false> : &sign<double, false, false>);
  if (ftz) return d.emit(negate ? &sign<float, true, true> : &sign<float, false, true>);
  d.emit(negate ? &sign<float, true, false> : &sign<float, false, false>);
}

void decode_copysign(Decoder& d) {
  Type t = d.take_type();
  float_class(d, t);
  d.expect_operands(3);
  d.op.d = d.destination(0, t);
  d.op.a = d.source(1, t);
  d.op.b = d.source(2, t);
  d.emit(t == Type::f32 ? &copysign<float> : &copysign<double>);
}

void decode_testp(Decoder& d) {
  int what = d.take_one_of({"finite", "infinite", "number", "notanumber", "normal", "subnormal"});
  Type t = d.take_type();
  float_class(d, t);
  d.expect_operands(2);
  d.op.d = d.predicate_destination(d.operand(0));
  d.op.a = d.source(1, t);
  if (what < 0) d.fail("unknown test");
  d.op.small[0] = static_cast<uint16_t>(what);
  d.emit(t == Type::f32 ? &testp<float> : &testp<double>);
}

}  // namespace

void add_float_opcodes(Opcodes& table) {
  table["add"] = table["sub"] = decode_add;
  table["mul"] = decode_mul;
  table["fma"] = table["mad"] = decode_fma;
  table["div"] = decode_div;
  table["min"] = table["max"] = decode_min_max;
  table["neg"] = table["abs"] = decode_sign;
  table["rcp"] = decode_unary_float<Rcp>;
  table["sqrt"] = decode_unary_float<Sqrt>;
  table["rsqrt"] = decode_unary_float<Rsqrt>;
  table["sin"] = decode_approximate<Sin>;
  table["cos"] = decode_approximate<Cos>;
  table["ex2"] = decode_approximate<Ex2>;
  table["lg2"] = decode_approximate<Lg2>;
  table["tanh"] = decode_approximate<Tanh>;
  table["copysign"] = decode_copysign;
  table["testp"] = decode_testp;
}

}  // namespace simulator
