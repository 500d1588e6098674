// mov, packing and unpacking, selection, address conversion, special registers.
#include <chrono>

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
    for (unsigned k = 0; k < parts; ++k) value = static_cast<D>(value | static_cast<D>(static_cast<D>(part[k][i]) << (8 * sizeof(Part) * k)));
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

// ---- special registers ----

enum class Special : uint8_t {
  tid_x, tid_y, tid_z, ntid_x, ntid_y, ntid_z, ctaid_x, ctaid_y, ctaid_z, nctaid_x, nctaid_y, nctaid_z,
  laneid, warpid, nwarpid, smid, nsmid, gridid, lanemask_eq, lanemask_le, lanemask_lt, lanemask_ge, lanemask_gt,
  clock, clock_hi, clock64, globaltimer, globaltimer_lo, globaltimer_hi,
  dynamic_smem_size, total_smem_size, zero, one,
};

struct SpecialName {
  const char* name;
  Special which;
};
constexpr SpecialName special_names[] = {
    {"%tid.x", Special::tid_x}, {"%tid.y", Special::tid_y}, {"%tid.z", Special::tid_z}, {"%tid.w", Special::zero},
    {"%ntid.x", Special::ntid_x}, {"%ntid.y", Special::ntid_y}, {"%ntid.z", Special::ntid_z}, {"%ntid.w", Special::one},
    {"%ctaid.x", Special::ctaid_x}, {"%ctaid.y", Special::ctaid_y}, {"%ctaid.z", Special::ctaid_z},
    {"%nctaid.x", Special::nctaid_x}, {"%nctaid.y", Special::nctaid_y}, {"%nctaid.z", Special::nctaid_z},
    {"%laneid", Special::laneid}, {"%warpid", Special::warpid}, {"%nwarpid", Special::nwarpid},
    {"%smid", Special::smid}, {"%nsmid", Special::nsmid}, {"%gridid", Special::gridid},
    {"%lanemask_eq", Special::lanemask_eq}, {"%lanemask_le", Special::lanemask_le}, {"%lanemask_lt", Special::lanemask_lt},
    {"%lanemask_ge", Special::lanemask_ge}, {"%lanemask_gt", Special::lanemask_gt},
    {"%clock", Special::clock}, {"%clock_hi", Special::clock_hi}, {"%clock64", Special::clock64},
    {"%globaltimer", Special::globaltimer}, {"%globaltimer_lo", Special::globaltimer_lo},
    {"%globaltimer_hi", Special::globaltimer_hi},
    {"%dynamic_smem_size", Special::dynamic_smem_size}, {"%total_smem_size", Special::total_smem_size},
    {"%aggr_smem_size", Special::total_smem_size},
    // Every cluster is one block.
    {"%clusterid.x", Special::ctaid_x}, {"%clusterid.y", Special::ctaid_y}, {"%clusterid.z", Special::ctaid_z},
    {"%nclusterid.x", Special::nctaid_x}, {"%nclusterid.y", Special::nctaid_y}, {"%nclusterid.z", Special::nctaid_z},
    {"%cluster_ctaid.x", Special::zero}, {"%cluster_ctaid.y", Special::zero}, {"%cluster_ctaid.z", Special::zero},
    {"%cluster_nctaid.x", Special::one}, {"%cluster_nctaid.y", Special::one}, {"%cluster_nctaid.z", Special::one},
    {"%cluster_ctarank", Special::zero}, {"%cluster_nctarank", Special::one},
    {"%current_graph_exec", Special::zero},
};

uint64_t time_now(bool wall) {
  std::chrono::nanoseconds since_epoch = wall ? std::chrono::system_clock::now().time_since_epoch()
                          : std::chrono::duration_cast<std::chrono::nanoseconds>(
                                std::chrono::steady_clock::now().time_since_epoch());
  return static_cast<uint64_t>(since_epoch.count());
}

