// Barriers of the block, fences.
#include "barrier.h"
#include "decode.h"
#include "lanes.h"
#include "races.h"
#include "report.h"

namespace simulator {

namespace {

enum class Reduce : uint8_t { none, popc, all, any };

// small[0]: Reduce; small[1]: arrive only; a: number; b: threads or none; c: predicate of a reduction.
const Op* barrier(Warp& w, const Op* op, uint32_t exec) {
  const uint32_t* number = source<uint32_t>(w, op->a);
  int first = __builtin_ctz(exec);
  uint32_t n = number[first];
  uint32_t same = 0;
  for_lanes(exec, [&](int i) { same |= (number[i] == n ? 1u : 0u) << i; });
  if (n > 15) fault(op, first, Fault::launch_failed, format("barrier %u: there are 16", n));
  if (same != exec) {  // lanes that name other barriers execute the instruction again
    split(w, exec & ~same, op, GroupState::ready);
    exec = same;
  }
  Barrier& b = w.block->barriers[n];
  if (exec != w.mask) split(w, w.mask & ~exec, op + 1, GroupState::ready);  // lanes that the guard keeps out
  uint32_t threads = 0;
  if (op->b != no_operand) {
    threads = source<uint32_t>(w, op->b)[first];
    if (threads == 0 || threads % 32)
      fault(op, first, Fault::launch_failed,
            format("barrier %u for %u threads: the count must be a positive multiple of 32, but is %u", n, threads,
                   threads));
    if (threads > w.block->warps.size() * 32)
      fault(op, first, Fault::launch_failed,
            format("barrier for %u threads in a block of %u", threads, w.block->launch->threads));
  }
  if (b.arrived && b.expected != threads)
    fault(
        op, first, Fault::launch_failed,
        format("barrier %u is waited at for %u threads and for %u (0: all) at the same time", n, b.expected, threads));
  b.expected = threads;
  // With a count, warps arrive as a whole: lanes that do not exist or exited count too.
  uint32_t count = static_cast<uint32_t>(__builtin_popcount(exec));
  if (threads && (exec | w.dead) == full) count = 32;
  b.arrived += count;
  if (w.block->races) w.block->races->arrive(w, n);
  Reduce reduce = static_cast<Reduce>(op->small[0]);
  if (reduce != Reduce::none) {
    uint32_t p = predicate(w, op->c) & exec;
    b.accumulated += static_cast<uint32_t>(__builtin_popcount(p));
    b.any |= p != 0;
    b.all &= p == exec;
  }
  if (threads && b.arrived > threads)
    fault(op, first, Fault::launch_failed, format("%u threads arrived at barrier %u for %u", b.arrived, n, threads));
  if (op->small[1]) {
    Group& g = w.groups[w.current];
    g.pc = op + 1;
    w.block->release_if_complete(static_cast<int>(n));
    return stop();
  }
  w.groups[w.current].barrier = static_cast<uint8_t>(n);
  const Op* result = park(w, op, GroupState::at_barrier);
  w.block->release_if_complete(static_cast<int>(n));
  return result;
}

const Op* fence(Warp& w, const Op* op, uint32_t) {
  if (w.block->races) w.block->races->fence();
  __atomic_thread_fence(__ATOMIC_SEQ_CST);
  return op + 1;
}

void decode_bar(Decoder& d) {
  d.set_class(OpClass::barrier);
  d.take("cta");
  if (d.take("cluster")) d.fail("barrier.cluster is not supported");
  int kind = d.take_one_of({"sync", "arrive", "red"});
  if (kind < 0) d.fail("unknown barrier");
  d.take("aligned");
  Reduce reduce = Reduce::none;
  size_t first = 0;
  if (kind == 2) {
    int r = d.take_one_of({"popc", "and", "or"});
    if (r < 0) d.fail("unknown reduction");
    reduce = static_cast<Reduce>(r + 1);
    Type t = d.take_type();
    if (reduce == Reduce::popc) {
      d.op.d = d.destination(0, t);
    } else {
      d.op.d = d.predicate_destination(d.operand(0));
    }
    first = 1;
    d.expect_operands(3, 4);
    d.op.c = d.predicate_source(d.operand(d.count() - 1));
  } else {
    d.expect_operands(1, 2);
  }
  d.op.a = d.source(first, Type::u32);
  bool counted = d.count() - first - (kind == 2 ? 1 : 0) == 2;
  if (counted) d.op.b = d.source(first + 1, Type::u32);
  if (kind == 1 && !counted) d.fail("arrive needs a number of threads");
  d.op.small[0] = static_cast<uint16_t>(reduce);
  d.op.small[1] = kind == 1;
  d.emit(&barrier);
}

void decode_fence(Decoder& d) {
  d.set_class(OpClass::barrier);
  for (const std::string& m : d.in.modifiers) d.take(m);
  d.emit(&fence);
}

}  // namespace

void finish_barrier(const Group& g, const Barrier& b) {
  Reduce reduce = static_cast<Reduce>(g.pc->small[0]);
  if (reduce == Reduce::none || g.pc->body != &barrier) return;
  if (reduce == Reduce::popc) {
    uint32_t* d = reinterpret_cast<uint32_t*>(g.frame->registers + g.pc->d);
    for_lanes(g.mask, [&](int i) { d[i] = b.accumulated; });
    return;
  }
  uint32_t* d = reinterpret_cast<uint32_t*>(g.frame->registers + g.pc->d);
  bool result = reduce == Reduce::all ? b.all : b.any;
  *d = result ? *d | g.mask : *d & ~g.mask;
}

void decode_block_barrier(Decoder& d) { decode_bar(d); }

void add_barrier_opcodes(Opcodes& table) {
  table["barrier"] = decode_bar;
  table["membar"] = decode_fence;
  table["fence"] = decode_fence;
}

}  // namespace simulator
