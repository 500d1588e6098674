#include <algorithm>
#include <cstring>
#include <set>

#include "barrier.h"
#include "lanes.h"
#include "races.h"
#include "report.h"
#include "warp.h"

namespace simulator {

namespace {

// Rounds over the warps until other blocks may have a turn; one in which a group was preempted is a long one.
constexpr uint32_t rounds_before_aside = 1024, rounds_of_a_time_slice = 256;

uint64_t next_random(uint64_t& state) {
  state ^= state << 13;
  state ^= state >> 7;
  state ^= state << 17;
  return state;
}

}  // namespace

Block::~Block() {
  std::set<Frame*> calls;
  for (const Warp& w : warps)
    for (const Group& g : w.groups)
      for (Frame* f = g.frame; f && f->parent; f = f->parent) calls.insert(f);
  for (Frame* f : calls) delete f;
}

void Block::start(LaunchContext& context, uint64_t linear_index) {
  launch = &context;
  linear = linear_index;
  const Launch& l = *context.launch;
  index = {static_cast<uint32_t>(linear % l.grid.x), static_cast<uint32_t>(linear / l.grid.x % l.grid.y),
           static_cast<uint32_t>(linear / l.grid.x / l.grid.y)};
  live_threads = context.threads;
  const Program& program = *context.program;
  const CompiledFunction& entry = program.functions[0];
  if (warps.empty()) {
    warps = std::vector<Warp>(context.warps);
    states.resize(context.warps);
    shared_bytes = context.shared_bytes;
    shared.reset(new uint8_t[shared_bytes]);
    register_storage.reset(new uint8_t[size_t{context.warps} * entry.layout.bytes + 64]());
    uint8_t* registers =
        reinterpret_cast<uint8_t*>((reinterpret_cast<uintptr_t>(register_storage.get()) + 63) & ~uintptr_t{63});
    for (uint32_t i = 0; i < context.warps; ++i) {
      entry_frames.push_back(std::make_unique<Frame>());
      Frame& f = *entry_frames.back();
      f.function = &entry;
      f.registers = registers + size_t{i} * entry.layout.bytes;
      f.local_base = local_reserved;
      f.local_end = local_reserved + entry.layout.local_bytes;
      Warp& w = warps[i];
      w.index = i;
      w.block = this;
      w.bank[1] = program.constants.data() - 1;
      w.local_stride = program.local_stride;
    }
  }
  std::memset(shared.get(), 0xFF, shared_bytes);
  if (context.races) races = std::make_shared<BlockRaces>(*context.races, *this);
  for (Barrier& b : barriers) b = Barrier{};
  for (uint32_t i = 0; i < context.warps; ++i) {
    Warp& w = warps[i];
    uint32_t threads = std::min(context.threads - i * 32, 32u);
    uint32_t mask = threads == 32 ? full : (1u << threads) - 1;
    w.dead = ~mask;
    w.groups.clear();
    Group g;
    g.mask = mask;
    g.pc = entry.entry;
    g.frame = entry_frames[i].get();
    g.frame->lanes = mask;
    w.groups.push_back(g);
    w.current = 0;
    w.polled = false;
    w.budget = 0;
    w.preempted = false;
    w.async.reset();
    if (w.local) {
      uint32_t bytes = local_reserved + entry.layout.local_bytes;
      for (uint32_t lane = 0; lane < 32; ++lane)
        std::memset(w.local.get() + size_t{lane} * w.local_stride, 0xFF, bytes);
    }
    states[i] = WarpState::time_slice;
  }
}

BlockState Block::run(Worker& worker) {
  for (Warp& w : warps) w.worker = &worker;
  size_t count = warps.size();
  uint32_t rounds = 0;
  for (;;) {
    bool finished = true, moved = false, spinning = false, preempted = false;
    size_t first = 0;
    if (launch->seed) first = next_random(worker.random) % count;
    for (size_t k = 0; k < count; ++k) {
      size_t i = k + first < count ? k + first : k + first - count;
      Warp& w = warps[i];
      if (states[i] == WarpState::finished) continue;
      finished = false;
      bool ready = false, spins = false;
      for (const Group& g : w.groups) {
        ready |= g.state == GroupState::ready;
        spins |= g.state == GroupState::spinning || g.state == GroupState::preempted;
      }
      if (!ready && !spins) continue;
      uint64_t writes = w.writes;
      uint32_t steps = launch->seed ? static_cast<uint32_t>(1 + next_random(worker.random) % 400) : 0;
      running = &w;
      states[i] = run_warp(w, steps);
      // A warp that was only looking again at what it waits for has not moved.
      moved |= states[i] != WarpState::spinning || w.writes != writes;
      spinning |= states[i] == WarpState::spinning;
      preempted |= w.preempted;
      if (launch->stopped.load(std::memory_order_relaxed)) return BlockState::finished;
      if (states[i] == WarpState::time_slice && std::chrono::steady_clock::now() > launch->deadline) {
        const Op* at = w.groups.empty() ? nullptr : w.groups[std::min(w.current, w.groups.size() - 1)].pc;
        throw LaunchFault{Fault::launch_timeout,
                          format("ran longer than KERNELS_SIM_TIMEOUT=%g seconds", launch->timeout_seconds), at, -1};
      }
    }
    if (finished) break;
    // What others of the block wait for may be in blocks that have not started, however much it writes meanwhile.
    rounds += preempted ? rounds_of_a_time_slice : spinning ? 1 : 0;
    if (moved && rounds >= rounds_before_aside) return BlockState::preempted;
    if (moved) continue;
    if (spinning) return BlockState::spinning;
    throw LaunchFault{Fault::launch_failed, "deadlock: no thread can go on\n" + describe_waits(), nullptr, -1};
  }
  if (worker.counters)
    for (const Warp& w : warps)
      worker.counters->max_divergence = std::max(worker.counters->max_divergence, w.max_groups);
  return BlockState::finished;
}

void Block::release_if_complete(int number) {
  Barrier& b = barriers[number];
  uint32_t expected = b.expected ? b.expected : live_threads;
  if (b.arrived == 0 || b.arrived < expected) return;
  for (Warp& w : warps)
    for (Group& g : w.groups) {
      if (g.state != GroupState::at_barrier || g.barrier != number) continue;
      finish_barrier(g, b);
      if (races) races->leave(w, static_cast<unsigned>(number));
      g.state = GroupState::ready;
      ++g.pc;
    }
  if (races) races->barrier_done(static_cast<unsigned>(number));
  b = Barrier{};
}

void Block::threads_exited(uint32_t threads) {
  live_threads -= threads;
  if (live_threads == 0) return;
  for (int i = 0; i < 16; ++i)
    if (barriers[i].arrived) release_if_complete(i);
}

}  // namespace simulator
