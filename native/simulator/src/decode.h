// One PTX instruction to ops: what the instruction files (ops_*.cpp) use to read modifiers and operands.
#pragma once

#include <functional>
#include <initializer_list>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "program.h"
#include "syntax.h"

namespace simulator {

// Where the module's names are when a kernel is compiled.
struct Linkage {
  const ModuleSyntax* module = nullptr;
  int device_cc = 90;
  std::unordered_map<const Variable*, uint64_t> address;  // .global and .const
  std::unordered_map<const Variable*, uint32_t> shared;   // of the kernel being compiled
  std::unordered_map<std::string, int> function_ids;      // index into module->functions
  uint64_t code_base = 0;                                 // address of function id 0; 16 bytes each
};

struct EmittedOp {
  EmittedOp() { op.d = op.a = op.b = op.c = op.e = op.guard = ~OperandRef{0}; }
  Op op{};
  OpInfo info;
  std::vector<int> uses, defs;  // virtual registers
  int target = -1;              // instruction index a branch goes to
  std::vector<int> table;       // instruction indices of an indexed branch
  OperandRef* list = nullptr;
  unsigned list_length = 0;
};

// A function under compilation: virtual registers and emitted ops. References in ops are virtual until
// registers have their slots: number * 4 (+2: negated) for registers; constants are final.
class Emitter {
 public:
  Emitter(const FunctionSyntax& function, const Linkage& linkage, Program& program);

  const FunctionSyntax& function;
  const Linkage& linkage;
  Program& program;
  std::vector<EmittedOp> ops;
  std::vector<unsigned> register_bytes;  // by virtual register; 4 with is_predicate for predicates
  std::vector<bool> is_predicate;
  std::unordered_map<const Variable*, uint32_t> param_offset;  // .param variables in the frame
  std::unordered_map<const Variable*, uint32_t> entry_param_offset;
  std::unordered_map<const Variable*, uint32_t> local_offset;
  FrameLayout layout;
  std::vector<std::string> callees;  // called or with their address taken

  int new_register(unsigned bytes, bool predicate = false);
  OperandRef constant(uint64_t bits, unsigned bytes, uint64_t high = 0);
  OperandRef predicate_constant(bool value);
  OperandRef* new_list(size_t count);
  template <class T>
  T* new_data(const T& value) {
    auto copy = std::make_shared<T>(value);
    program.arena.push_back(copy);
    return copy.get();
  }

 private:
  std::map<std::pair<uint64_t, std::pair<uint64_t, unsigned>>, OperandRef> constants_;
};

class Decoder {
 public:
  Decoder(Emitter& emitter, const Instruction& instruction);

  const Instruction& in;
  Emitter& out;
  EmittedOp emitted;
  Op& op;

  [[noreturn]] void fail(const std::string& reason) const;

  // ---- modifiers: taken one by one; what is left over at the end is an error ----
  bool take(std::string_view name);
  // The one of the names that is there, as an index; -1 if none.
  int take_one_of(std::initializer_list<const char*> names);
  Type take_type();           // the next type; an error if there is none
  bool take_type(Type* out);  // the next type if there is one
  void check_modifiers_used() const;
  void set_class(OpClass c) { emitted.info.op_class = c; }

  // ---- operands ----
  size_t count() const { return in.operands.size(); }
  void expect_operands(size_t n) const { expect_operands(n, n); }
  void expect_operands(size_t least, size_t most) const;
  const Operand& operand(size_t i) const;
  // Size in bytes of a register operand; the type's size for anything else.
  unsigned bytes_of(const Operand& o, Type otherwise) const;
  OperandRef source(const Operand& o, Type type);       // the register must be of the type's size
  OperandRef source_any(const Operand& o, Type type);   // any register; use bytes_of
  OperandRef destination(const Operand& o, Type type);  // a sink gets a register that nobody reads
  OperandRef destination_any(const Operand& o, Type type);
  OperandRef predicate_source(const Operand& o);
  OperandRef predicate_destination(const Operand& o);
  OperandRef source(size_t i, Type t) { return source(operand(i), t); }
  OperandRef destination(size_t i, Type t) { return destination(operand(i), t); }
  OperandRef temporary(unsigned bytes, int* number = nullptr);
  void use(int virtual_register) { emitted.uses.push_back(virtual_register); }
  void define(int virtual_register) { emitted.defs.push_back(virtual_register); }
  uint64_t immediate(const Operand& o) const;  // an integer literal

  // The base of an address; op.imm gets the offset, the result says whether the base is 32 bits wide.
  OperandRef address(const Operand& o, Space space, bool* narrow);
  // Label, in the scope of the instruction, to instruction index.
  int label(const std::string& name) const;

  OperandRef* list(size_t count);  // also attached to the op

  // Appends the op; the guard of the instruction goes in front of body unless guards_itself.
  void emit(OpFunction body, bool guards_itself = false);
  // Appends an op that is no instruction of the text, in front of the one being decoded.
  void emit_hidden(EmittedOp hidden, OpFunction body);

 private:
  OperandRef register_use(int number, bool negated = false);
  OperandRef special(const Operand& o, Type type);
  OperandRef symbol_address(const Operand& o, Type type);
  std::vector<bool> used_;
};

using DecodeFunction = void (*)(Decoder&);
using Opcodes = std::unordered_map<std::string_view, DecodeFunction>;
const Opcodes& opcodes();

void add_integer_opcodes(Opcodes&);
void add_bit_opcodes(Opcodes&);
void add_float_opcodes(Opcodes&);
void add_compare_opcodes(Opcodes&);
void add_convert_opcodes(Opcodes&);
void add_move_opcodes(Opcodes&);
void add_memory_opcodes(Opcodes&);
void add_atomic_opcodes(Opcodes&);
void add_control_opcodes(Opcodes&);
void add_barrier_opcodes(Opcodes&);
void add_warp_opcodes(Opcodes&);
void add_async_opcodes(Opcodes&);
void add_mbarrier_opcodes(Opcodes&);
void add_matrix_opcodes(Opcodes&);

// Bodies that the decoder itself needs.
OpFunction special_register_body(std::string_view name, unsigned bytes);  // null when unknown
const Op* add_local_base(Warp&, const Op*, uint32_t);
const Op* guarded(Warp&, const Op*, uint32_t);

// f(T{}) for the C++ type of a PTX type among the given ones; null when it is none of them.
template <class T>
constexpr bool type_matches(Type t) {
  switch (t) {
    case Type::u8:
    case Type::b8:
      return std::is_same_v<T, uint8_t>;
    case Type::u16:
    case Type::b16:
      return std::is_same_v<T, uint16_t>;
    case Type::u32:
    case Type::b32:
      return std::is_same_v<T, uint32_t>;
    case Type::u64:
    case Type::b64:
      return std::is_same_v<T, uint64_t>;
    case Type::s8:
      return std::is_same_v<T, int8_t>;
    case Type::s16:
      return std::is_same_v<T, int16_t>;
    case Type::s32:
      return std::is_same_v<T, int32_t>;
    case Type::s64:
      return std::is_same_v<T, int64_t>;
    case Type::f32:
      return std::is_same_v<T, float>;
    case Type::f64:
      return std::is_same_v<T, double>;
    default:
      return false;
  }
}
template <class... Ts, class F>
OpFunction for_type(Type t, F f) {
  OpFunction result = nullptr;
  ((result = !result && type_matches<Ts>(t) ? f(Ts{}) : result), ...);
  return result;
}

}  // namespace simulator
