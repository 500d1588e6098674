// Branches, indexed branches, calls, returns, exits, traps.
#include "decode.h"
#include "device_functions.h"
#include "lanes.h"
#include "report.h"

namespace simulator {

const Op* guarded(Warp& w, const Op* op, uint32_t exec) {
  exec &= predicate(w, op->guard);
  return exec ? op->body(w, op, exec) : op + 1;
}

namespace {

inline const Op* go(Warp& w, const Op* op, const Op* target) {
  if (target <= op && ((--w.budget <= 0) | w.polled | w.behind)) return backward_branch(w, target);
  return target;
}

}  // namespace

const Op* jump_hidden(Warp& w, const Op* op, uint32_t) { return go(w, op, op->target); }

namespace {

const Op* branch_always(Warp& w, const Op* op, uint32_t) { return go(w, op, op->target); }

const Op* branch(Warp& w, const Op* op, uint32_t exec) {
  uint32_t taken = exec & predicate(w, op->guard);
  if (taken == 0) return op + 1;
  if (taken == exec) return go(w, op, op->target);
  return diverge(w, op->target, taken, op + 1);
}

const Op* branch_indexed(Warp& w, const Op* op, uint32_t exec) {
  uint32_t active = exec & predicate(w, op->guard);
  const uint32_t* index = source<uint32_t>(w, op->a);
  const Op* const* table = static_cast<const Op* const*>(op->data);
  if (!active) return op + 1;
  for_lanes(active, [&](int i) {
    if (index[i] >= op->small[0])
      fault(op, i, Fault::illegal_instruction, format("branch index %u of a table of %u", index[i], op->small[0]));
  });
  const Op* first = table[index[__builtin_ctz(active)]];
  uint32_t rest = exec & ~active;
  if (rest) split(w, rest, op + 1, GroupState::ready);
  uint32_t same = 0;
  for_lanes(active, [&](int i) { same |= (table[index[i]] == first ? 1u : 0u) << i; });
  uint32_t other = active & ~same;
  while (other) {
    const Op* target = table[index[__builtin_ctz(other)]];
    uint32_t group = 0;
    for_lanes(other, [&](int i) { group |= (table[index[i]] == target ? 1u : 0u) << i; });
    split(w, group, target, GroupState::ready);
    other &= ~group;
  }
  if (first <= op && --w.budget <= 0) return backward_branch(w, first);
  if (w.groups.size() > 1) {  // the others may be ahead of first or behind it
    w.groups[w.current].pc = first;
    return stop();
  }
  return go(w, op, first);
}

const Op* exit_op(Warp& w, const Op* op, uint32_t exec) {
  exec &= predicate(w, op->guard);
  return exec ? exit_lanes(w, op, exec) : op + 1;
}

// ---- calls ----

struct CallSite {
  const CompiledFunction* function = nullptr;
  uint64_t code_base = 0;  // of indirect calls
  struct Copy {
    uint32_t caller, bytes, alignment;
  };
  std::vector<Copy> argument, result;
};

uint32_t parameter_offset(const std::vector<std::unique_ptr<Variable>>& list, size_t n) {
  uint32_t offset = 0;
  for (size_t i = 0;; ++i) {
    const Variable& v = *list[i];
    offset = (offset + v.alignment - 1) / v.alignment * v.alignment;
    if (i == n) return offset;
    offset += static_cast<uint32_t>(v.bytes);
  }
}

// Offset of the n-th return value: the parameters come first in the frame.
uint32_t return_offset(const CompiledFunction& f, size_t n) {
  uint32_t offset = 0;
  auto place = [&](const Variable& v) {
    offset = (offset + v.alignment - 1) / v.alignment * v.alignment;
    uint32_t at = offset;
    offset += static_cast<uint32_t>(v.bytes);
    return at;
  };
  for (auto& v : f.syntax->parameters) place(*v);
  for (size_t i = 0; i < n; ++i) place(*f.syntax->returns[i]);
  return place(*f.syntax->returns[n]);
}

const Op* enter(Warp& w, const Op* op, uint32_t exec, const CompiledFunction& f, const CallSite& site) {
  Frame* caller = w.frame;
  constexpr uint32_t call_overhead = 16;  // bytes of stack a call takes at least
  uint32_t base = caller->local_end;
  uint32_t end = base + f.layout.local_bytes + call_overhead;
  if (end > w.local_stride)
    fault(op, __builtin_ctz(exec), Fault::launch_failed,
          format("local stack overflow: %u bytes of stack at call depth %u", end - local_reserved, caller->depth + 1));
  if (site.argument.size() != f.syntax->parameters.size() || site.result.size() != f.syntax->returns.size())
    fault(op, -1, Fault::illegal_instruction, "call of " + f.syntax->name + " with other parameters than it has");
  Frame* frame = new Frame;
  frame->parent = caller;
  frame->call_site = op;
  frame->function = &f;
  frame->storage.reset(new uint8_t[f.layout.bytes + 64]());
  frame->registers =
      reinterpret_cast<uint8_t*>((reinterpret_cast<uintptr_t>(frame->storage.get()) + 63) & ~uintptr_t{63});
  frame->lanes = exec;
  frame->depth = caller->depth + 1;
  frame->local_base = base;
  frame->local_end = end;
  for (size_t p = 0; p < site.argument.size(); ++p) {
    const CallSite::Copy& copy = site.argument[p];
    uint32_t to = parameter_offset(f.syntax->parameters, p);
    for_lanes(exec, [&](int i) { std::memcpy(frame->param(i) + to, caller->param(i) + copy.caller, copy.bytes); });
  }
  Group& g = w.groups[w.current];
  g.frame = frame;
  g.pc = f.entry;
  return stop();
}

const Op* call(Warp& w, const Op* op, uint32_t exec) {
  const CallSite& site = *static_cast<const CallSite*>(op->data);
  uint32_t active = exec & predicate(w, op->guard);
  if (!active) return op + 1;
  if (active != exec) {  // the others wait after the call
    split(w, exec & ~active, op + 1, GroupState::ready);
  }
  return enter(w, op, active, *site.function, site);
}

const Op* call_indirect(Warp& w, const Op* op, uint32_t exec) {
  const CallSite& site = *static_cast<const CallSite*>(op->data);
  uint32_t active = exec & predicate(w, op->guard);
  if (!active) return op + 1;
  if (active != exec) split(w, exec & ~active, op + 1, GroupState::ready);
  const uint64_t* target = source<uint64_t>(w, op->a);
  const Program& program = *w.block->launch->program;
  int first = __builtin_ctz(active);
  uint64_t id = (target[first] - site.code_base) / 16;
  if ((target[first] - site.code_base) % 16 || id >= program.by_address.size() || !program.by_address[id])
    fault(op, first, Fault::illegal_instruction,
          format("call through 0x%llx, which is no function", static_cast<unsigned long long>(target[first])));
  uint32_t same = 0;
  for_lanes(active, [&](int i) { same |= (target[i] == target[first] ? 1u : 0u) << i; });
  if (same != active) split(w, active & ~same, op, GroupState::ready);  // they execute the call again
  return enter(w, op, same, *program.by_address[id], site);
}

const Op* return_op(Warp& w, const Op* op, uint32_t exec) {
  uint32_t active = exec & predicate(w, op->guard);
  if (!active) return op + 1;
  Frame* frame = w.frame;
  if (!frame->parent) return exit_lanes(w, op, active);
  if (active != exec) split(w, exec & ~active, op + 1, GroupState::ready);
  Frame* caller = frame->parent;
  const Op* site_op = frame->call_site;
  const CallSite& site = *static_cast<const CallSite*>(site_op->data);
  for (size_t r = 0; r < site.result.size(); ++r) {
    const CallSite::Copy& copy = site.result[r];
    uint32_t from = return_offset(*frame->function, r);
    for_lanes(active, [&](int i) { std::memcpy(caller->param(i) + copy.caller, frame->param(i) + from, copy.bytes); });
  }
  Group& g = w.groups[w.current];
  g.frame = caller;
  g.pc = site_op + 1;
  frame->lanes &= ~active;
  if (!frame->lanes) delete frame;
  return stop();
}

const Op* call_device_function(Warp& w, const Op* op, uint32_t exec) {
  uint32_t active = exec & predicate(w, op->guard);
  if (active) {
    const CallSite& site = *static_cast<const CallSite*>(op->data);
    uint32_t offsets[8] = {};
    for (size_t i = 0; i < site.argument.size() && i < 8; ++i) offsets[i] = site.argument[i].caller;
    uint32_t result = site.result.empty() ? 0 : site.result[0].caller;
    device_functions[op->small[0]].body(w, op, active, offsets, result);
  }
  return op + 1;
}

const Op* trap(Warp& w, const Op* op, uint32_t exec) {
  exec &= predicate(w, op->guard);
  if (exec) fault(op, __builtin_ctz(exec), Fault::trap, "trap instruction");
  return op + 1;
}

const Op* nothing(Warp&, const Op* op, uint32_t) { return op + 1; }

const Op* nanosleep(Warp& w, const Op* op, uint32_t) {
  w.polled = true;
  return op + 1;
}

void decode_bra(Decoder& d) {
  d.set_class(OpClass::branch);
  d.take("uni");
  d.expect_operands(1);
  d.emitted.target = d.label(d.operand(0).name);
  d.emit(d.in.guard >= 0 ? &branch : &branch_always, true);
}

void decode_brx(Decoder& d) {
  d.set_class(OpClass::branch);
  if (!d.take("idx")) d.fail("only brx.idx is known");
  d.take("uni");
  d.expect_operands(2);
  d.op.a = d.source(0, Type::u32);
  for (int s = d.in.scope; s >= 0; s = d.out.function.scopes[static_cast<size_t>(s)].parent) {
    const auto& tables = d.out.function.scopes[static_cast<size_t>(s)].targets;
    auto it = tables.find(d.operand(1).name);
    if (it == tables.end()) continue;
    for (const std::string& name : it->second) d.emitted.table.push_back(d.label(name));
    break;
  }
  if (d.emitted.table.size() > 65535) d.fail("too many branch targets");
  d.op.small[0] = static_cast<uint16_t>(d.emitted.table.size());
  d.emit(&branch_indexed, true);
}

void decode_ret(Decoder& d) {
  d.set_class(OpClass::branch);
  d.take("uni");
  d.expect_operands(0);
  d.emit(&return_op, true);
}

void decode_exit(Decoder& d) {
  d.set_class(OpClass::branch);
  d.expect_operands(0);
  d.emit(&exit_op, true);
}

void decode_trap(Decoder& d) {
  d.set_class(OpClass::other);
  d.emit(&trap, true);
}

void decode_nothing(Decoder& d) {
  while (!d.in.modifiers.empty() && d.take(d.in.modifiers[0])) {
  }
  for (const std::string& m : d.in.modifiers) d.take(m);
  d.emit(&nothing);
}

void decode_nanosleep(Decoder& d) {
  d.take_type();
  d.expect_operands(1);
  d.emit(&nanosleep);
}

void decode_call(Decoder& d) {
  d.set_class(OpClass::branch);
  d.take("uni");
  CallSite site;
  auto copies = [&](const std::vector<Operand>& list, std::vector<CallSite::Copy>& into) {
    for (const Operand& o : list) {
      if (o.kind != OperandKind::symbol || o.variable->space != Space::param)
        d.fail("calls pass .param variables only");
      auto at = d.out.param_offset.find(o.variable);
      if (at == d.out.param_offset.end()) d.fail("a kernel's parameter cannot be passed on");
      into.push_back({at->second, static_cast<uint32_t>(o.variable->bytes), o.variable->alignment});
    }
  };
  copies(d.in.arguments, site.argument);
  copies(d.in.returns, site.result);
  const Operand& callee = d.operand(0);
  if (callee.kind == OperandKind::reg) {
    d.op.a = d.source(callee, Type::u64);
    site.code_base = d.out.linkage.code_base;
    d.op.data = d.out.new_data(site);
    return d.emit(&call_indirect, true);
  }
  if (callee.kind != OperandKind::name) d.fail("unknown callee");
  for (size_t i = 0; i < d.out.program.functions.size(); ++i) {
    CompiledFunction& f = d.out.program.functions[i];
    if (i > 0 && f.syntax->name == callee.name) {
      site.function = &f;
      if (site.argument.size() != f.syntax->parameters.size() || site.result.size() != f.syntax->returns.size())
        d.fail("call of " + callee.name + " with other parameters than it has");
      d.op.data = d.out.new_data(site);
      return d.emit(&call, true);
    }
  }
  int known = find_device_function(callee.name);
  if (known < 0) d.fail("function " + callee.name + " is not defined");
  d.op.small[0] = static_cast<uint16_t>(known);
  d.op.data = d.out.new_data(site);
  d.emit(&call_device_function, true);
}

}  // namespace

void add_control_opcodes(Opcodes& table) {
  table["bra"] = decode_bra;
  table["brx"] = decode_brx;
  table["ret"] = decode_ret;
  table["exit"] = decode_exit;
  table["trap"] = decode_trap;
  table["brkpt"] = decode_nothing;
  table["pmevent"] = decode_nothing;
  table["call"] = decode_call;
  table["nanosleep"] = decode_nanosleep;
  table["griddepcontrol"] = decode_nothing;
}

}  // namespace simulator
