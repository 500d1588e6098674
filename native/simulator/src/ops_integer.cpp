// Integer arithmetic.
#include <limits>

#include "decode.h"
#include "lanes.h"

namespace simulator {

namespace {

template <class T>
using Unsigned = std::make_unsigned_t<T>;

struct Add {
  template <class T>
  T operator()(T a, T b) const {
    return static_cast<T>(static_cast<Unsigned<T>>(a) + static_cast<Unsigned<T>>(b));
  }
};
struct Sub {
  template <class T>
  T operator()(T a, T b) const {
    return static_cast<T>(static_cast<Unsigned<T>>(a) - static_cast<Unsigned<T>>(b));
  }
};
struct AddSat {
  int32_t operator()(int32_t a, int32_t b) const {
    int64_t r = int64_t{a} + b;
    return static_cast<int32_t>(r > INT32_MAX ? INT32_MAX : r < INT32_MIN ? INT32_MIN : r);
  }
};
struct SubSat {
  int32_t operator()(int32_t a, int32_t b) const {
    int64_t r = int64_t{a} - b;
    return static_cast<int32_t>(r > INT32_MAX ? INT32_MAX : r < INT32_MIN ? INT32_MIN : r);
  }
};
struct MulLo {
  template <class T>
  T operator()(T a, T b) const {
    return static_cast<T>(static_cast<uint64_t>(a) * static_cast<uint64_t>(b));
  }
  uint32_t operator()(uint32_t a, uint32_t b) const { return a * b; }
  int32_t operator()(int32_t a, int32_t b) const {
    return static_cast<int32_t>(static_cast<uint32_t>(a) * static_cast<uint32_t>(b));
  }
};
template <class T>
struct WideOf;
template <>
struct WideOf<uint16_t> {
  using type = uint32_t;
};
template <>
struct WideOf<int16_t> {
  using type = int32_t;
};
template <>
struct WideOf<uint32_t> {
  using type = uint64_t;
};
template <>
struct WideOf<int32_t> {
  using type = int64_t;
};
template <>
struct WideOf<uint64_t> {
  using type = unsigned __int128;
};
template <>
struct WideOf<int64_t> {
  using type = __int128;
};

template <class T>
T high_half(T a, T b) {
  using W = typename WideOf<T>::type;
  return static_cast<T>((static_cast<W>(a) * static_cast<W>(b)) >> (8 * sizeof(T)));
}
struct MulHi {
  template <class T>
  T operator()(T a, T b) const {
    return high_half(a, b);
  }
};
struct Min {
  template <class T>
  T operator()(T a, T b) const {
    return b < a ? b : a;
  }
};
struct Max {
  template <class T>
  T operator()(T a, T b) const {
    return a < b ? b : a;
  }
};
template <class Pick>
struct ReluOf {
  template <class T>
  T operator()(T a, T b) const {
    T r = Pick()(a, b);
    return r < 0 ? T(0) : r;
  }
};
struct Div {
  template <class T>
  T operator()(T a, T b) const {
    if (b == 0) return static_cast<T>(~T(0));
    if constexpr (std::is_signed_v<T>)
      if (b == -1) return static_cast<T>(Unsigned<T>(0) - static_cast<Unsigned<T>>(a));
    return static_cast<T>(a / b);
  }
};
struct Rem {
  template <class T>
  T operator()(T a, T b) const {
    if (b == 0) return a;
    if constexpr (std::is_signed_v<T>)
      if (b == -1) return 0;
    return static_cast<T>(a % b);
  }
};
struct Abs {
  template <class T>
  T operator()(T a) const {
    return a < 0 ? static_cast<T>(Unsigned<T>(0) - static_cast<Unsigned<T>>(a)) : a;
  }
};
struct Neg {
  template <class T>
  T operator()(T a) const {
    return static_cast<T>(Unsigned<T>(0) - static_cast<Unsigned<T>>(a));
  }
};

template <class T, class F>
const Op* unary(Warp& w, const Op* op, uint32_t exec) {
  T* d = destination<T>(w, op->d);
  const T* a = source<T>(w, op->a);
  each_lane(w, d, exec, [=](int i) { return F()(a[i]); });
  return op + 1;
}

template <class T, class F>
const Op* binary(Warp& w, const Op* op, uint32_t exec) {
  T* d = destination<T>(w, op->d);
  const T *a = source<T>(w, op->a), *b = source<T>(w, op->b);
  each_lane(w, d, exec, [=](int i) { return F()(a[i], b[i]); });
  return op + 1;
}

// For what must not run in lanes that do not execute, or is too slow to.
template <class T, class F>
const Op* binary_by_lane(Warp& w, const Op* op, uint32_t exec) {
  T* d = destination<T>(w, op->d);
  const T *a = source<T>(w, op->a), *b = source<T>(w, op->b);
  for_lanes(exec, [=](int i) { d[i] = F()(a[i], b[i]); });
  return op + 1;
}

template <class T>
const Op* mul_wide(Warp& w, const Op* op, uint32_t exec) {
  using W = typename WideOf<T>::type;
  W* d = destination<W>(w, op->d);
  const T *a = source<T>(w, op->a), *b = source<T>(w, op->b);
  each_lane(w, d, exec, [=](int i) { return static_cast<W>(static_cast<W>(a[i]) * static_cast<W>(b[i])); });
  return op + 1;
}

template <class T>
const Op* mad_wide(Warp& w, const Op* op, uint32_t exec) {
  using W = typename WideOf<T>::type;
  W* d = destination<W>(w, op->d);
  const T *a = source<T>(w, op->a), *b = source<T>(w, op->b);
  const W* c = source<W>(w, op->c);
  each_lane(w, d, exec,
            [=](int i) { return Add()(static_cast<W>(static_cast<W>(a[i]) * static_cast<W>(b[i])), c[i]); });
  return op + 1;
}

template <class T, class F>
const Op* multiply_add(Warp& w, const Op* op, uint32_t exec) {
  T* d = destination<T>(w, op->d);
  const T *a = source<T>(w, op->a), *b = source<T>(w, op->b), *c = source<T>(w, op->c);
  each_lane(w, d, exec, [=](int i) { return Add()(F()(a[i], b[i]), c[i]); });
  return op + 1;
}

const Op* mad_hi_sat(Warp& w, const Op* op, uint32_t exec) {
  int32_t* d = destination<int32_t>(w, op->d);
  const int32_t *a = source<int32_t>(w, op->a), *b = source<int32_t>(w, op->b), *c = source<int32_t>(w, op->c);
  each_lane(w, d, exec, [=](int i) { return AddSat()(high_half(a[i], b[i]), c[i]); });
  return op + 1;
}

// ---- extended precision: the carry flag of each lane ----

// d = a + b [+ carry]; subtraction adds the complement, and its borrow is the complement of the carry.
template <class T, bool subtract, bool carry_in, bool carry_out>
const Op* add_carry(Warp& w, const Op* op, uint32_t exec) {
  T* d = destination<T>(w, op->d);
  const T *a = source<T>(w, op->a), *b = source<T>(w, op->b);
  uint32_t out = 0;
  for_lanes(exec, [&](int i) {
    T in = carry_in ? T(w.carry >> i & 1) : T(0);
    T result;
    bool c;
    if (subtract) {
      T first = static_cast<T>(a[i] - b[i]);
      result = static_cast<T>(first - in);
      c = a[i] < b[i] || first < in;
    } else {
      T first = static_cast<T>(a[i] + b[i]);
      result = static_cast<T>(first + in);
      c = first < a[i] || result < first;
    }
    d[i] = result;
    out |= (c ? 1u : 0u) << i;
  });
  if (carry_out) w.carry = (w.carry & ~exec) | out;
  return op + 1;
}

template <class T, bool high, bool carry_in, bool carry_out>
const Op* mad_carry(Warp& w, const Op* op, uint32_t exec) {
  using U = Unsigned<T>;
  U* d = destination<U>(w, op->d);
  const T *a = source<T>(w, op->a), *b = source<T>(w, op->b);
  const U* addend = source<U>(w, op->c);
  uint32_t out = 0;
  for_lanes(exec, [&](int i) {
    U product = static_cast<U>(high ? high_half(a[i], b[i]) : MulLo()(a[i], b[i]));
    U in = carry_in ? U(w.carry >> i & 1) : U(0);
    U first = static_cast<U>(product + addend[i]);
    U result = static_cast<U>(first + in);
    out |= (first < product || result < first ? 1u : 0u) << i;
    d[i] = result;
  });
  if (carry_out) w.carry = (w.carry & ~exec) | out;
  return op + 1;
}

// ---- 24-bit multiplication, sums of differences, dot products ----

template <class T, bool high, bool add>
const Op* mul24(Warp& w, const Op* op, uint32_t exec) {
  T* d = destination<T>(w, op->d);
  const T *a = source<T>(w, op->a), *b = source<T>(w, op->b), *c = add ? source<T>(w, op->c) : a;
  using W = typename WideOf<T>::type;
  auto low24 = [](T x) { return static_cast<W>(static_cast<T>(static_cast<uint32_t>(x) << 8) >> 8); };
  each_lane(w, d, exec, [=](int i) {
    W product = low24(a[i]) * low24(b[i]);
    T part = static_cast<T>(high ? product >> 16 : product);
    return add ? Add()(part, c[i]) : part;
  });
  return op + 1;
}

template <class T>
const Op* sad(Warp& w, const Op* op, uint32_t exec) {
  using U = Unsigned<T>;
  U* d = destination<U>(w, op->d);
  const T *a = source<T>(w, op->a), *b = source<T>(w, op->b);
  const U* c = source<U>(w, op->c);
  each_lane(w, d, exec, [=](int i) {
    U difference = a[i] < b[i] ? static_cast<U>(static_cast<U>(b[i]) - static_cast<U>(a[i]))
                               : static_cast<U>(static_cast<U>(a[i]) - static_cast<U>(b[i]));
    return static_cast<U>(c[i] + difference);
  });
  return op + 1;
}

template <bool signed_a, bool signed_b>
const Op* dp4a(Warp& w, const Op* op, uint32_t exec) {
  uint32_t* d = destination<uint32_t>(w, op->d);
  const uint32_t *a = source<uint32_t>(w, op->a), *b = source<uint32_t>(w, op->b), *c = source<uint32_t>(w, op->c);
  each_lane(w, d, exec, [=](int i) {
    uint32_t sum = c[i];
    for (int k = 0; k < 4; ++k) {
      uint32_t x = a[i] >> (8 * k) & 0xFF, y = b[i] >> (8 * k) & 0xFF;
      int32_t sx = signed_a ? static_cast<int8_t>(x) : static_cast<int32_t>(x);
      int32_t sy = signed_b ? static_cast<int8_t>(y) : static_cast<int32_t>(y);
      sum += static_cast<uint32_t>(sx * sy);
    }
    return sum;
  });
  return op + 1;
}

template <bool signed_a, bool signed_b, bool high>
const Op* dp2a(Warp& w, const Op* op, uint32_t exec) {
  uint32_t* d = destination<uint32_t>(w, op->d);
  const uint32_t *a = source<uint32_t>(w, op->a), *b = source<uint32_t>(w, op->b), *c = source<uint32_t>(w, op->c);
  each_lane(w, d, exec, [=](int i) {
    uint32_t sum = c[i];
    for (int k = 0; k < 2; ++k) {
      uint32_t x = a[i] >> (16 * k) & 0xFFFF, y = b[i] >> (8 * k + (high ? 16 : 0)) & 0xFF;
      int32_t sx = signed_a ? static_cast<int16_t>(x) : static_cast<int32_t>(x);
      int32_t sy = signed_b ? static_cast<int8_t>(y) : static_cast<int32_t>(y);
      sum += static_cast<uint32_t>(sx * sy);
    }
    return sum;
  });
  return op + 1;
}

// Two 16-bit halves of a 32-bit register.
template <class T, class F>
const Op* halves(Warp& w, const Op* op, uint32_t exec) {
  uint32_t* d = destination<uint32_t>(w, op->d);
  const uint32_t *a = source<uint32_t>(w, op->a), *b = source<uint32_t>(w, op->b);
  each_lane(w, d, exec, [=](int i) {
    T low = F()(static_cast<T>(a[i]), static_cast<T>(b[i]));
    T high = F()(static_cast<T>(a[i] >> 16), static_cast<T>(b[i] >> 16));
    return static_cast<uint32_t>(static_cast<uint16_t>(low)) | static_cast<uint32_t>(static_cast<uint16_t>(high)) << 16;
  });
  return op + 1;
}

template <class F>
OpFunction all_integers(Type t, F f) {
  return for_type<uint16_t, int16_t, uint32_t, int32_t, uint64_t, int64_t>(t, f);
}

// ---- decoding ----

void operands(Decoder& d, Type t, size_t sources) {
  d.expect_operands(sources + 1);
  d.op.d = d.destination(0, t);
  d.op.a = d.source(1, t);
  if (sources > 1) d.op.b = d.source(2, t);
  if (sources > 2) d.op.c = d.source(3, t);
}

}  // namespace

// add and sub of integers; floats are decoded in ops_float.cpp.
void decode_add_integer(Decoder& d, Type t, bool subtract) {
  d.set_class(OpClass::integer);
  bool saturate = d.take("sat"), carry = d.take("cc");
  operands(d, t, 2);
  if (t == Type::u16x2 || t == Type::s16x2) {
    if (subtract) d.fail("there is no sub of 16-bit pairs");
    return d.emit(&halves<uint16_t, Add>);
  }
  if (carry) {
    return d.emit(for_type<uint32_t, uint64_t, int32_t, int64_t>(t, [&](auto x) -> OpFunction {
      using U = Unsigned<decltype(x)>;
      return subtract ? &add_carry<U, true, false, true> : &add_carry<U, false, false, true>;
    }));
  }
  if (saturate) {
    if (t != Type::s32) d.fail(".sat needs .s32");
    return d.emit(subtract ? &binary<int32_t, SubSat> : &binary<int32_t, AddSat>);
  }
  d.emit(all_integers(t, [&](auto x) -> OpFunction {
    using T = Unsigned<decltype(x)>;
    return subtract ? &binary<T, Sub> : &binary<T, Add>;
  }));
}

void decode_mul_integer(Decoder& d, Type t) {
  d.set_class(OpClass::integer);
  int part = d.take_one_of({"lo", "hi", "wide"});
  d.expect_operands(3);
  if (part < 0) d.fail("mul of integers needs .lo, .hi or .wide");
  if (part == 2) {
    Type wide = type_bytes(t) == 2 ? Type::u32 : Type::u64;
    d.op.d = d.destination(0, wide);
    d.op.a = d.source(1, t);
    d.op.b = d.source(2, t);
    return d.emit(
        for_type<uint16_t, int16_t, uint32_t, int32_t>(t, [](auto x) -> OpFunction { return &mul_wide<decltype(x)>; }));
  }
  operands(d, t, 2);
  d.emit(all_integers(t, [&](auto x) -> OpFunction {
    using T = decltype(x);
    return part == 0 ? &binary<T, MulLo> : &binary<T, MulHi>;
  }));
}

void decode_mad_integer(Decoder& d, Type t) {
  d.set_class(OpClass::integer);
  int part = d.take_one_of({"lo", "hi", "wide"});
  bool saturate = d.take("sat"), carry = d.take("cc");
  d.expect_operands(4);
  if (part < 0) d.fail("mad of integers needs .lo, .hi or .wide");
  if (part == 2) {
    Type wide = type_bytes(t) == 2 ? Type::u32 : Type::u64;
    d.op.d = d.destination(0, wide);
    d.op.a = d.source(1, t);
    d.op.b = d.source(2, t);
    d.op.c = d.source(3, wide);
    return d.emit(
        for_type<uint16_t, int16_t, uint32_t, int32_t>(t, [](auto x) -> OpFunction { return &mad_wide<decltype(x)>; }));
  }
  operands(d, t, 3);
  if (saturate) {
    if (part != 1 || t != Type::s32) d.fail("mad.sat needs .hi.s32");
    return d.emit(&mad_hi_sat);
  }
  if (carry)
    return d.emit(for_type<uint32_t, int32_t, uint64_t, int64_t>(t, [&](auto x) -> OpFunction {
      using T = decltype(x);
      return part == 0 ? &mad_carry<T, false, false, true> : &mad_carry<T, true, false, true>;
    }));
  d.emit(all_integers(t, [&](auto x) -> OpFunction {
    using T = decltype(x);
    return part == 0 ? &multiply_add<T, MulLo> : &multiply_add<T, MulHi>;
  }));
}

void decode_min_max_integer(Decoder& d, Type t, bool maximum) {
  d.set_class(OpClass::integer);
  bool relu = d.take("relu");
  operands(d, t, 2);
  if (t == Type::u16x2) return d.emit(maximum ? &halves<uint16_t, Max> : &halves<uint16_t, Min>);
  if (t == Type::s16x2) {
    if (relu) return d.emit(maximum ? &halves<int16_t, ReluOf<Max>> : &halves<int16_t, ReluOf<Min>>);
    return d.emit(maximum ? &halves<int16_t, Max> : &halves<int16_t, Min>);
  }
  if (relu) {
    if (t != Type::s32) d.fail(".relu needs .s32");
    return d.emit(maximum ? &binary<int32_t, ReluOf<Max>> : &binary<int32_t, ReluOf<Min>>);
  }
  d.emit(all_integers(t, [&](auto x) -> OpFunction {
    using T = decltype(x);
    return maximum ? &binary<T, Max> : &binary<T, Min>;
  }));
}

void decode_div_integer(Decoder& d, Type t) {
  d.set_class(OpClass::integer);
  operands(d, t, 2);
  d.emit(all_integers(t, [](auto x) -> OpFunction { return &binary_by_lane<decltype(x), Div>; }));
}

void decode_abs_neg_integer(Decoder& d, Type t, bool negate) {
  d.set_class(OpClass::integer);
  operands(d, t, 1);
  d.emit(for_type<int16_t, int32_t, int64_t>(t, [&](auto x) -> OpFunction {
    using T = decltype(x);
    return negate ? &unary<T, Neg> : &unary<T, Abs>;
  }));
}

namespace {

void decode_rem(Decoder& d) {
  Type t = d.take_type();
  d.set_class(OpClass::integer);
  operands(d, t, 2);
  d.emit(all_integers(t, [](auto x) -> OpFunction { return &binary_by_lane<decltype(x), Rem>; }));
}

void decode_addc(Decoder& d) {
  d.set_class(OpClass::integer);
  bool subtract = d.in.opcode == "subc", carry_out = d.take("cc");
  Type t = d.take_type();
  operands(d, t, 2);
  d.emit(for_type<uint32_t, uint64_t, int32_t, int64_t>(t, [&](auto x) -> OpFunction {
    using U = Unsigned<decltype(x)>;
    if (subtract) return carry_out ? &add_carry<U, true, true, true> : &add_carry<U, true, true, false>;
    return carry_out ? &add_carry<U, false, true, true> : &add_carry<U, false, true, false>;
  }));
}

void decode_madc(Decoder& d) {
  d.set_class(OpClass::integer);
  int part = d.take_one_of({"lo", "hi"});
  bool carry_out = d.take("cc");
  Type t = d.take_type();
  operands(d, t, 3);
  d.emit(for_type<uint32_t, int32_t, uint64_t, int64_t>(t, [&](auto x) -> OpFunction {
    using T = decltype(x);
    if (part == 0) return carry_out ? &mad_carry<T, false, true, true> : &mad_carry<T, false, true, false>;
    return carry_out ? &mad_carry<T, true, true, true> : &mad_carry<T, true, true, false>;
  }));
}

void decode_mul24(Decoder& d) {
  d.set_class(OpClass::integer);
  bool add = d.in.opcode == "mad24", high = d.take_one_of({"lo", "hi"}) == 1;
  Type t = d.take_type();
  operands(d, t, add ? 3 : 2);
  d.emit(for_type<uint32_t, int32_t>(t, [&](auto x) -> OpFunction {
    using T = decltype(x);
    if (add) return high ? &mul24<T, true, true> : &mul24<T, false, true>;
    return high ? &mul24<T, true, false> : &mul24<T, false, false>;
  }));
}

void decode_sad(Decoder& d) {
  d.set_class(OpClass::integer);
  Type t = d.take_type();
  operands(d, t, 3);
  d.emit(all_integers(t, [](auto x) -> OpFunction { return &sad<decltype(x)>; }));
}

void decode_dp(Decoder& d) {
  d.set_class(OpClass::integer);
  bool four = d.in.opcode == "dp4a";
  bool high = !four && d.take_one_of({"lo", "hi"}) == 1;
  bool sa = d.take_type() == Type::s32, sb = d.take_type() == Type::s32;
  operands(d, Type::b32, 3);
  if (four) {
    d.emit(sa ? (sb ? &dp4a<true, true> : &dp4a<true, false>) : (sb ? &dp4a<false, true> : &dp4a<false, false>));
  } else if (high) {
    d.emit(sa ? (sb ? &dp2a<true, true, true> : &dp2a<true, false, true>)
              : (sb ? &dp2a<false, true, true> : &dp2a<false, false, true>));
  } else {
    d.emit(sa ? (sb ? &dp2a<true, true, false> : &dp2a<true, false, false>)
              : (sb ? &dp2a<false, true, false> : &dp2a<false, false, false>));
  }
}

}  // namespace

void add_integer_opcodes(Opcodes& table) {
  table["rem"] = decode_rem;
  table["addc"] = table["subc"] = decode_addc;
  table["madc"] = decode_madc;
  table["mul24"] = table["mad24"] = decode_mul24;
  table["sad"] = decode_sad;
  table["dp4a"] = table["dp2a"] = decode_dp;
}

}  // namespace simulator
