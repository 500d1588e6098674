// atom and red: read-modify-write in global and shared memory.
#include <algorithm>

#include "access.h"
#include "decode.h"
#include "numeric.h"

namespace simulator {

Space take_space(Decoder& d);

namespace {

// What is written for an old value and the operands.
struct Add {
  template <class T>
  static T next(T old, T b, T) {
    return static_cast<T>(old + b);
  }
};
struct AddFloat {
  static uint32_t next(uint32_t old, uint32_t b, uint32_t) {
    return bit_cast<uint32_t>(canonical(bit_cast<float>(old) + bit_cast<float>(b)));
  }
  static uint64_t next(uint64_t old, uint64_t b, uint64_t) {
    return bit_cast<uint64_t>(bit_cast<double>(old) + bit_cast<double>(b));
  }
};
struct AddF16 {
  static uint16_t next(uint16_t old, uint16_t b, uint16_t) { return float_to_f16(f16_to_float(old) + f16_to_float(b)); }
};
struct AddBf16 {
  static uint16_t next(uint16_t old, uint16_t b, uint16_t) {
    return float_to_bf16(bf16_to_float(old) + bf16_to_float(b));
  }
};
template <class Half>
struct Halves {
  static uint32_t next(uint32_t old, uint32_t b, uint32_t) {
    uint16_t low = Half::next(static_cast<uint16_t>(old), static_cast<uint16_t>(b), 0);
    uint16_t high = Half::next(static_cast<uint16_t>(old >> 16), static_cast<uint16_t>(b >> 16), 0);
    return low | static_cast<uint32_t>(high) << 16;
  }
};
template <bool maximum, class Wide, uint16_t (*narrow)(float), float (*wide)(uint16_t)>
struct PickHalf {
  static uint16_t next(uint16_t old, uint16_t b, uint16_t) {
    float x = wide(old), y = wide(b);
    if (x != x) return b;
    if (y != y) return old;
    return (maximum ? x >= y : x <= y) ? old : b;
  }
};
using MinF16 = PickHalf<false, float, float_to_f16, f16_to_float>;
using MaxF16 = PickHalf<true, float, float_to_f16, f16_to_float>;
using MinBf16 = PickHalf<false, float, float_to_bf16, bf16_to_float>;
using MaxBf16 = PickHalf<true, float, float_to_bf16, bf16_to_float>;
struct Min {
  template <class T>
  static T next(T old, T b, T) {
    return b < old ? b : old;
  }
};
struct Max {
  template <class T>
  static T next(T old, T b, T) {
    return old < b ? b : old;
  }
};
struct And {
  template <class T>
  static T next(T old, T b, T) {
    return old & b;
  }
};
struct Or {
  template <class T>
  static T next(T old, T b, T) {
    return old | b;
  }
};
struct Xor {
  template <class T>
  static T next(T old, T b, T) {
    return old ^ b;
  }
};
struct Exchange {
  template <class T>
  static T next(T, T b, T) {
    return b;
  }
};
struct CompareSwap {
  template <class T>
  static T next(T old, T b, T c) {
    return old == b ? c : old;
  }
};
struct Inc {
  static uint32_t next(uint32_t old, uint32_t b, uint32_t) { return old >= b ? 0 : old + 1; }
};
struct Dec {
  static uint32_t next(uint32_t old, uint32_t b, uint32_t) { return old == 0 || old > b ? b : old - 1; }
};

// Atomic among host threads too. Returns the old value.
template <class T, class F>
inline T modify(T* p, T b, T c, bool* changed) {
  T old = __atomic_load_n(p, __ATOMIC_SEQ_CST);
  for (;;) {
    T next = F::next(old, b, c);
    if (next == old && std::is_same_v<F, CompareSwap>) return old;
    if (__atomic_compare_exchange_n(p, &old, next, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) {
      *changed |= next != old;
      return old;
    }
  }
}

// small[0]: elements of a vector; small[3]: narrow address. d: none for red.
template <Space space, class T, class F>
const Op* atomic(Warp& w, const Op* op, uint32_t exec) {
  unsigned count = op->small[0];
  Addresses addresses;
  read_addresses(w, op->a, op->small[3] != 0, op->imm, addresses);
  Access access;
  resolve<space>(w, op, exec, AccessKind::atomic, addresses, static_cast<unsigned>(sizeof(T)) * count, access);
  bool changed = false;
  for (unsigned k = 0; k < count; ++k) {
    const T* b = source<T>(w, count == 1 ? op->b : op->list[k]);
    const T* c = op->c == no_operand ? b : source<T>(w, op->c);
    OperandRef to = count == 1 ? op->d : op->list[count + k];
    T* d = to == no_operand ? nullptr : destination<T>(w, to);
    for_lanes(exec, [&](int i) {
      T old = modify<T, F>(reinterpret_cast<T*>(access.pointer[i]) + k, b[i], c[i], &changed);
      if (d) d[i] = old;
    });
  }
  if (changed) ++w.writes;
  w.polled = true;
  return op + 1;
}

struct Wide {
  uint64_t low, high;
};
// 16-byte exchange and compare-and-swap: one lock for all, since not every machine has the instruction.
template <Space space, bool compare>
const Op* atomic_wide(Warp& w, const Op* op, uint32_t exec) {
  static std::atomic_flag lock = ATOMIC_FLAG_INIT;
  Addresses addresses;
  read_addresses(w, op->a, op->small[3] != 0, op->imm, addresses);
  Access access;
  resolve<space>(w, op, exec, AccessKind::atomic, addresses, 16, access);
  const Wide* b = source<Wide>(w, op->b);
  const Wide* c = compare ? source<Wide>(w, op->c) : b;
  Wide* d = op->d == no_operand ? nullptr : destination<Wide>(w, op->d);
  while (lock.test_and_set(std::memory_order_acquire)) {
  }
  for_lanes(exec, [&](int i) {
    Wide old;
    std::memcpy(&old, access.pointer[i], 16);
    Wide next = compare ? (old.low == b[i].low && old.high == b[i].high ? c[i] : old) : b[i];
    if (next.low != old.low || next.high != old.high) ++w.writes;
    std::memcpy(access.pointer[i], &next, 16);
    if (d) d[i] = old;
  });
  lock.clear(std::memory_order_release);
  w.polled = true;
  return op + 1;
}

template <class T, class F>
OpFunction in_space(Space space) {
  switch (space) {
    case Space::global:
      return &atomic<Space::global, T, F>;
    case Space::shared:
      return &atomic<Space::shared, T, F>;
    default:
      return &atomic<Space::generic, T, F>;
  }
}

enum class Kind { add, min, max, bit_and, bit_or, bit_xor, exch, cas, inc, dec };

OpFunction body(Kind kind, Type t, Space space) {
  switch (t) {
    case Type::f32:
      return kind == Kind::add ? in_space<uint32_t, AddFloat>(space) : nullptr;
    case Type::f64:
      return kind == Kind::add ? in_space<uint64_t, AddFloat>(space) : nullptr;
    case Type::f16:
      return kind == Kind::add   ? in_space<uint16_t, AddF16>(space)
             : kind == Kind::min ? in_space<uint16_t, MinF16>(space)
             : kind == Kind::max ? in_space<uint16_t, MaxF16>(space)
                                 : nullptr;
    case Type::bf16:
      return kind == Kind::add   ? in_space<uint16_t, AddBf16>(space)
             : kind == Kind::min ? in_space<uint16_t, MinBf16>(space)
             : kind == Kind::max ? in_space<uint16_t, MaxBf16>(space)
                                 : nullptr;
    case Type::f16x2:
      return kind == Kind::add   ? in_space<uint32_t, Halves<AddF16>>(space)
             : kind == Kind::min ? in_space<uint32_t, Halves<MinF16>>(space)
             : kind == Kind::max ? in_space<uint32_t, Halves<MaxF16>>(space)
                                 : nullptr;
    case Type::bf16x2:
      return kind == Kind::add   ? in_space<uint32_t, Halves<AddBf16>>(space)
             : kind == Kind::min ? in_space<uint32_t, Halves<MinBf16>>(space)
             : kind == Kind::max ? in_space<uint32_t, Halves<MaxBf16>>(space)
                                 : nullptr;
    default:
      break;
  }
  bool wide = type_bytes(t) == 8;
  if (type_bytes(t) == 2 && is_bits(t))
    return kind == Kind::cas    ? in_space<uint16_t, CompareSwap>(space)
           : kind == Kind::exch ? in_space<uint16_t, Exchange>(space)
                                : nullptr;
  if (type_bytes(t) < 4) return nullptr;
  switch (kind) {
    case Kind::add:
      return wide ? in_space<uint64_t, Add>(space) : in_space<uint32_t, Add>(space);
    case Kind::min:
      if (is_signed(t)) return wide ? in_space<int64_t, Min>(space) : in_space<int32_t, Min>(space);
      return wide ? in_space<uint64_t, Min>(space) : in_space<uint32_t, Min>(space);
    case Kind::max:
      if (is_signed(t)) return wide ? in_space<int64_t, Max>(space) : in_space<int32_t, Max>(space);
      return wide ? in_space<uint64_t, Max>(space) : in_space<uint32_t, Max>(space);
    case Kind::bit_and:
      return wide ? in_space<uint64_t, And>(space) : in_space<uint32_t, And>(space);
    case Kind::bit_or:
      return wide ? in_space<uint64_t, Or>(space) : in_space<uint32_t, Or>(space);
    case Kind::bit_xor:
      return wide ? in_space<uint64_t, Xor>(space) : in_space<uint32_t, Xor>(space);
    case Kind::exch:
      return wide ? in_space<uint64_t, Exchange>(space) : in_space<uint32_t, Exchange>(space);
    case Kind::cas:
      return wide ? in_space<uint64_t, CompareSwap>(space) : in_space<uint32_t, CompareSwap>(space);
    case Kind::inc:
      return wide ? nullptr : in_space<uint32_t, Inc>(space);
    case Kind::dec:
      return wide ? nullptr : in_space<uint32_t, Dec>(space);
  }
  return nullptr;
}

void decode_atomic(Decoder& d) {
  bool returns = d.in.opcode == "atom";
  d.set_class(OpClass::atom);
  d.take_one_of({"relaxed", "acquire", "release", "acq_rel"});
  d.take_one_of({"cta", "cluster", "gpu", "sys"});
  Space space = take_space(d);
  if (space != Space::global && space != Space::shared && space != Space::generic)
    d.fail("atomics need global or shared memory");
  int k = d.take_one_of({"add", "min", "max", "and", "or", "xor", "exch", "cas", "inc", "dec"});
  if (k < 0) d.fail("unknown atomic operation");
  Kind kind = static_cast<Kind>(k);
  d.take("noftz");
  bool hint = d.take("L2::cache_hint");
  int vector = d.take_one_of({"v2", "v4", "v8"});
  unsigned count = vector < 0 ? 1u : 2u << vector;
  Type t = d.take_type();
  size_t at = returns ? 1 : 0;
  size_t operands = at + 2 + (kind == Kind::cas ? 1 : 0);
  d.expect_operands(operands + (hint ? 1 : 0));
  bool narrow = false;
  d.op.a = d.address(d.operand(at), space, &narrow);
  d.op.small[3] = narrow;
  d.op.small[0] = static_cast<uint16_t>(count);
  if (count > 1) {
    if (space == Space::shared) d.fail("vector atomics need global memory");
    const Operand& from = d.operand(at + 1);
    if (from.kind != OperandKind::vector || from.elements.size() != count)
      d.fail("the source is no vector of that size");
    OperandRef* list = d.list(2 * count);
    for (unsigned i = 0; i < count; ++i) list[i] = d.source(from.elements[i], t);
    if (returns) {
      const Operand& to = d.operand(0);
      if (to.kind != OperandKind::vector || to.elements.size() != count)
        d.fail("the destination is no vector of that size");
      for (unsigned i = 0; i < count; ++i)
        if (to.elements[i].kind != OperandKind::sink) list[count + i] = d.destination(to.elements[i], t);
    }
    return d.emit(body(kind, t, space));
  }
  d.op.b = d.source(at + 1, t);
  if (kind == Kind::cas) d.op.c = d.source(at + 2, t);
  if (returns && d.operand(0).kind != OperandKind::sink) d.op.d = d.destination(0, t);
  if (t == Type::b128) {
    bool cas = kind == Kind::cas;
    if (!cas && kind != Kind::exch) d.fail("128-bit atomics are exch and cas");
    switch (space) {
      case Space::global:
        return d.emit(cas ? &atomic_wide<Space::global, true> : &atomic_wide<Space::global, false>);
      case Space::shared:
        return d.emit(cas ? &atomic_wide<Space::shared, true> : &atomic_wide<Space::shared, false>);
      default:
        return d.emit(cas ? &atomic_wide<Space::generic, true> : &atomic_wide<Space::generic, false>);
    }
  }
  d.emit(body(kind, t, space));
}

}  // namespace

void add_atomic_opcodes(Opcodes& table) { table["atom"] = table["red"] = decode_atomic; }

}  // namespace simulator
