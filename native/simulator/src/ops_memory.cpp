// Loads and stores of all state spaces.
#include "access.h"
#include "decode.h"
#include "report.h"

namespace simulator {

namespace {

// Operands of ld and st: list[k] are the registers of a vector, small[0] their number, small[1] polls memory,
// small[3] narrow address.
template <Space space, class Mem, class Reg>
const Op* load(Warp& w, const Op* op, uint32_t exec) {
  unsigned count = op->small[0];
  unsigned bytes = static_cast<unsigned>(sizeof(Mem)) * count;
  Addresses addresses;
  read_addresses(w, op->a, op->small[3] != 0, op->imm, addresses);
  Access access;
  resolve<space>(w, op, exec, AccessKind::load, addresses, bytes, access, op->small[1] != 0);
  if (op->small[1]) w.polled = true;
  if (count == 1 && access.contiguous) {
    Reg* d = destination<Reg>(w, op->d);
    const Mem* from = reinterpret_cast<const Mem*>(access.pointer[0]);
    for (int i = 0; i < lanes; ++i) d[i] = static_cast<Reg>(from[i]);
    return op + 1;
  }
  for (unsigned k = 0; k < count; ++k) {
    Reg* d = destination<Reg>(w, count == 1 ? op->d : op->list[k]);
    if (exec == full) {
      for (int i = 0; i < lanes; ++i) {
        Mem value;
        std::memcpy(&value, access.pointer[i] + k * sizeof(Mem), sizeof(Mem));
        d[i] = static_cast<Reg>(value);
      }
    } else {
      for_lanes(exec, [&](int i) {
        Mem value;
        std::memcpy(&value, access.pointer[i] + k * sizeof(Mem), sizeof(Mem));
        d[i] = static_cast<Reg>(value);
      });
    }
  }
  return op + 1;
}

template <Space space, class Mem, class Reg>
const Op* store(Warp& w, const Op* op, uint32_t exec) {
  unsigned count = op->small[0];
  unsigned bytes = static_cast<unsigned>(sizeof(Mem)) * count;
  Addresses addresses;
  read_addresses(w, op->a, op->small[3] != 0, op->imm, addresses);
  Access access;
  resolve<space>(w, op, exec, AccessKind::store, addresses, bytes, access, op->small[1] != 0);
  ++w.writes;
  if (count == 1 && access.contiguous) {
    const Reg* b = source<Reg>(w, op->b);
    Mem* to = reinterpret_cast<Mem*>(access.pointer[0]);
    for (int i = 0; i < lanes; ++i) to[i] = static_cast<Mem>(b[i]);
    return op + 1;
  }
  for (unsigned k = 0; k < count; ++k) {
    const Reg* b = source<Reg>(w, count == 1 ? op->b : op->list[k]);
    for_lanes(exec, [&](int i) {
      Mem value = static_cast<Mem>(b[i]);
      std::memcpy(access.pointer[i] + k * sizeof(Mem), &value, sizeof(Mem));
    });
  }
  return op + 1;
}

// 16-byte registers.
struct Wide {
  uint64_t low, high;
};
template <Space space>
const Op* load_wide(Warp& w, const Op* op, uint32_t exec) {
  Addresses addresses;
  read_addresses(w, op->a, op->small[3] != 0, op->imm, addresses);
  Access access;
  resolve<space>(w, op, exec, AccessKind::load, addresses, 16, access);
  Wide* d = destination<Wide>(w, op->d);
  for_lanes(exec, [&](int i) { std::memcpy(&d[i], access.pointer[i], 16); });
  return op + 1;
}
template <Space space>
const Op* store_wide(Warp& w, const Op* op, uint32_t exec) {
  Addresses addresses;
  read_addresses(w, op->a, op->small[3] != 0, op->imm, addresses);
  Access access;
  resolve<space>(w, op, exec, AccessKind::store, addresses, 16, access);
  ++w.writes;
  const Wide* b = source<Wide>(w, op->b);
  for_lanes(exec, [&](int i) { std::memcpy(access.pointer[i], &b[i], 16); });
  return op + 1;
}

// ---- parameters ----

// Of the kernel, at a fixed offset: the same value in all lanes.
template <class Mem, class Reg>
const Op* load_parameter(Warp& w, const Op* op, uint32_t exec) {
  const LaunchContext& launch = *w.block->launch;
  unsigned count = op->small[0];
  uint64_t offset = static_cast<uint64_t>(op->imm);
  if (offset + count * sizeof(Mem) > launch.parameter_bytes)
    fault(op, -1, Fault::illegal_address,
          format("load at parameter offset %llu of %u bytes", static_cast<unsigned long long>(offset),
                 launch.parameter_bytes));
  for (unsigned k = 0; k < count; ++k) {
    Mem value;
    std::memcpy(&value, launch.parameters + offset + k * sizeof(Mem), sizeof(Mem));
    Reg* d = destination<Reg>(w, count == 1 ? op->d : op->list[k]);
    each_lane(w, d, exec, [=](int) { return static_cast<Reg>(value); });
  }
  return op + 1;
}

// Of a call, in the frame; a is an offset in registers or none.
template <class Mem, class Reg>
const Op* load_frame(Warp& w, const Op* op, uint32_t exec) {
  unsigned count = op->small[0];
  uint32_t stride = w.frame->function->layout.param_stride;
  const uint64_t* base = op->a == no_operand ? nullptr : source<uint64_t>(w, op->a);
  for_lanes(exec, [&](int i) {
    uint64_t offset = static_cast<uint64_t>(op->imm) + (base ? base[i] : 0);
    if (offset > stride || stride - offset < count * sizeof(Mem))
      fault(op, i, Fault::illegal_address,
            format("load at parameter offset %llu of %u bytes", static_cast<unsigned long long>(offset), stride));
    for (unsigned k = 0; k < count; ++k) {
      Mem value;
      std::memcpy(&value, w.frame->param(i) + offset + k * sizeof(Mem), sizeof(Mem));
      destination<Reg>(w, count == 1 ? op->d : op->list[k])[i] = static_cast<Reg>(value);
    }
  });
  return op + 1;
}

template <class Mem, class Reg>
const Op* store_frame(Warp& w, const Op* op, uint32_t exec) {
  unsigned count = op->small[0];
  for_lanes(exec, [&](int i) {
    for (unsigned k = 0; k < count; ++k) {
      Mem value = static_cast<Mem>(source<Reg>(w, count == 1 ? op->b : op->list[k])[i]);
      std::memcpy(w.frame->param(i) + op->imm + k * sizeof(Mem), &value, sizeof(Mem));
    }
  });
  return op + 1;
}

// ---- decoding ----

// f.operator()<Mem, Reg>() for a type in memory and the bytes of the registers.
template <class F>
OpFunction for_memory(Type t, unsigned register_bytes, F f) {
  auto with = [&](auto mem) -> OpFunction {
    using Mem = decltype(mem);
    if (register_bytes < sizeof(Mem)) return nullptr;
    switch (register_bytes) {
      case 2:
        if constexpr (sizeof(Mem) <= 2) return f(Mem{}, uint16_t{});
        return nullptr;
      case 4:
        if constexpr (sizeof(Mem) <= 4) return f(Mem{}, uint32_t{});
        return nullptr;
      case 8:
        return f(Mem{}, uint64_t{});
      default:
        return nullptr;
    }
  };
  switch (t) {
    case Type::s8:
      return with(int8_t{});
    case Type::s16:
      return with(int16_t{});
    case Type::s32:
      return with(int32_t{});
    default:
      break;
  }
  switch (type_bytes(t)) {
    case 1:
      return with(uint8_t{});
    case 2:
      return with(uint16_t{});
    case 4:
      return with(uint32_t{});
    case 8:
      return with(uint64_t{});
    default:
      return nullptr;
  }
}

template <Space space>
OpFunction load_body(Type t, unsigned bytes) {
  if (t == Type::b128) return &load_wide<space>;
  return for_memory(t, bytes,
                    [](auto mem, auto reg) -> OpFunction { return &load<space, decltype(mem), decltype(reg)>; });
}
template <Space space>
OpFunction store_body(Type t, unsigned bytes) {
  if (t == Type::b128) return &store_wide<space>;
  return for_memory(t, bytes,
                    [](auto mem, auto reg) -> OpFunction { return &store<space, decltype(mem), decltype(reg)>; });
}

void take_cache_modifiers(Decoder& d) {
  d.take_one_of({"ca", "cg", "cs", "lu", "cv", "wb", "wt"});
  d.take_one_of({"L1::evict_normal", "L1::evict_unchanged", "L1::evict_first", "L1::evict_last", "L1::no_allocate"});
  d.take_one_of({"L2::evict_normal", "L2::evict_first", "L2::evict_last"});
  d.take_one_of({"L2::64B", "L2::128B", "L2::256B"});
}

}  // namespace

Space take_space(Decoder& d) {
  if (d.take("global")) return Space::global;
  if (d.take("shared") || d.take("shared::cta") || d.take("shared::cluster")) return Space::shared;
  if (d.take("local")) return Space::local;
  if (d.take("param") || d.take("param::entry") || d.take("param::func")) return Space::param;
  if (d.take("const")) return Space::constant;
  return Space::generic;
}

void memory_class(Decoder& d, Space space, bool is_store) {
  switch (space) {
    case Space::shared:
      d.set_class(is_store ? OpClass::st_shared : OpClass::ld_shared);
      break;
    case Space::local:
      d.set_class(OpClass::local);
      break;
    case Space::param:
    case Space::constant:
      d.set_class(OpClass::param);
      break;
    default:
      d.set_class(is_store ? OpClass::st_global : OpClass::ld_global);
      break;
  }
}

namespace {

struct Form {
  Space space;
  Type type;
  unsigned count;
};

Form take_form(Decoder& d, bool is_store) {
  bool is_volatile = d.take("volatile");
  bool mmio = d.take("mmio");
  int order = d.take_one_of({"weak", "relaxed", "acquire", "release"});
  d.take_one_of({"cta", "cluster", "gpu", "sys"});
  Form form;
  form.space = take_space(d);
  take_cache_modifiers(d);
  d.take("nc");
  take_cache_modifiers(d);
  bool hint = d.take("L2::cache_hint");
  int vector = d.take_one_of({"v2", "v4", "v8"});
  form.count = vector < 0 ? 1u : 2u << vector;
  form.type = d.take_type();
  d.op.small[1] = is_volatile || mmio || order > 0;
  memory_class(d, form.space, is_store);
  d.expect_operands(hint ? 3 : 2);
  if (hint) d.source(2, Type::b64);
  if (type_bytes(form.type) * form.count > 32) d.fail("more than 32 bytes in one access");
  return form;
}

void decode_load(Decoder& d) {
  Form form = take_form(d, false);
  const Operand& to = d.operand(0);
  const Operand& address = d.operand(1);
  bool narrow = false;
  bool entry = d.out.function.entry;
  bool frame_param = form.space == Space::param &&
                     (!address.variable || !d.out.entry_param_offset.count(address.variable)) &&
                     (address.variable || !entry);
  bool fixed_param = form.space == Space::param && !frame_param && address.variable;
  int64_t offset = address.offset;
  if (form.space == Space::param && address.variable) {
    const Variable* v = address.variable;
    if (v->space != Space::param) d.fail("variable " + v->name + " is no parameter");
    offset += static_cast<int64_t>(frame_param ? d.out.param_offset.at(v) : d.out.entry_param_offset.at(v));
    if (address.offset < 0 || static_cast<uint64_t>(address.offset) + type_bytes(form.type) * form.count > v->bytes)
      d.fail("access outside of parameter " + v->name);
    d.op.imm = offset;
  } else {
    d.op.a = d.address(address, form.space, &narrow);
    if (frame_param && narrow) d.fail("a parameter's address has 64 bits");
  }
  d.op.small[0] = static_cast<uint16_t>(form.count);
  d.op.small[3] = narrow;
  unsigned bytes = 0;
  if (form.count == 1) {
    bytes = to.kind == OperandKind::sink ? std::max(type_bytes(form.type), 2u) : d.bytes_of(to, form.type);
    d.op.d = d.destination_any(to, form.type);
  } else {
    if (to.kind != OperandKind::vector || to.elements.size() != form.count)
      d.fail("the destination is no vector of that size");
    OperandRef* list = d.list(form.count);
    for (const Operand& o : to.elements)
      if (o.kind == OperandKind::reg) bytes = d.bytes_of(o, form.type);
    if (!bytes) bytes = std::max(type_bytes(form.type), 2u);
    for (unsigned k = 0; k < form.count; ++k) {
      const Operand& o = to.elements[k];
      if (o.kind == OperandKind::reg && d.bytes_of(o, form.type) != bytes)
        d.fail("registers of different sizes in a vector");
      if (o.kind == OperandKind::sink) {
        int number = 0;
        list[k] = d.temporary(bytes, &number);
        d.define(number);
      } else {
        list[k] = d.destination_any(o, form.type);
      }
    }
  }
  Type t = form.type;
  if (frame_param)
    return d.emit(for_memory(
        t, bytes, [](auto mem, auto reg) -> OpFunction { return &load_frame<decltype(mem), decltype(reg)>; }));
  if (fixed_param)
    return d.emit(for_memory(
        t, bytes, [](auto mem, auto reg) -> OpFunction { return &load_parameter<decltype(mem), decltype(reg)>; }));
  switch (form.space) {
    case Space::global:
    case Space::constant:
      return d.emit(load_body<Space::global>(t, bytes));
    case Space::shared:
      return d.emit(load_body<Space::shared>(t, bytes));
    case Space::local:
      return d.emit(load_body<Space::local>(t, bytes));
    case Space::param:
      return d.emit(load_body<Space::param>(t, bytes));
    default:
      return d.emit(load_body<Space::generic>(t, bytes));
  }
}

void decode_store(Decoder& d) {
  Form form = take_form(d, true);
  if (form.space == Space::constant) d.fail("constants cannot be stored to");
  const Operand& address = d.operand(0);
  const Operand& from = d.operand(1);
  bool narrow = false;
  if (form.space == Space::param) {
    const Variable* v = address.variable;
    if (!v || !d.out.param_offset.count(v)) d.fail("st.param needs a parameter of a call or a return value");
    if (address.offset < 0 || static_cast<uint64_t>(address.offset) + type_bytes(form.type) * form.count > v->bytes)
      d.fail("access outside of parameter " + v->name);
    d.op.imm = static_cast<int64_t>(d.out.param_offset.at(v)) + address.offset;
  } else {
    d.op.a = d.address(address, form.space, &narrow);
  }
  d.op.small[0] = static_cast<uint16_t>(form.count);
  d.op.small[3] = narrow;
  unsigned bytes = 0;
  if (form.count == 1) {
    bytes = d.bytes_of(from, form.type);
    d.op.b = d.source_any(from, form.type);
  } else {
    if (from.kind != OperandKind::vector || from.elements.size() != form.count)
      d.fail("the source is no vector of that size");
    OperandRef* list = d.list(form.count);
    for (const Operand& o : from.elements)
      if (o.kind == OperandKind::reg) bytes = d.bytes_of(o, form.type);
    if (!bytes) bytes = std::max(type_bytes(form.type), 2u);
    for (unsigned k = 0; k < form.count; ++k) {
      const Operand& o = from.elements[k];
      if (o.kind == OperandKind::reg && d.bytes_of(o, form.type) != bytes)
        d.fail("registers of different sizes in a vector");
      Type literal = bytes == 8 && type_bytes(form.type) < 8   ? Type::b64
                     : bytes == 4 && type_bytes(form.type) < 4 ? Type::b32
                                                               : form.type;
      list[k] = d.source_any(o, o.kind == OperandKind::reg ? form.type : literal);
    }
  }
  Type t = form.type;
  if (is_signed(t))
    t = type_bytes(t) == 1 ? Type::b8 : type_bytes(t) == 2 ? Type::b16 : type_bytes(t) == 4 ? Type::b32 : Type::b64;
  switch (form.space) {
    case Space::param:
      return d.emit(for_memory(
          t, bytes, [](auto mem, auto reg) -> OpFunction { return &store_frame<decltype(mem), decltype(reg)>; }));
    case Space::global:
      return d.emit(store_body<Space::global>(t, bytes));
    case Space::shared:
      return d.emit(store_body<Space::shared>(t, bytes));
    case Space::local:
      return d.emit(store_body<Space::local>(t, bytes));
    default:
      return d.emit(store_body<Space::generic>(t, bytes));
  }
}

const Op* nothing(Warp&, const Op* op, uint32_t) { return op + 1; }

void decode_prefetch(Decoder& d) {
  d.set_class(OpClass::other);
  for (const std::string& m : d.in.modifiers) d.take(m);
  d.emit(&nothing);
}

}  // namespace

void add_memory_opcodes(Opcodes& table) {
  table["ld"] = decode_load;
  table["ldu"] = decode_load;
  table["st"] = decode_store;
  table["prefetch"] = table["prefetchu"] = table["discard"] = table["applypriority"] = decode_prefetch;
}

}  // namespace simulator