template <Special which, class T>
const Op* read_special(Warp& w, const Op* op, uint32_t exec) {
  T* d = destination<T>(w, op->d);
  const Block& block = *w.block;
  const LaunchContext& launch = *block.launch;
  const Launch& l = *launch.launch;
  constexpr bool is_tid = which == Special::tid_x || which == Special::tid_y || which == Special::tid_z;
  if constexpr (is_tid) {
    uint32_t first = w.index * 32;
    if (l.block.y * l.block.z == 1) {
      each_lane(w, d, exec, [=](int i) { return static_cast<T>(which == Special::tid_x ? first + static_cast<uint32_t>(i) : 0); });
    } else {
      each_lane(w, d, exec, [&](int i) {
        uint32_t linear = first + static_cast<uint32_t>(i);
        return static_cast<T>(which == Special::tid_x   ? linear % l.block.x
                              : which == Special::tid_y ? linear / l.block.x % l.block.y
                                                        : linear / l.block.x / l.block.y);
      });
    }
    return op + 1;
  }
  auto lane_value = [](int i) -> uint64_t {
    uint32_t bit = 1u << i;
    switch (which) {
      case Special::laneid: return static_cast<uint32_t>(i);
      case Special::lanemask_eq: return bit;
      case Special::lanemask_lt: return bit - 1;
      case Special::lanemask_le: return bit | (bit - 1);
      case Special::lanemask_ge: return ~(bit - 1);
      case Special::lanemask_gt: return ~(bit | (bit - 1));
      default: return 0;
    }
  };
  constexpr bool by_lane = which == Special::laneid || which == Special::lanemask_eq || which == Special::lanemask_lt ||
                           which == Special::lanemask_le || which == Special::lanemask_ge || which == Special::lanemask_gt;
  if constexpr (by_lane) {
    each_lane(w, d, exec, [=](int i) { return static_cast<T>(lane_value(i)); });
    return op + 1;
  }
  uint64_t value = 0;
  switch (which) {
    case Special::ntid_x: value = l.block.x; break;
    case Special::ntid_y: value = l.block.y; break;
    case Special::ntid_z: value = l.block.z; break;
    case Special::ctaid_x: value = block.index.x; break;
    case Special::ctaid_y: value = block.index.y; break;
    case Special::ctaid_z: value = block.index.z; break;
    case Special::nctaid_x: value = l.grid.x; break;
    case Special::nctaid_y: value = l.grid.y; break;
    case Special::nctaid_z: value = l.grid.z; break;
    case Special::warpid: value = w.index; break;
    case Special::nwarpid: value = static_cast<uint64_t>(launch.device->max_threads_per_multiprocessor) / 32; break;
    case Special::smid: value = block.linear % static_cast<uint64_t>(launch.device->multiprocessors); break;
    case Special::nsmid: value = static_cast<uint64_t>(launch.device->multiprocessors); break;
    case Special::gridid: value = launch.grid_id; break;
    case Special::clock: case Special::clock64: value = time_now(false); w.polled = true; ++w.writes; break;
    case Special::clock_hi: value = time_now(false) >> 32; break;
    case Special::globaltimer: case Special::globaltimer_lo: value = time_now(true); w.polled = true; ++w.writes; break;
    case Special::globaltimer_hi: value = time_now(true) >> 32; break;
    case Special::dynamic_smem_size: value = l.dynamic_shared_bytes; break;
    case Special::total_smem_size: value = block.shared_bytes - shared_reserved; break;
    case Special::one: value = 1; break;
    default: break;
  }
  each_lane(w, d, exec, [=](int) { return static_cast<T>(value); });
  return op + 1;
}

template <class T, size_t... N>
OpFunction special_body(Special which, std::index_sequence<N...>) {
  OpFunction result = nullptr;
  ((result = static_cast<size_t>(which) == N ? &read_special<static_cast<Special>(N), T> : result), ...);
  return result;
}

}  // namespace

OpFunction special_register_body(std::string_view name, unsigned bytes) {
  constexpr auto all = std::make_index_sequence<static_cast<size_t>(Special::one) + 1>{};
  for (const SpecialName& s : special_names) {
    if (name != s.name) continue;
    switch (bytes) {
      case 2: return special_body<uint16_t>(s.which, all);
      case 4: return special_body<uint32_t>(s.which, all);
      case 8: return special_body<uint64_t>(s.which, all);
      default: return nullptr;
    }
  }
  return nullptr;
}

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
    case 402: return d.emit(&pack<uint32_t, uint16_t>);
    case 804: return d.emit(&pack<uint64_t, uint32_t>);
    case 802: return d.emit(&pack<uint64_t, uint16_t>);
    case 1608: return d.emit(&pack_wide);
    default: d.fail("this packing is not supported");
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
    case 402: return d.emit(&unpack<uint32_t, uint16_t>);
    case 804: return d.emit(&unpack<uint64_t, uint32_t>);
    case 802: return d.emit(&unpack<uint64_t, uint16_t>);
    case 1608: return d.emit(&unpack_wide);
    default: d.fail("this unpacking is not supported");
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
    case 2: return d.emit(&move<uint16_t>);
    case 4: return d.emit(&move<uint32_t>);
    case 8: return d.emit(&move<uint64_t>);
    case 16: return d.emit(&move_wide);
    default: d.fail("mov of this type is not supported");
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
    case 2: return d.emit(&select<uint16_t>);
    case 4: return d.emit(&select<uint32_t>);
    case 8: return d.emit(&select<uint64_t>);
    default: d.fail("selp of this type is not supported");
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
  Space space = d.take("global")  ? Space::global
                : d.take("const") ? Space::constant
                : d.take("shared") || d.take("shared::cta") || d.take("shared::cluster") ? Space::shared
                : d.take("local") ? Space::local
                : d.take("param") || d.take("param::entry") ? Space::param
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
