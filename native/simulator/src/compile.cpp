#include "compile.h"

#include <algorithm>
#include <set>

#include "lanes.h"
#include "layout.h"
#include "registers.h"
#include "targets.h"

namespace simulator {

const Op* jump_hidden(Warp&, const Op*, uint32_t);

namespace {

const FunctionSyntax* find_function(const ModuleSyntax& module, const std::string& name) {
  for (auto& f : module.functions)
    if (f->name == name) return f.get();
  return nullptr;
}

// Functions that the entry can reach: by name in a call, by their address in code or in the initial value of
// a variable. What variables hold may be called by any indirect call, so all of it counts.
std::vector<const FunctionSyntax*> reachable(const ModuleSyntax& module, const FunctionSyntax& entry) {
  std::vector<const FunctionSyntax*> list{&entry};
  std::set<std::string> seen{entry.name};
  auto add = [&](const std::string& name) {
    const FunctionSyntax* f = find_function(module, name);
    if (f && f->defined && !f->entry && seen.insert(name).second) list.push_back(f);
  };
  bool indirect = false;
  for (size_t i = 0; i < list.size(); ++i) {
    for (const Instruction& instruction : list[i]->instructions) {
      for (const Operand& o : instruction.operands)
        if (o.kind == OperandKind::name) add(o.name);
      if (instruction.opcode == "call" && instruction.operands[0].kind == OperandKind::reg) indirect = true;
    }
    if (i + 1 == list.size() && indirect) {
      indirect = false;
      for (auto& v : module.variables)
        for (const InitialValue& value : v->initial)
          if (!value.symbol.empty()) add(value.symbol);
    }
  }
  return list;
}

const Variable* resolve(const ModuleSyntax& module, const Variable* v) {
  if (!v->external) return v;
  for (auto& other : module.variables)
    if (other->name == v->name && !other->external) return other.get();
  return v;
}

// Static shared variables of all functions in the order they are met, then the dynamic ones, which all share
// one place.
uint32_t place_shared(const ModuleSyntax& module, const std::vector<const FunctionSyntax*>& functions,
                      Linkage& linkage) {
  uint32_t offset = shared_reserved;
  std::vector<const Variable*> dynamic;
  auto visit = [&](const Variable* v) {
    if (!v || v->space != Space::shared || linkage.shared.count(v)) return;
    const Variable* target = resolve(module, v);
    if (target != v && linkage.shared.count(target)) {
      linkage.shared[v] = linkage.shared[target];
      return;
    }
    if (target->unsized || (target->external && target->bytes == 0)) {
      linkage.shared[v] = 0;
      dynamic.push_back(v);
      return;
    }
    uint32_t alignment = std::max(target->alignment, 1u);
    offset = (offset + alignment - 1) / alignment * alignment;
    linkage.shared[v] = linkage.shared[target] = offset;
    offset += static_cast<uint32_t>(target->bytes);
  };
  for (const FunctionSyntax* f : functions) {
    for (auto& v : f->variables) visit(v.get());
    for (const Instruction& i : f->instructions)
      for (const Operand& o : i.operands) {
        visit(o.variable);
        for (const Operand& element : o.elements) visit(element.variable);
      }
  }
  uint32_t end = offset;
  uint32_t place = end;
  for (const Variable* v : dynamic) place = std::max(place, (end + v->alignment - 1) / v->alignment * v->alignment);
  if (!dynamic.empty()) place = (place + 15) / 16 * 16;
  for (const Variable* v : dynamic) linkage.shared[v] = place;
  return dynamic.empty() ? end : place;
}

std::unique_ptr<Emitter> compile_function(const FunctionSyntax& function, const Linkage& linkage, Program& program,
                                          std::vector<int>& op_of_instruction, uint32_t* live) {
  auto emitter = std::make_unique<Emitter>(function, linkage, program);
  ControlFlow flow = control_flow(function);
  std::vector<OpBlock> blocks(flow.blocks.size());
  std::vector<int> position(flow.blocks.size(), -1);
  for (size_t i = 0; i < flow.order.size(); ++i) position[static_cast<size_t>(flow.order[i])] = static_cast<int>(i);
  std::vector<OpBlock> laid_out;
  for (size_t i = 0; i < flow.order.size(); ++i) {
    const BasicBlock& block = flow.blocks[static_cast<size_t>(flow.order[i])];
    OpBlock ops;
    ops.begin = static_cast<int>(emitter->ops.size());
    op_of_instruction[static_cast<size_t>(block.begin)] = ops.begin;
    for (int n = block.begin; n < block.end; ++n) {
      const Instruction& instruction = function.instructions[static_cast<size_t>(n)];
      check_target(instruction, *linkage.module);
      auto found = opcodes().find(instruction.opcode);
      if (found == opcodes().end()) throw PtxError(instruction.line, "unknown instruction " + instruction.opcode);
      Decoder decoder(*emitter, instruction);
      found->second(decoder);
      decoder.check_modifiers_used();
    }
    bool last_block = static_cast<size_t>(flow.order[i]) + 1 == flow.blocks.size();
    if (last_block) {  // falling off the end returns
      Instruction ret;
      ret.opcode = "ret";
      ret.line = function.instructions.empty() ? function.line : function.instructions.back().line;
      Decoder decoder(*emitter, ret);
      decoder.emitted.info.hidden = true;
      opcodes().at("ret")(decoder);
      emitter->ops.back().info.opcode = "ret";
    } else if (block.fallthrough >= 0 && (i + 1 == flow.order.size() || flow.order[i + 1] != block.fallthrough)) {
      EmittedOp jump;
      jump.info.line = function.instructions[static_cast<size_t>(block.end) - 1].line;
      jump.info.hidden = true;
      jump.op.function = jump.op.body = &jump_hidden;
      jump.target = flow.blocks[static_cast<size_t>(block.fallthrough)].begin;
      emitter->ops.push_back(jump);
    }
    if (ops.begin == static_cast<int>(emitter->ops.size())) {
      // An empty block cannot be: only the last one is, and it returns.
      throw PtxError(function.line, "empty block in " + function.name);
    }
    ops.end = static_cast<int>(emitter->ops.size());
    for (int s : block.successors) ops.successors.push_back(position[static_cast<size_t>(s)]);
    laid_out.push_back(std::move(ops));
  }
  *live = assign_registers(*emitter, laid_out);
  return emitter;
}

}  // namespace

std::unique_ptr<Program> compile_kernel(const FunctionSyntax& entry, Linkage linkage) {
  auto program = std::make_unique<Program>();
  const ModuleSyntax& module = *linkage.module;
  std::vector<const FunctionSyntax*> functions = reachable(module, entry);
  program->entry = &entry;
  program->static_shared = place_shared(module, functions, linkage);
  program->functions.resize(functions.size());
  program->by_address.resize(module.functions.size());
  for (size_t i = 0; i < functions.size(); ++i) {
    program->functions[i].syntax = functions[i];
    auto id = linkage.function_ids.find(functions[i]->name);
    if (i > 0 && id != linkage.function_ids.end())
      program->by_address[static_cast<size_t>(id->second)] = &program->functions[i];
  }
  std::vector<std::unique_ptr<Emitter>> emitters;
  std::vector<std::vector<int>> positions;
  size_t total = 0;
  bool unbounded = false;
  for (size_t i = 0; i < functions.size(); ++i) {
    positions.emplace_back(functions[i]->instructions.size() + 1, -1);
    emitters.push_back(
        compile_function(*functions[i], linkage, *program, positions.back(), &program->functions[i].live_registers));
    program->functions[i].layout = emitters.back()->layout;
    total += emitters.back()->ops.size();
    if (i > 0) unbounded = true;
  }
  program->ops.resize(total + 1);
  program->infos.resize(total + 1);
  size_t base = 0;
  for (size_t f = 0; f < emitters.size(); ++f) {
    program->functions[f].entry = &program->ops[base];
    for (size_t i = 0; i < emitters[f]->ops.size(); ++i) {
      const EmittedOp& e = emitters[f]->ops[i];
      Op& op = program->ops[base + i];
      op = e.op;
      program->infos[base + i] = e.info;
      auto at = [&](int instruction) {
        return &program->ops[base + static_cast<size_t>(positions[f][static_cast<size_t>(instruction)])];
      };
      if (e.target >= 0) op.target = at(e.target);
      if (!e.table.empty()) {
        auto table = std::make_shared<std::vector<const Op*>>();
        for (int t : e.table) table->push_back(at(t));
        program->arena.push_back(table);
        op.data = table->data();
      }
    }
    base += emitters[f]->ops.size();
  }
  // Calls of depth that is not known here get a fixed stack.
  constexpr uint32_t call_stack_bytes = 16 * 1024;
  program->local_stride =
      local_reserved + program->functions[0].layout.local_bytes + (unbounded ? call_stack_bytes : 0);
  program->local_stride = (program->local_stride + 15) / 16 * 16;
  return program;
}

}  // namespace simulator
