// A kernel compiled for execution: one op array for the entry and the functions it can reach.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "engine.h"
#include "syntax.h"

namespace simulator {

struct Warp;
struct Op;

// Executes op for the lanes in exec; returns the next op, or stop() when the running group cannot go on.
using OpFunction = const Op* (*)(Warp& warp, const Op* op, uint32_t exec);

// An operand in an op: a byte offset into the registers of the frame (even) or into the constants (odd).
// Predicates are one word a warp; their bit 1 says that the operand is negated.
using OperandRef = uint32_t;

struct Op {
  OpFunction function;  // what the loop calls: the body, or the guard in front of it
  OpFunction body;
  OperandRef d, a, b, c, e;
  OperandRef guard;
  union {
    int64_t imm;
    const Op* target;
    const void* data;
  };
  const OperandRef* list;  // operands of vectors, matrices and the like
  uint16_t small[4];
};

enum class OpClass : uint8_t {
  integer,
  fp32,
  fp16,
  fp64,
  mma,
  ld_global,
  st_global,
  ld_shared,
  st_shared,
  local,
  branch,
  barrier,
  shuffle,
  sfu,
  atom,
  cvt,
  move,
  param,
  async,
  other,
  count
};
const char* op_class_name(OpClass c);

// What only reports and statistics ask of an op.
struct OpInfo {
  int line = 0;
  int source_file = 0, source_line = 0;
  OpClass op_class = OpClass::other;
  bool hidden = false;  // not an instruction of the PTX text
  bool guarded = false;
  const char* opcode = "";
};

struct FrameLayout {
  uint32_t bytes = 0;                           // of registers and parameters of one warp
  uint32_t param_offset = 0, param_stride = 0;  // per-lane bytes of .param variables
  uint32_t local_bytes = 0;                     // per lane
};

struct CompiledFunction {
  const FunctionSyntax* syntax = nullptr;
  const Op* entry = nullptr;
  FrameLayout layout;
  uint32_t live_registers = 0;
};

class Program {
 public:
  std::vector<Op> ops;  // fixed once compiled; a sentinel at the end
  std::vector<OpInfo> infos;
  std::vector<uint8_t> constants;                   // immediates, 32 lanes each
  std::vector<std::shared_ptr<void>> arena;         // what ops point to
  std::vector<CompiledFunction> functions;          // [0] is the entry
  std::vector<const CompiledFunction*> by_address;  // index: function id of the module; null when unreachable
  uint32_t static_shared = 0;                       // with the reserved bytes in front
  uint32_t local_stride = 0;                        // per lane
  const FunctionSyntax* entry = nullptr;

  const OpInfo& info(const Op* op) const { return infos[static_cast<size_t>(op - ops.data())]; }
};

constexpr uint32_t shared_reserved = 1024;  // bytes in front of a block's shared memory that belong to the system
constexpr uint32_t local_reserved = 64;     // so that a null pointer into local memory is caught

}  // namespace simulator
