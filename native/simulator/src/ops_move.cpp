// mov, packing and unpacking, selection, address conversion.
#include "access.h"
#include "decode.h"

namespace simulator {

namespace {

template <class T>
const Op* move(Warp& w, const Op* op, uint32_t exec) {
  T* d = destination<T>(w, op->d);
  const T* a = source<T>(w, op->a);
  each_lane(w, d, exec, [=](int i) { return a[i]; });
  return op + 1;
}
struct Wide {
  uint64_t low, high;
};
const Op* move_wide(Warp& w, const Op* op, uint32_t exec) {
  Wide* d = destination<Wide>(w, op->d);
  const Wide* a = source<Wide>(w, op->a);
  for_lanes(exec, [=](int i) { d[i] = a[i]; });
  return op + 1;
}
const Op* move_predicate(Warp& w, const Op* op, uint32_t exec) {
  set_predicate(w, op->d, exec, predicate(w, op->a));
  return op + 1;
}

// d = {list[0], list[1], ...}, the first in the lowest bits.
template <class D, class Part>
const Op* pack(Warp& w, const Op* op, uint32_t exec) {
  constexpr unsigned parts = sizeof(D) / sizeof(Part);
  D* d = destination<D>(w, op->d);
  const Part* part[parts];
  for (unsigned k = 0; k < parts; ++k) part[k] = source<Part>(w, op->list[k]);
  each_lane(w, d, exec, [&](int i) {
    D value = 0;
    for (unsigned k = 0; k < parts; ++k)
      value = static_cast<D>(value | static_cast<D>(static_cast<D>(part[k][i]) << (8 * sizeof(Part) * k)));
    return value;
  });
  return op + 1;
}
template <class D, class Part>
const Op* unpack(Warp& w, const Op* op, uint32_t exec) {
  constexpr unsigned parts = sizeof(D) / sizeof(Part);
  const D* a = source<D>(w, op->a);
  for (unsigned k = 0; k < parts; ++k) {
    if (op->list[k] == no_operand) continue;
    Part* d = destination<Part>(w, op->list[k]);
    each_lane(w, d, exec, [=](int i) { return static_cast<Part>(a[i] >> (8 * sizeof(Part) * k)); });
  }
  return op + 1;
}
const Op* pack_wide(Warp& w, const Op* op, uint32_t exec) {
  Wide* d = destination<Wide>(w, op->d);
  const uint64_t *low = source<uint64_t>(w, op->list[0]), *high = source<uint64_t>(w, op->list[1]);
  for_lanes(exec, [=](int i) { d[i] = {low[i], high[i]}; });
  return op + 1;
}
const Op* unpack_wide(Warp& w, const Op* op, uint32_t exec) {
  const Wide* a = source<Wide>(w, op->a);
  for (unsigned k = 0; k < 2; ++k) {
    if (op->list[k] == no_operand) continue;
    uint64_t* d = destination<uint64_t>(w, op->list[k]);
    for_lanes(exec, [=](int i) { d[i] = k ? a[i].high : a[i].low; });
  }
  return op + 1;
}

template <class T>
const Op* select(Warp& w, const Op* op, uint32_t exec) {
  T* d = destination<T>(w, op->d);
  const T *a = source<T>(w, op->a), *b = source<T>(w, op->b);
  uint32_t p = predicate(w, op->c);
  each_lane(w, d, exec, [=](int i) { return (p >> i & 1) ? a[i] : b[i]; });
  return op + 1;
}

// ---- addresses ----

template <bool to_space, class T>
const Op* convert_address(Warp& w, const Op* op, uint32_t exec) {
  T* d = destination<T>(w, op->d);
  const T* a = source<T>(w, op->a);
  const LaunchContext& launch = *w.block->launch;
  uint64_t base = op->small[0] == 1 ? launch.shared_base : op->small[0] == 2 ? launch.local_base : launch.param_base;
  T add = static_cast<T>(to_space ? 0 - base : base);
  each_lane(w, d, exec, [=](int i) { return static_cast<T>(a[i] + add); });
  return op + 1;
}

template <bool narrow>
const Op* is_space(Warp& w, const Op* op, uint32_t exec) {
  const LaunchContext& launch = *w.block->launch;
  Space wanted = static_cast<Space>(op->small[0]);
  uint32_t result = 0;
  for_lanes(exec, [&](int i) {
    uint64_t address = narrow ? source<uint32_t>(w, op->a)[i] : source<uint64_t>(w, op->a)[i];
    Space space = space_of_address(launch, address);
    if (space == Space::global && wanted == Space::constant) {
      Range range;
      space = device_memory().find_range(address, &range) && !range.writable ? Space::constant : space;
    }
    result |= (space == wanted ? 1u : 0u) << i;
  });
  set_predicate(w, op->d, exec, result);
  return op + 1;
}

}  // namespace

const Op* add_local_base(Warp& w, const Op* op, uint32_t exec) {
  uint64_t value = w.frame->local_base + static_cast<uint64_t>(op->imm);
  if (op->small[0] == 4) {
    each_lane(w, destination<uint32_t>(w, op->d), exec, [=](int) { return static_cast<uint32_t>(value); });
  } else {
    each_lane(w, destination<uint64_t>(w, op->d), exec, [=](int) { return value; });
  }
  return op + 1;
}

namespace {

void decode_pack(Decoder& d, Type t) {
  const Operand& from = d.operand(1);
  size_t parts = from.elements.size();
  unsigned part = static_cast<unsigned>(type_bytes(t) / parts);
  if (part * parts != type_bytes(t)) d.fail("the parts do not make up the whole");
  d.op.d = d.destination(0, t);
  OperandRef* list = d.list(parts);
  Type part_type = part == 8 ? Type::b64 : part == 4 ? Type::b32 : part == 2 ? Type::b16 : Type::b8;
  if (part == 1) d.fail("packing of bytes needs 8-bit registers");
  for (size_t k = 0; k < parts; ++k) list[k] = d.source(from.elements[k], part_type);
  switch (type_bytes(t) * 100 + part) {
    case 402:
      return d.emit(&pack<uint32_t, uint16_t>);
    case 804:
      return d.emit(&pack<uint64_t, uint32_t>);
    case 802:
      return d.emit(&pack<uint64_t, uint16_t>);
    case 1608:
      return d.emit(&pack_wide);
    default:
      d.fail("this packing is not supported");
  }
}

void decode_unpack(Decoder& d, Type t) {
  const Operand& to = d.operand(0);
  size_t parts = to.elements.size();
  unsigned part = static_cast<unsigned>(type_bytes(t) / parts);
  if (part * parts != type_bytes(t)) d.fail("the parts do not make up the whole");
  d.op.a = d.source(1, t);
  OperandRef* list = d.list(parts);
  Type part_type = part == 8 ? Type::b64 : part == 4 ? Type::b32 : Type::b16;
  for (size_t k = 0; k < parts; ++k)
    if (to.elements[k].kind != OperandKind::sink) list[k] = d.destination(to.elements[k], part_type);
  switch (type_bytes(t) * 100 + part) {
    case 402:
      return d.emit(&unpack<uint32_t, uint16_t>);
    case 804:
      return d.emit(&unpack<uint64_t, uint32_t>);
    case 802:
      return d.emit(&unpack<uint64_t, uint16_t>);
    case 1608:
      return d.emit(&unpack_wide);
    default:
      d.fail("this unpacking is not supported");
  }
}

void decode_mov(Decoder& d) {
  d.set_class(OpClass::move);
  Type t = d.take_type();
  d.expect_operands(2);
  if (t == Type::pred) {
    d.op.d = d.predicate_destination(d.operand(0));
    d.op.a = d.predicate_source(d.operand(1));
    return d.emit(&move_predicate);
  }
  if (d.operand(1).kind == OperandKind::vector) return decode_pack(d, t);
  if (d.operand(0).kind == OperandKind::vector) return decode_unpack(d, t);
  d.op.d = d.destination(0, t);
  if (d.operand(1).kind == OperandKind::special) {
    OpFunction body = special_register_body(d.operand(1).name, type_bytes(t));
    if (!body) d.fail("unknown special register or undeclared register " + d.operand(1).name);
    return d.emit(body);
  }
  d.op.a = d.source(1, t);
  switch (type_bytes(t)) {
    case 2:
      return d.emit(&move<uint16_t>);
    case 4:
      return d.emit(&move<uint32_t>);
    case 8:
      return d.emit(&move<uint64_t>);
    case 16:
      return d.emit(&move_wide);
    default:
      d.fail("mov of this type is not supported");
  }
}

void decode_selp(Decoder& d) {
  d.set_class(OpClass::integer);
  Type t = d.take_type();
  d.expect_operands(4);
  d.op.d = d.destination(0, t);
  d.op.a = d.source(1, t);
  d.op.b = d.source(2, t);
  d.op.c = d.predicate_source(d.operand(3));
  switch (type_bytes(t)) {
    case 2:
      return d.emit(&select<uint16_t>);
    case 4:
      return d.emit(&select<uint32_t>);
    case 8:
      return d.emit(&select<uint64_t>);
    default:
      d.fail("selp of this type is not supported");
  }
}

int window_of(Decoder& d) {
  if (d.take("global") || d.take("const")) return 0;
  if (d.take("shared") || d.take("shared::cta") || d.take("shared::cluster")) return 1;
  if (d.take("local")) return 2;
  if (d.take("param") || d.take("param::entry")) return 3;
  d.fail("unknown state space");
}

void decode_cvta(Decoder& d) {
  d.set_class(OpClass::move);
  bool to = d.take("to");
  int window = window_of(d);
  Type t = d.take_type();
  d.expect_operands(2);
  d.op.d = d.destination(0, t);
  d.op.a = d.source(1, t);
  d.op.small[0] = static_cast<uint16_t>(window);
  if (type_bytes(t) == 4) {
    if (window == 0) return d.emit(&move<uint32_t>);
    return d.emit(to ? &convert_address<true, uint32_t> : &convert_address<false, uint32_t>);
  }
  if (window == 0) return d.emit(&move<uint64_t>);
  d.emit(to ? &convert_address<true, uint64_t> : &convert_address<false, uint64_t>);
}

void decode_isspacep(Decoder& d) {
  d.set_class(OpClass::integer);
  Space space = d.take("global")                                                         ? Space::global
                : d.take("const")                                                        ? Space::constant
                : d.take("shared") || d.take("shared::cta") || d.take("shared::cluster") ? Space::shared
                : d.take("local")                                                        ? Space::local
                : d.take("param") || d.take("param::entry")                              ? Space::param
                                                                                         : Space::generic;
  d.expect_operands(2);
  d.op.d = d.predicate_destination(d.operand(0));
  bool narrow = d.bytes_of(d.operand(1), Type::u64) == 4;
  d.op.a = d.source_any(d.operand(1), Type::u64);
  d.op.small[0] = static_cast<uint16_t>(space);
  d.emit(narrow ? &is_space<true> : &is_space<false>);
}

// Every cluster is one block, so the address in the other block is the address itself.
void decode_mapa(Decoder& d) {
  d.set_class(OpClass::move);
  d.take("shared::cluster");
  Type t = d.take_type();
  d.expect_operands(3);
  d.op.d = d.destination(0, t);
  d.op.a = d.source(1, t);
  d.op.b = d.source(2, Type::u32);
  d.emit(type_bytes(t) == 4 ? &move<uint32_t> : &move<uint64_t>);
}

template <class T>
const Op* zero(Warp& w, const Op* op, uint32_t exec) {
  each_lane(w, destination<T>(w, op->d), exec, [](int) { return T(0); });
  return op + 1;
}

void decode_getctarank(Decoder& d) {
  d.set_class(OpClass::move);
  d.take("shared::cluster");
  d.take_type();
  d.expect_operands(2);
  d.op.d = d.destination(0, Type::u32);
  d.emit(&zero<uint32_t>);
}

// Cache policies do nothing here.
void decode_createpolicy(Decoder& d) {
  d.set_class(OpClass::other);
  for (const std::string& m : d.in.modifiers) d.take(m);
  d.op.d = d.destination(0, Type::b64);
  d.emit(&zero<uint64_t>);
}

}  // namespace

void add_move_opcodes(Opcodes& table) {
  table["mov"] = decode_mov;
  table["selp"] = decode_selp;
  table["cvta"] = decode_cvta;
  table["isspacep"] = decode_isspacep;
  table["mapa"] = decode_mapa;
  table["getctarank"] = decode_getctarank;
  table["createpolicy"] = decode_createpolicy;
}

}  // namespace simulator
