#include "registers.h"

#include <algorithm>
#include <queue>

namespace simulator {

namespace {

using Bits = std::vector<uint64_t>;

struct Interval {
  int reg = -1;
  int begin = -1, end = -1;  // ops, both included

  void extend(int at) {
    if (begin < 0 || at < begin) begin = at;
    if (at > end) end = at;
  }
};

// Lanes that take different paths keep their own values, since every lane has its own place in a slot:
// ordinary liveness along the control flow is enough.
std::vector<Interval> live_intervals(const Emitter& emitter, const std::vector<OpBlock>& blocks) {
  size_t registers = emitter.register_bytes.size(), words = (registers + 63) / 64;
  std::vector<Bits> in(blocks.size(), Bits(words)), out(blocks.size(), Bits(words));
  std::vector<Bits> read(blocks.size(), Bits(words)), written(blocks.size(), Bits(words));
  auto has = [](const Bits& bits, int r) { return bits[static_cast<size_t>(r) / 64] >> (r % 64) & 1; };
  auto set = [](Bits& bits, int r) { bits[static_cast<size_t>(r) / 64] |= uint64_t{1} << (r % 64); };
  for (size_t b = 0; b < blocks.size(); ++b)
    for (int i = blocks[b].begin; i < blocks[b].end; ++i) {
      const EmittedOp& e = emitter.ops[static_cast<size_t>(i)];
      for (int r : e.uses)
        if (!has(written[b], r)) set(read[b], r);
      // A guarded write keeps the old value in some lanes.
      if (!e.info.guarded || e.info.hidden)
        for (int r : e.defs) set(written[b], r);
    }
  for (bool changed = true; changed;) {
    changed = false;
    for (size_t b = blocks.size(); b-- > 0;) {
      for (int s : blocks[b].successors)
        for (size_t w = 0; w < words; ++w) out[b][w] |= in[static_cast<size_t>(s)][w];
      for (size_t w = 0; w < words; ++w) {
        uint64_t value = read[b][w] | (out[b][w] & ~written[b][w]);
        changed |= value != in[b][w];
        in[b][w] = value;
      }
    }
  }
  std::vector<Interval> intervals(registers);
  for (size_t r = 0; r < registers; ++r) intervals[r].reg = static_cast<int>(r);
  for (size_t b = 0; b < blocks.size(); ++b) {
    if (blocks[b].begin == blocks[b].end) continue;
    for (size_t w = 0; w < words; ++w) {
      for (uint64_t live = in[b][w]; live; live &= live - 1)
        intervals[w * 64 + static_cast<size_t>(__builtin_ctzll(live))].extend(blocks[b].begin);
      for (uint64_t live = out[b][w]; live; live &= live - 1)
        intervals[w * 64 + static_cast<size_t>(__builtin_ctzll(live))].extend(blocks[b].end - 1);
    }
    for (int i = blocks[b].begin; i < blocks[b].end; ++i) {
      const EmittedOp& e = emitter.ops[static_cast<size_t>(i)];
      for (int r : e.uses) intervals[static_cast<size_t>(r)].extend(i);
      for (int r : e.defs) intervals[static_cast<size_t>(r)].extend(i);
    }
  }
  intervals.erase(std::remove_if(intervals.begin(), intervals.end(), [](const Interval& i) { return i.begin < 0; }),
                  intervals.end());
  std::sort(intervals.begin(), intervals.end(),
            [](const Interval& x, const Interval& y) { return std::pair(x.begin, x.reg) < std::pair(y.begin, y.reg); });
  return intervals;
}

uint32_t most_live(const Emitter& emitter, const std::vector<Interval>& intervals) {
  std::vector<int> change(emitter.ops.size() + 2);
  for (const Interval& i : intervals) {
    size_t r = static_cast<size_t>(i.reg);
    int words = emitter.is_predicate[r] ? 0 : static_cast<int>((emitter.register_bytes[r] + 3) / 4);
    change[static_cast<size_t>(i.begin)] += words;
    change[static_cast<size_t>(i.end)] -= words;  // a register that dies may be the destination
  }
  int live = 0, most = 0;
  for (int c : change) most = std::max(most, live += c);
  return static_cast<uint32_t>(most);
}

}  // namespace

uint32_t assign_registers(Emitter& emitter, const std::vector<OpBlock>& blocks) {
  std::vector<Interval> intervals = live_intervals(emitter, blocks);
  // Slots of equal size share a region, so that two registers overlap exactly or not at all. What an op
  // writes does not share a slot with what it reads.
  constexpr int classes = 5;
  constexpr unsigned lane_bytes[classes] = {0, 2, 4, 8, 16};
  constexpr unsigned slot_bytes[classes] = {4, 64, 128, 256, 512};
  auto class_of = [&](int r) {
    if (emitter.is_predicate[static_cast<size_t>(r)]) return 0;
    for (int c = 1; c < classes; ++c)
      if (emitter.register_bytes[static_cast<size_t>(r)] == lane_bytes[c]) return c;
    return 4;
  };
  std::vector<uint32_t> slot(emitter.register_bytes.size(), 0);
  std::vector<int> unused[classes];
  int used[classes] = {};
  using Ending = std::pair<int, int>;  // end, register
  std::priority_queue<Ending, std::vector<Ending>, std::greater<>> active;
  for (const Interval& i : intervals) {
    while (!active.empty() && active.top().first < i.begin) {
      int dead = active.top().second;
      unused[class_of(dead)].push_back(static_cast<int>(slot[static_cast<size_t>(dead)]));
      active.pop();
    }
    int c = class_of(i.reg);
    int s;
    if (unused[c].empty()) {
      s = used[c]++;
    } else {
      s = unused[c].back();
      unused[c].pop_back();
    }
    slot[static_cast<size_t>(i.reg)] = static_cast<uint32_t>(s);
    active.push({i.end, i.reg});
  }
  uint32_t base[classes];
  uint32_t offset = 0;
  for (int c = 0; c < classes; ++c) {
    base[c] = offset;
    offset += (slot_bytes[c] * static_cast<uint32_t>(used[c]) + 63) / 64 * 64;
  }
  emitter.layout.param_offset = offset;
  offset += emitter.layout.param_stride * 32;
  emitter.layout.bytes = (offset + 63) / 64 * 64;

  auto place = [&](OperandRef& ref) {
    if (ref & 1) return;  // a constant, or no operand
    int r = static_cast<int>(ref / 4);
    int c = class_of(r);
    ref = base[c] + slot_bytes[c] * slot[static_cast<size_t>(r)] + (ref & 2);
  };
  for (EmittedOp& e : emitter.ops) {
    for (OperandRef* ref : {&e.op.d, &e.op.a, &e.op.b, &e.op.c, &e.op.e, &e.op.guard}) place(*ref);
    for (unsigned i = 0; i < e.list_length; ++i) place(e.list[i]);
  }
  return most_live(emitter, intervals);
}

}  // namespace simulator
