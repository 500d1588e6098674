#include "warp.h"

#include <algorithm>
#include <utility>

#include "lanes.h"

namespace simulator {

namespace {

constexpr int32_t branches_per_slice = 1 << 20;
constexpr uint16_t spins_before_aside = 24;

// Whether x comes before y: the calls they are in are compared from the outermost inwards.
bool runs_before(const Group& x, const Group& y) {
  const Frame *fx = x.frame, *fy = y.frame;
  const Op *px = x.pc, *py = y.pc;
  if (fx == fy) return px < py;
  uint32_t dx = fx->depth, dy = fy->depth;
  while (fx->depth > dy) px = fx->call_site, fx = fx->parent;
  while (fy->depth > dx) py = fy->call_site, fy = fy->parent;
  while (fx != fy) {
    px = fx->call_site, fx = fx->parent;
    py = fy->call_site, fy = fy->parent;
  }
  if (px != py) return px < py;
  if (dx != dy) return dx < dy;
  return x.mask < y.mask;
}

void merge_equal(Warp& w) {
  for (size_t i = 0; i < w.groups.size(); ++i) {
    if (w.groups[i].state == GroupState::at_barrier) continue;
    for (size_t j = i + 1; j < w.groups.size();) {
      Group &x = w.groups[i], &y = w.groups[j];
      if (y.state == GroupState::at_barrier || x.pc != y.pc || x.frame != y.frame) {
        ++j;
        continue;
      }
      x.mask |= y.mask;
      if (x.state != y.state) {
        // Lanes that join a preempted group wait with it: else those of a loop could keep each other ready for ever.
        bool preempted = x.state == GroupState::preempted || y.state == GroupState::preempted;
        x.state = preempted ? GroupState::preempted : GroupState::ready;
        x.spins = 0;
      }
      y = w.groups.back();
      w.groups.pop_back();
    }
  }
}

// Makes the lowest ready group the running one; false if there is none.
bool select_group(Warp& w) {
  if (w.groups.size() > 1) merge_equal(w);
  size_t best = w.groups.size();
  for (size_t i = 0; i < w.groups.size(); ++i) {
    if (w.groups[i].state != GroupState::ready) continue;
    if (best == w.groups.size() || runs_before(w.groups[i], w.groups[best])) best = i;
  }
  if (best == w.groups.size()) return false;
  w.current = best;
  Group& g = w.groups[best];
  enter_frame(w, g.frame);
  w.mask = g.mask;
  w.limit = stop();
  w.behind = false;
  w.alone = w.groups.size() == 1;
  for (size_t i = 0; i < w.groups.size(); ++i) {
    const Group& other = w.groups[i];
    if (i == best || other.state == GroupState::at_barrier || other.frame != g.frame) continue;
    if (other.pc > g.pc) {
      if (other.pc < w.limit) w.limit = other.pc;
    } else {
      w.behind = true;
    }
  }
  // Groups in callers: the running one must not pass the call they are in ahead of them. Groups in deeper
  // calls of this frame: their call site is where this group would meet them.
  if (!w.alone)
    for (size_t i = 0; i < w.groups.size(); ++i) {
      const Group& other = w.groups[i];
      if (i == best || other.frame->depth <= g.frame->depth || other.state != GroupState::ready) continue;
      const Frame* f = other.frame;
      const Op* site = nullptr;
      while (f->depth > g.frame->depth) site = f->call_site, f = f->parent;
      if (f == g.frame && site > g.pc && site < w.limit) w.limit = site;
    }
  if (w.groups.size() > w.max_groups) w.max_groups = static_cast<uint32_t>(w.groups.size());
  return true;
}

void count(Warp& w, const Op* op) {
  Counters& c = *w.worker->counters;
  size_t index = static_cast<size_t>(op - w.block->launch->program->ops.data());
  uint32_t exec = w.mask;
  if (op->guard != no_operand) exec &= predicate(w, op->guard);
  ++c.warps[index];
  c.lanes[index] += static_cast<uint32_t>(__builtin_popcount(exec));
}

}  // namespace

void enter_frame(Warp& w, Frame* frame) {
  w.frame = frame;
  w.bank[0] = frame->registers;
}

WarpState run_warp(Warp& w, uint32_t steps) {
  w.preempted = false;
  if (w.budget <= 0) w.budget = branches_per_slice;
  bool ready = false;
  for (const Group& g : w.groups) ready |= g.state == GroupState::ready;
  if (!ready)
    for (Group& g : w.groups)
      if (g.state == GroupState::spinning || g.state == GroupState::preempted) g.state = GroupState::ready;
  bool counting = w.worker->counters != nullptr;
  while (select_group(w)) {
    const Op* op = w.groups[w.current].pc;
    if (steps) {
      while (op < w.limit && steps > 1) {
        if (counting) count(w, op);
        op = op->function(w, op, w.mask);
        --steps;
      }
      if (op != stop()) w.groups[w.current].pc = op;
      if (steps == 1 && !w.groups.empty()) return WarpState::time_slice;
    } else if (counting) {
      while (op < w.limit) {
        count(w, op);
        op = op->function(w, op, w.mask);
      }
      if (op != stop()) w.groups[w.current].pc = op;
    } else {
      while (op < w.limit) op = op->function(w, op, w.mask);
      if (op != stop()) w.groups[w.current].pc = op;
    }
  }
  if (w.groups.empty()) return WarpState::finished;
  for (const Group& g : w.groups)
    if (g.state == GroupState::preempted) return WarpState::time_slice;
  for (const Group& g : w.groups)
    if (g.state == GroupState::spinning) return WarpState::spinning;
  return WarpState::waiting;
}

namespace {

// On a backward branch: whether the group has only polled memory for a while.
bool only_spins(Warp& w, Group& g) {
  if (!w.polled) return false;
  g.spins = w.writes == w.writes_seen ? static_cast<uint16_t>(g.spins + 1) : uint16_t{0};
  w.writes_seen = w.writes;
  w.polled = false;
  if (g.spins < spins_before_aside) return false;
  g.spins = spins_before_aside - 2;
  return true;
}

// The budget is used up: the state of the group that did it. The next one gets a fresh budget.
GroupState preempt(Warp& w) {
  w.budget = branches_per_slice;
  w.preempted = true;
  return GroupState::preempted;
}

}  // namespace

const Op* diverge(Warp& w, const Op* taken, uint32_t taken_mask, const Op* other) {
  Group& g = w.groups[w.current];
  Group second = g;
  g.mask &= ~taken_mask;
  g.pc = other;
  g.spins = 0;
  second.mask = taken_mask;
  second.pc = taken;
  if (taken < other) {
    if (only_spins(w, second)) second.state = GroupState::spinning;
    if (--w.budget <= 0) second.state = preempt(w);
  }
  w.groups.push_back(second);
  return stop();
}

void split(Warp& w, uint32_t split_lanes, const Op* pc, GroupState state) {
  Group second = w.groups[w.current];
  w.groups[w.current].mask &= ~split_lanes;
  w.mask &= ~split_lanes;
  second.mask = split_lanes;
  second.pc = pc;
  second.state = state;
  w.groups.push_back(second);
  w.limit = nullptr;
}

const Op* park(Warp& w, const Op* pc, GroupState state) {
  Group& g = w.groups[w.current];
  g.pc = pc;
  g.state = state;
  return stop();
}

const Op* exit_lanes(Warp& w, const Op* op, uint32_t gone) {
  w.dead |= gone;
  for (Frame* f = w.frame; f;) {
    Frame* parent = f->parent;
    f->lanes &= ~gone;
    if (!f->lanes && parent) delete f;
    f = parent;
  }
  Group& g = w.groups[w.current];
  g.mask &= ~gone;
  w.mask = g.mask;
  bool ended = g.mask == 0;
  if (ended) {
    g = w.groups.back();
    w.groups.pop_back();
  } else {
    g.pc = op + 1;
  }
  // Those who waited for the lanes that are gone look again.
  for (Group& other : w.groups)
    if (other.state == GroupState::at_sync) other.state = GroupState::ready;
  w.block->threads_exited(static_cast<uint32_t>(__builtin_popcount(gone)));
  return stop();
}

const Op* backward_branch(Warp& w, const Op* target) {
  Group& g = w.groups[w.current];
  if (only_spins(w, g)) return park(w, target, GroupState::spinning);
  if (w.budget <= 0) return park(w, target, preempt(w));
  if (w.behind) {
    g.pc = target;
    return stop();
  }
  return target;
}

void fault(const Op* op, int lane, Fault kind, std::string message) {
  throw LaunchFault{kind, std::move(message), op, lane};
}

}  // namespace simulator
