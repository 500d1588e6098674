#include "decode.h"

#include <cstring>

#include "lanes.h"

namespace simulator {

Decoder::Decoder(Emitter& emitter, const Instruction& instruction)
    : in(instruction), out(emitter), op(emitted.op), used_(instruction.modifiers.size()) {
  emitted.info.line = instruction.line;
  emitted.info.source_file = instruction.source_file;
  emitted.info.source_line = instruction.source_line;
  emitted.info.guarded = instruction.guard >= 0;
  emitted.info.opcode = instruction.opcode.c_str();
  emitted.info.op_class = OpClass::other;
}

void Decoder::fail(const std::string& reason) const { throw PtxError(in.line, reason); }

bool Decoder::take(std::string_view name) {
  for (size_t i = 0; i < in.modifiers.size(); ++i)
    if (!used_[i] && in.modifiers[i] == name) return used_[i] = true;
  return false;
}

int Decoder::take_one_of(std::initializer_list<const char*> names) {
  int index = 0;
  for (const char* name : names) {
    if (take(name)) return index;
    ++index;
  }
  return -1;
}

bool Decoder::take_type(Type* type) {
  for (size_t i = 0; i < in.modifiers.size(); ++i) {
    if (used_[i]) continue;
    Type t = parse_type(in.modifiers[i]);
    if (t == Type::none) continue;
    used_[i] = true;
    *type = t;
    return true;
  }
  return false;
}

Type Decoder::take_type() {
  Type type = Type::none;
  if (!take_type(&type)) fail("the instruction has no type");
  return type;
}

void Decoder::check_modifiers_used() const {
  for (size_t i = 0; i < in.modifiers.size(); ++i)
    if (!used_[i]) fail("unknown modifier ." + in.modifiers[i] + " of " + in.opcode);
}

void Decoder::expect_operands(size_t least, size_t most) const {
  if (in.operands.size() < least || in.operands.size() > most)
    fail(in.opcode + " with " + std::to_string(in.operands.size()) + " operands");
}

const Operand& Decoder::operand(size_t i) const {
  if (i >= in.operands.size()) fail("too few operands");
  return in.operands[i];
}

unsigned Decoder::bytes_of(const Operand& o, Type otherwise) const {
  if (o.kind == OperandKind::reg) return out.register_bytes[static_cast<size_t>(o.reg)];
  unsigned bytes = type_bytes(otherwise);
  return bytes < 2 ? 2 : bytes;
}

OperandRef Decoder::register_use(int number, bool negated) {
  use(number);
  return static_cast<OperandRef>(number) * 4 + (negated ? 2 : 0);
}

OperandRef Decoder::temporary(unsigned bytes, int* number) {
  int r = out.new_register(bytes);
  if (number) *number = r;
  return static_cast<OperandRef>(r) * 4;
}

namespace {

uint64_t convert_literal(const Operand& o, Type type) {
  double value = 0;
  if (o.kind == OperandKind::integer) {
    if (type != Type::f32 && type != Type::f64) return o.bits;
    value = static_cast<double>(static_cast<int64_t>(o.bits));
  } else if (o.kind == OperandKind::f32) {
    if (type != Type::f64) return o.bits;
    uint32_t bits = static_cast<uint32_t>(o.bits);
    float narrow;
    std::memcpy(&narrow, &bits, 4);
    value = static_cast<double>(narrow);
  } else {
    if (type != Type::f32) return o.bits;
    std::memcpy(&value, &o.bits, 8);
  }
  uint64_t bits = 0;
  if (type == Type::f32) {
    float narrow = static_cast<float>(value);
    std::memcpy(&bits, &narrow, 4);
  } else {
    std::memcpy(&bits, &value, 8);
  }
  return bits;
}

}  // namespace

OperandRef Decoder::source_any(const Operand& o, Type type) {
  switch (o.kind) {
    case OperandKind::reg:
      if (out.is_predicate[static_cast<size_t>(o.reg)]) fail("a predicate where a value is expected");
      if (o.negated) fail("only predicates can be negated");
      return register_use(o.reg);
    case OperandKind::integer:
    case OperandKind::f32:
    case OperandKind::f64:
      return out.constant(convert_literal(o, type), type_bytes(type));
    case OperandKind::special:
      return special(o, type);
    case OperandKind::symbol:
    case OperandKind::name:
      return symbol_address(o, type);
    default:
      fail("unexpected operand");
  }
}

OperandRef Decoder::source(const Operand& o, Type type) {
  if (o.kind == OperandKind::reg) {
    unsigned want = type_bytes(type) == 1 ? 2 : type_bytes(type);
    if (out.register_bytes[static_cast<size_t>(o.reg)] != want)
      fail("register " + out.function.registers[static_cast<size_t>(o.reg)].name + " is not of the size of ." +
           type_name(type));
  }
  return source_any(o, type);
}

OperandRef Decoder::destination_any(const Operand& o, Type type) {
  int number = o.reg;
  if (o.kind == OperandKind::sink) {
    number = out.new_register(type_bytes(type) < 2 ? 2 : type_bytes(type));
  } else if (o.kind != OperandKind::reg) {
    fail("the destination is no register");
  } else if (out.is_predicate[static_cast<size_t>(o.reg)]) {
    fail("the destination is a predicate");
  }
  define(number);
  return static_cast<OperandRef>(number) * 4;
}

OperandRef Decoder::destination(const Operand& o, Type type) {
  if (o.kind == OperandKind::reg) {
    unsigned want = type_bytes(type) == 1 ? 2 : type_bytes(type);
    if (out.register_bytes[static_cast<size_t>(o.reg)] != want)
      fail("register " + out.function.registers[static_cast<size_t>(o.reg)].name + " is not of the size of ." +
           type_name(type));
  }
  return destination_any(o, type);
}

OperandRef Decoder::predicate_source(const Operand& o) {
  if (o.kind == OperandKind::integer) return out.predicate_constant((o.bits != 0) != o.negated);
  if (o.kind != OperandKind::reg || !out.is_predicate[static_cast<size_t>(o.reg)]) fail("expected a predicate");
  return register_use(o.reg, o.negated);
}

OperandRef Decoder::predicate_destination(const Operand& o) {
  int number = o.reg;
  if (o.kind == OperandKind::sink) {
    number = out.new_register(4, true);
  } else if (o.kind != OperandKind::reg || !out.is_predicate[static_cast<size_t>(o.reg)]) {
    fail("expected a predicate");
  }
  define(number);
  return static_cast<OperandRef>(number) * 4;
}

uint64_t Decoder::immediate(const Operand& o) const {
  if (o.kind != OperandKind::integer) fail("expected an integer constant");
  return o.bits;
}

OperandRef Decoder::special(const Operand& o, Type type) {
  unsigned bytes = type_bytes(type) < 2 ? 2 : type_bytes(type);
  OpFunction body = special_register_body(o.name, bytes);
  if (!body) fail("unknown special register or undeclared register " + o.name);
  int number = 0;
  EmittedOp hidden;
  hidden.op.d = temporary(bytes, &number);
  hidden.defs.push_back(number);
  emit_hidden(std::move(hidden), body);
  use(number);
  return static_cast<OperandRef>(number) * 4;
}

OperandRef Decoder::symbol_address(const Operand& o, Type type) {
  unsigned bytes = type_bytes(type);
  if (bytes < 4) fail("an address needs 32 or 64 bits");
  if (o.kind == OperandKind::name) {  // a function
    auto it = out.linkage.function_ids.find(o.name);
    if (it == out.linkage.function_ids.end()) fail("unknown name " + o.name);
    out.callees.push_back(o.name);
    return out.constant(out.linkage.code_base + 16 * static_cast<uint64_t>(it->second), bytes);
  }
  const Variable& v = *o.variable;
  uint64_t offset = static_cast<uint64_t>(o.offset);
  switch (v.space) {
    case Space::global:
    case Space::constant: {
      auto it = out.linkage.address.find(&v);
      if (it == out.linkage.address.end()) fail("variable " + v.name + " is declared but not defined");
      return out.constant(it->second + offset, bytes);
    }
    case Space::shared: {
      auto it = out.linkage.shared.find(&v);
      if (it == out.linkage.shared.end()) fail("shared variable " + v.name + " has no place");
      return out.constant(it->second + offset, bytes);
    }
    case Space::local: {
      int number = 0;
      EmittedOp hidden;
      hidden.op.d = temporary(bytes, &number);
      hidden.op.imm = static_cast<int64_t>(out.local_offset.at(&v) + offset);
      hidden.op.small[0] = static_cast<uint16_t>(bytes);
      hidden.defs.push_back(number);
      emit_hidden(std::move(hidden), &add_local_base);
      use(number);
      return static_cast<OperandRef>(number) * 4;
    }
    case Space::param: {
      auto it = out.entry_param_offset.find(&v);
      if (it != out.entry_param_offset.end()) return out.constant(it->second + offset, bytes);
      return out.constant(out.param_offset.at(&v) + offset, bytes);
    }
    default:
      fail("the address of " + v.name + " cannot be taken");
  }
}

OperandRef Decoder::address(const Operand& o, Space space, bool* narrow) {
  if (o.kind != OperandKind::address) fail("expected an address in brackets");
  op.imm = o.offset;
  *narrow = false;
  if (o.reg >= 0) {
    unsigned bytes = out.register_bytes[static_cast<size_t>(o.reg)];
    if (out.is_predicate[static_cast<size_t>(o.reg)] || (bytes != 4 && bytes != 8))
      fail("an address register must have 32 or 64 bits");
    *narrow = bytes == 4;
    return register_use(o.reg);
  }
  if (!o.variable) return out.constant(0, 8);
  if (o.variable->space != space && space != Space::generic)
    fail("variable " + o.variable->name + " is in another state space");
  if (space == Space::generic && o.variable->space != Space::global && o.variable->space != Space::constant)
    fail("variable " + o.variable->name + " has no generic address here");
  Operand symbol = o;
  symbol.kind = OperandKind::symbol;
  symbol.offset = 0;
  return symbol_address(symbol, Type::u64);
}

int Decoder::label(const std::string& name) const {
  for (int s = in.scope; s >= 0; s = out.function.scopes[static_cast<size_t>(s)].parent) {
    const auto& labels = out.function.scopes[static_cast<size_t>(s)].labels;
    auto it = labels.find(name);
    if (it != labels.end()) return it->second;
  }
  fail("unknown label " + name);
}

OperandRef* Decoder::list(size_t length) {
  emitted.list = out.new_list(length);
  emitted.list_length = static_cast<unsigned>(length);
  op.list = emitted.list;
  return emitted.list;
}

void Decoder::emit(OpFunction body, bool guards_itself) {
  if (!body) fail("this form of " + in.opcode + " is not supported");
  op.function = op.body = body;
  if (in.guard >= 0) {
    op.guard = register_use(in.guard, in.guard_negated);
    if (!guards_itself) op.function = &guarded;
  } else {
    op.guard = guards_itself ? out.predicate_constant(true) : no_operand;
  }
  out.ops.push_back(emitted);
}

void Decoder::emit_hidden(EmittedOp hidden, OpFunction body) {
  hidden.op.function = hidden.op.body = body;
  hidden.info = emitted.info;
  hidden.info.hidden = true;
  hidden.info.guarded = false;
  out.ops.push_back(std::move(hidden));
}

const Opcodes& opcodes() {
  static const Opcodes all = [] {
    Opcodes table;
    add_integer_opcodes(table);
    add_bit_opcodes(table);
    add_float_opcodes(table);
    add_compare_opcodes(table);
    add_convert_opcodes(table);
    add_move_opcodes(table);
    add_memory_opcodes(table);
    add_atomic_opcodes(table);
    add_control_opcodes(table);
    add_barrier_opcodes(table);
    add_warp_opcodes(table);
    add_async_opcodes(table);
    add_matrix_opcodes(table);
    return table;
  }();
  return all;
}

}  // namespace simulator
