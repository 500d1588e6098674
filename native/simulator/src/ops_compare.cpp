// setp, set, slct.
#include "decode.h"
#include "lanes.h"
#include "numeric.h"

namespace simulator {

namespace {

enum class Compare : uint8_t { eq, ne, lt, le, gt, ge, equ, neu, ltu, leu, gtu, geu, num, nan };

template <Compare c, class T>
inline bool compare(T a, T b) {
  switch (c) {
    case Compare::eq:
      return a == b;
    case Compare::ne:
      if constexpr (std::is_floating_point_v<T>) return (a < b) | (a > b);
      return a != b;
    case Compare::lt:
      return a < b;
    case Compare::le:
      return a <= b;
    case Compare::gt:
      return a > b;
    case Compare::ge:
      return a >= b;
    case Compare::equ:
      return !((a < b) | (a > b));
    case Compare::neu:
      return !(a == b);
    case Compare::ltu:
      return !(a >= b);
    case Compare::leu:
      return !(a > b);
    case Compare::gtu:
      return !(a <= b);
    case Compare::geu:
      return !(a < b);
    case Compare::num:
      return (a == a) & (b == b);
    case Compare::nan:
      return (a != a) | (b != b);
  }
  return false;
}

// How a register's value is compared.
struct AsIs {
  template <class T>
  static T value(T x) {
    return x;
  }
};
struct Flushed {
  static float value(float x) { return flush(x); }
};
struct AsF16 {
  static float value(uint16_t x) { return f16_to_float(x); }
};
struct AsBf16 {
  static float value(uint16_t x) { return bf16_to_float(x); }
};

inline uint32_t combine(int how, uint32_t value, uint32_t with) {
  return how == 0 ? value & with : how == 1 ? value | with : value ^ with;
}

// small[0]: 0 and, 1 or, 2 xor, 3 none
void write_predicates(Warp& w, const Op* op, uint32_t exec, uint32_t result) {
  uint32_t other = ~result;
  if (op->small[0] < 3) {
    uint32_t c = predicate(w, op->c);
    result = combine(op->small[0], result, c);
    other = combine(op->small[0], other, c);
  }
  set_predicate(w, op->d, exec, result);
  if (op->e != no_operand) set_predicate(w, op->e, exec, other);
}

template <class T, class As, Compare c>
const Op* setp(Warp& w, const Op* op, uint32_t exec) {
  const T *a = source<T>(w, op->a), *b = source<T>(w, op->b);
  write_predicates(w, op, exec, mask_of([=](int i) { return compare<c>(As::value(a[i]), As::value(b[i])); }));
  return op + 1;
}

// Both halves of a register: p for the low one, q for the high one.
template <class As, Compare c>
const Op* setp_halves(Warp& w, const Op* op, uint32_t exec) {
  const uint32_t *a = source<uint32_t>(w, op->a), *b = source<uint32_t>(w, op->b);
  uint32_t low = mask_of([=](int i) {
    return compare<c>(As::value(static_cast<uint16_t>(a[i])), As::value(static_cast<uint16_t>(b[i])));
  });
  uint32_t high = mask_of([=](int i) {
    return compare<c>(As::value(static_cast<uint16_t>(a[i] >> 16)), As::value(static_cast<uint16_t>(b[i] >> 16)));
  });
  if (op->small[0] < 3) {
    uint32_t with = predicate(w, op->c);
    low = combine(op->small[0], low, with);
    high = combine(op->small[0], high, with);
  }
  set_predicate(w, op->d, exec, low);
  if (op->e != no_operand) set_predicate(w, op->e, exec, high);
  return op + 1;
}

// d: all ones or zero; 1.0 or 0.0 for float destinations (small[1]: 0 32-bit integer, 1 f32, 2 f16, 3 bf16, 4
// 16-bit integer).
template <class T, class As, Compare c>
const Op* set(Warp& w, const Op* op, uint32_t exec) {
  const T *a = source<T>(w, op->a), *b = source<T>(w, op->b);
  uint32_t result = mask_of([=](int i) { return compare<c>(As::value(a[i]), As::value(b[i])); });
  if (op->small[0] < 3) result = combine(op->small[0], result, predicate(w, op->c));
  constexpr uint32_t one[] = {~0u, 0x3F800000, 0x3C00, 0x3F80, 0xFFFF};
  uint32_t yes = one[op->small[1]];
  if (op->small[1] >= 2) {
    each_lane(w, destination<uint16_t>(w, op->d), exec,
              [=](int i) { return static_cast<uint16_t>((result >> i & 1) ? yes : 0); });
  } else {
    each_lane(w, destination<uint32_t>(w, op->d), exec, [=](int i) { return (result >> i & 1) ? yes : 0; });
  }
  return op + 1;
}

template <class As, Compare c>
const Op* set_halves(Warp& w, const Op* op, uint32_t exec) {
  const uint32_t *a = source<uint32_t>(w, op->a), *b = source<uint32_t>(w, op->b);
  constexpr uint32_t one[] = {0xFFFF, 0xFFFF, 0x3C00, 0x3F80, 0xFFFF};
  uint32_t yes = one[op->small[1]];
  uint32_t with = op->small[0] < 3 ? predicate(w, op->c) : 0;
  int how = op->small[0];
  each_lane(w, destination<uint32_t>(w, op->d), exec, [=](int i) {
    uint32_t low = compare<c>(As::value(static_cast<uint16_t>(a[i])), As::value(static_cast<uint16_t>(b[i])));
    uint32_t high =
        compare<c>(As::value(static_cast<uint16_t>(a[i] >> 16)), As::value(static_cast<uint16_t>(b[i] >> 16)));
    uint32_t k = with >> i & 1;
    if (how < 3) low = combine(how, low, k), high = combine(how, high, k);
    return (low ? yes : 0) | (high ? yes << 16 : 0);
  });
  return op + 1;
}

template <class C, class T>
const Op* slct(Warp& w, const Op* op, uint32_t exec) {
  T* d = destination<T>(w, op->d);
  const T *a = source<T>(w, op->a), *b = source<T>(w, op->b);
  const C* c = source<C>(w, op->c);
  bool ftz = op->small[0];
  each_lane(w, d, exec, [=](int i) {
    C x = c[i];
    if constexpr (std::is_same_v<C, float>) x = ftz ? flush(x) : x;
    return x >= 0 ? a[i] : b[i];
  });
  return op + 1;
}

// f(integral_constant) for the comparison that was asked for.
template <bool floating, class F>
OpFunction for_compare(Compare c, F f) {
#define CASE(name)    \
  case Compare::name: \
    return f(std::integral_constant<Compare, Compare::name>{});
  switch (c) { CASE(eq) CASE(ne) CASE(lt) CASE(le) CASE(gt) CASE(ge) default : break; }
  if constexpr (floating) {
    switch (c) { CASE(equ) CASE(neu) CASE(ltu) CASE(leu) CASE(gtu) CASE(geu) CASE(num) CASE(nan) default : break; }
  }
#undef CASE
  return nullptr;
}

Compare take_compare(Decoder& d, bool* is_unsigned_name) {
  int index =
      d.take_one_of({"eq", "ne", "lt", "le", "gt", "ge", "equ", "neu", "ltu", "leu", "gtu", "geu", "num", "nan"});
  if (index >= 0) return static_cast<Compare>(index);
  *is_unsigned_name = true;
  switch (d.take_one_of({"lo", "ls", "hi", "hs"})) {
    case 0:
      return Compare::lt;
    case 1:
      return Compare::le;
    case 2:
      return Compare::gt;
    case 3:
      return Compare::ge;
    default:
      d.fail("no comparison");
  }
}

Type unsigned_of(Type t) {
  switch (type_bytes(t)) {
    case 2:
      return Type::u16;
    case 4:
      return Type::u32;
    default:
      return Type::u64;
  }
}

OpClass class_of(Type t) {
  switch (t) {
    case Type::f32:
      return OpClass::fp32;
    case Type::f64:
      return OpClass::fp64;
    case Type::f16:
    case Type::f16x2:
    case Type::bf16:
    case Type::bf16x2:
      return OpClass::fp16;
    default:
      return OpClass::integer;
  }
}

void decode_setp(Decoder& d) {
  bool unsigned_name = false;
  Compare c = take_compare(d, &unsigned_name);
  int combine_with = d.take_one_of({"and", "or", "xor"});
  bool ftz = d.take("ftz");
  Type t = d.take_type();
  if (unsigned_name && is_integer(t)) t = unsigned_of(t);
  d.set_class(class_of(t));
  d.expect_operands(combine_with < 0 ? 3 : 4);
  const Operand& to = d.operand(0);
  if (to.kind == OperandKind::pair) {
    d.op.d = d.predicate_destination(to.elements[0]);
    d.op.e = d.predicate_destination(to.elements[1]);
  } else {
    d.op.d = d.predicate_destination(to);
  }
  d.op.a = d.source(1, t);
  d.op.b = d.source(2, t);
  d.op.small[0] = static_cast<uint16_t>(combine_with < 0 ? 3 : combine_with);
  if (combine_with >= 0) d.op.c = d.predicate_source(d.operand(3));
  switch (t) {
    case Type::f32:
      return d.emit(for_compare<true>(
          c, [&](auto k) -> OpFunction { return ftz ? &setp<float, Flushed, k.value> : &setp<float, AsIs, k.value>; }));
    case Type::f64:
      return d.emit(for_compare<true>(c, [&](auto k) -> OpFunction { return &setp<double, AsIs, k.value>; }));
    case Type::f16:
      return d.emit(for_compare<true>(c, [&](auto k) -> OpFunction { return &setp<uint16_t, AsF16, k.value>; }));
    case Type::bf16:
      return d.emit(for_compare<true>(c, [&](auto k) -> OpFunction { return &setp<uint16_t, AsBf16, k.value>; }));
    case Type::f16x2:
      return d.emit(for_compare<true>(c, [&](auto k) -> OpFunction { return &setp_halves<AsF16, k.value>; }));
    case Type::bf16x2:
      return d.emit(for_compare<true>(c, [&](auto k) -> OpFunction { return &setp_halves<AsBf16, k.value>; }));
    default:
      break;
  }
  d.emit(for_compare<false>(c, [&](auto k) -> OpFunction {
    return for_type<uint16_t, int16_t, uint32_t, int32_t, uint64_t, int64_t>(
        t, [&](auto x) -> OpFunction { return &setp<decltype(x), AsIs, k.value>; });
  }));
}

void decode_set(Decoder& d) {
  bool unsigned_name = false;
  Compare c = take_compare(d, &unsigned_name);
  int combine_with = d.take_one_of({"and", "or", "xor"});
  bool ftz = d.take("ftz");
  Type to = d.take_type(), t = to;
  if (!d.take_type(&t)) t = to;
  if (unsigned_name && is_integer(t)) t = unsigned_of(t);
  d.set_class(class_of(t));
  d.expect_operands(combine_with < 0 ? 3 : 4);
  d.op.d = d.destination(0, to);
  d.op.a = d.source(1, t);
  d.op.b = d.source(2, t);
  d.op.small[0] = static_cast<uint16_t>(combine_with < 0 ? 3 : combine_with);
  if (combine_with >= 0) d.op.c = d.predicate_source(d.operand(3));
  d.op.small[1] = to == Type::f32                          ? 1
                  : to == Type::f16 || to == Type::f16x2   ? 2
                  : to == Type::bf16 || to == Type::bf16x2 ? 3
                  : type_bytes(to) == 2                    ? 4
                                                           : 0;
  switch (t) {
    case Type::f32:
      return d.emit(for_compare<true>(
          c, [&](auto k) -> OpFunction { return ftz ? &set<float, Flushed, k.value> : &set<float, AsIs, k.value>; }));
    case Type::f64:
      return d.emit(for_compare<true>(c, [&](auto k) -> OpFunction { return &set<double, AsIs, k.value>; }));
    case Type::f16:
      return d.emit(for_compare<true>(c, [&](auto k) -> OpFunction { return &set<uint16_t, AsF16, k.value>; }));
    case Type::bf16:
      return d.emit(for_compare<true>(c, [&](auto k) -> OpFunction { return &set<uint16_t, AsBf16, k.value>; }));
    case Type::f16x2:
      return d.emit(for_compare<true>(c, [&](auto k) -> OpFunction { return &set_halves<AsF16, k.value>; }));
    case Type::bf16x2:
      return d.emit(for_compare<true>(c, [&](auto k) -> OpFunction { return &set_halves<AsBf16, k.value>; }));
    default:
      break;
  }
  d.emit(for_compare<false>(c, [&](auto k) -> OpFunction {
    return for_type<uint16_t, int16_t, uint32_t, int32_t, uint64_t, int64_t>(
        t, [&](auto x) -> OpFunction { return &set<decltype(x), AsIs, k.value>; });
  }));
}

void decode_slct(Decoder& d) {
  d.set_class(OpClass::integer);
  d.op.small[0] = d.take("ftz");
  Type t = d.take_type(), c = d.take_type();
  d.expect_operands(4);
  d.op.d = d.destination(0, t);
  d.op.a = d.source(1, t);
  d.op.b = d.source(2, t);
  d.op.c = d.source(3, c);
  Type bits = type_bytes(t) == 2 ? Type::b16 : type_bytes(t) == 4 ? Type::b32 : Type::b64;
  d.emit(for_type<uint16_t, uint32_t, uint64_t>(bits, [&](auto x) -> OpFunction {
    using T = decltype(x);
    return c == Type::f32 ? &slct<float, T> : c == Type::s32 ? &slct<int32_t, T> : nullptr;
  }));
}

}  // namespace

void add_compare_opcodes(Opcodes& table) {
  table["setp"] = decode_setp;
  table["set"] = decode_set;
  table["slct"] = decode_slct;
}

}  // namespace simulator
