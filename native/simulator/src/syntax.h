// The syntax tree of a PTX module: what the parser makes and the compiler reads.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "types.h"

namespace simulator {

// An error in the PTX; the line is of the module's text.
struct PtxError : std::runtime_error {
  PtxError(int line_number, const std::string& message) : std::runtime_error(message), line(line_number) {}
  int line;
};

// A value of an initialiser: a literal or the address of a variable or function plus an addend.
struct InitialValue {
  uint32_t offset = 0, bytes = 0;
  uint64_t bits = 0;   // of literals, already in the element's type
  std::string symbol;  // empty for literals
  int64_t addend = 0;
  uint64_t mask = ~uint64_t{0};  // mask form 0xFF00(symbol): the selected bits, shifted down
};

struct Variable {
  std::string name;
  Space space = Space::global;
  Type type = Type::b8;
  uint32_t alignment = 1;
  uint64_t bytes = 0;
  bool external = false;  // .extern; with unsized: dynamic shared memory
  bool unsized = false;
  bool is_entry_parameter = false, is_function_parameter = false;
  int line = 0;
  std::vector<InitialValue> initial;
};

struct Register {
  std::string name;
  Type type = Type::none;
};

enum class OperandKind : uint8_t {
  sink,     // _
  reg,      // reg (negated: !%p)
  integer,  // bits
  f32,      // bits (0f...)
  f64,      // bits (0d... and decimal literals)
  special,  // %tid.x ...: name
  symbol,   // address of variable plus offset
  name,     // a label, function, prototype or table of branch targets, resolved by the instruction
  address,  // [base + offset]; base: register, variable or nothing
  vector,   // {a, b, ...}
  pair,     // a|b
};

struct Operand {
  OperandKind kind = OperandKind::sink;
  bool negated = false;
  int reg = -1;
  uint64_t bits = 0;
  int64_t offset = 0;
  const Variable* variable = nullptr;
  std::string name;
  std::vector<Operand> elements;
};

struct Instruction {
  int line = 0;
  std::string opcode;                  // "add"
  std::vector<std::string> modifiers;  // "rn", "f32"
  int guard = -1;                      // predicate register
  bool guard_negated = false;
  std::vector<Operand> operands;
  int scope = 0;                         // for the lookup of labels
  int source_file = 0, source_line = 0;  // of .loc
  // call only
  std::vector<Operand> returns, arguments;
};

struct Prototype {
  std::vector<Variable> returns, parameters;
};

// A label of a function refers to the instruction that follows it.
struct Scope {
  int parent = -1;
  std::map<std::string, int> labels;                        // instruction index
  std::map<std::string, std::vector<std::string>> targets;  // .branchtargets, .calltargets
  std::map<std::string, Prototype> prototypes;
};

struct FunctionSyntax {
  std::string name;
  int line = 0;
  bool entry = false, defined = false, external = false;
  std::vector<std::unique_ptr<Variable>> returns, parameters;
  std::vector<std::unique_ptr<Variable>>
      variables;  // .local, .shared, .param (of calls), .global, .const inside the body
  std::vector<Register> registers;
  std::vector<Instruction> instructions;
  std::vector<Scope> scopes;
  uint32_t max_threads = 0;  // .maxntid or .reqntid, product
};

struct ModuleSyntax {
  int version = 0;         // 84 for 8.4
  int target = 0;          // 90 for sm_90
  char target_suffix = 0;  // 'a' of sm_90a
  std::vector<std::unique_ptr<Variable>> variables;
  std::vector<std::unique_ptr<FunctionSyntax>> functions;
  std::map<int, std::string> files;
};

}  // namespace simulator
