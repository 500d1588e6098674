// The state of a running block: warps, groups of lanes, call frames, barriers.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "engine.h"
#include "memory.h"
#include "program.h"

namespace simulator {

struct Block;
struct LaunchContext;
struct Worker;

// What an instruction throws when it cannot be executed.
struct LaunchFault {
  Fault fault;
  std::string message;
  const Op* op;
  int lane;  // -1: the warp as a whole
};

// Registers and parameters of one call. Lanes that call together share one; others that call later get their
// own.
struct Frame {
  Frame* parent = nullptr;
  const Op* call_site = nullptr;
  const CompiledFunction* function = nullptr;
  uint8_t* registers = nullptr;
  std::unique_ptr<uint8_t[]> storage;
  uint32_t lanes = 0;  // inside, those in deeper calls included
  uint32_t depth = 0;
  uint32_t local_base = 0;  // offset of the function's variables in each lane's local memory
  uint32_t local_end = 0;

  uint8_t* param(int lane) const {
    return registers + function->layout.param_offset + static_cast<uint32_t>(lane) * function->layout.param_stride;
  }
};

enum class GroupState : uint8_t {
  ready,
  at_barrier,  // of the block
  at_sync,     // at a warp-synchronous instruction, for lanes it names
  spinning,    // only polls memory: set aside until the others stop too
  preempted,   // used up its branches: set aside until the others stop too
};

// Lanes of a warp that are at the same instruction of the same call.
struct Group {
  uint32_t mask = 0;
  GroupState state = GroupState::ready;
  uint8_t barrier = 0;
  uint16_t spins = 0;
  const Op* pc = nullptr;
  Frame* frame = nullptr;
};

inline const Op* stop() { return reinterpret_cast<const Op*>(~uintptr_t{0} - 4095); }

struct Warp {
  const uint8_t* bank[2];     // registers of the running frame; constants, less one byte (their references are odd)
  uint32_t mask = 0;          // lanes of the running group
  uint32_t dead = 0;          // lanes that exited or never existed
  const Op* limit = nullptr;  // where the running group has to look at the others again
  uint8_t* registers() const { return const_cast<uint8_t*>(bank[0]); }

  Block* block = nullptr;
  Worker* worker = nullptr;  // the host thread that runs the block
  Frame* frame = nullptr;
  uint32_t carry = 0;        // the carry flag of each lane
  uint32_t index = 0;        // in the block
  int32_t budget = 0;        // backward branches until the running group is preempted
  bool polled = false;       // memory was looked at as others may change it, since the last backward branch
  uint64_t writes = 0;       // instructions that changed memory, ever
  uint64_t writes_seen = 0;  // at the last backward branch that had polled
  bool alone = true;         // no other group
  bool behind = false;       // some other group is at a lower op
  bool preempted = false;    // some group was, in the latest time slice
  uint32_t max_groups = 1;

  std::vector<Group> groups;  // [current] is the running one
  size_t current = 0;
  std::unique_ptr<uint8_t[]> local;  // local memory: stride bytes a lane
  uint32_t local_stride = 0;
  std::shared_ptr<struct AsyncCopies> async;  // cp.async under way; null until used

  Group& group() { return groups[current]; }
};

struct Barrier {
  uint32_t arrived = 0;   // threads
  uint32_t expected = 0;  // 0: all threads that have not exited
  uint32_t accumulated = 0;
  bool any = false, all = true;
};

struct Counters {
  explicit Counters(size_t ops) : warps(ops), lanes(ops) {}
  std::vector<uint64_t> warps, lanes, sectors, waves;  // by op; the last two only with statistics by line
  uint64_t global_load_requests = 0, global_store_requests = 0;
  uint64_t global_load_bytes = 0, global_store_bytes = 0, global_load_sectors = 0, global_store_sectors = 0;
  uint64_t atomic_bytes = 0, atomic_sectors = 0;
  uint64_t dram_load_sectors = 0, dram_store_sectors = 0;
  uint64_t shared_requests = 0, shared_wavefronts = 0, shared_conflict_wavefronts = 0;
  uint64_t mma_flop = 0, local_bytes = 0;
  uint32_t max_divergence = 1;
  void add(const Counters& other);
};

// Per host thread and launch.
struct Worker {
  Range cache[64];  // allocations that memory instructions met last, by instruction
  Counters* counters = nullptr;
  LaunchContext* launch = nullptr;
  uint64_t random = 0;
};

struct LaunchContext {
  const DeviceModel* device = nullptr;
  const Launch* launch = nullptr;
  const Program* program = nullptr;
  const class LoadedModule* module = nullptr;
  const std::byte* parameters = nullptr;
  uint32_t parameter_bytes = 0;
  uint32_t shared_bytes = 0;  // reserved + static + dynamic
  uint32_t threads = 0, warps = 0;
  uint64_t grid_id = 0;
  uint64_t seed = 0;  // 0: warps in order
  std::chrono::steady_clock::time_point deadline = std::chrono::steady_clock::time_point::max();
  double timeout_seconds = 0;
  bool count = false, count_lines = false;
  class RaceDetector* races = nullptr;
  std::atomic<bool> stopped{false};
  std::atomic<uint64_t> progress{0};  // grows as memory changes or blocks end; tells spinning from waiting
  class TouchedSectors* touched = nullptr;
  uint64_t shared_base = 0, local_base = 0, param_base = 0;
};

enum class WarpState : uint8_t { waiting, spinning, finished, time_slice };

// preempted: it could go on, but has had its share while other blocks may wait.
enum class BlockState : uint8_t { preempted, finished, spinning };

struct Block {
  LaunchContext* launch = nullptr;
  Dim3 index;
  uint64_t linear = 0;
  uint32_t live_threads = 0;
  std::vector<Warp> warps;
  std::vector<std::unique_ptr<Frame>> entry_frames;
  std::unique_ptr<uint8_t[]> shared;
  uint32_t shared_bytes = 0;
  std::unique_ptr<uint8_t[]> register_storage;
  Barrier barriers[16];
  std::shared_ptr<class BlockRaces> races;  // null unless races are looked for

  std::vector<WarpState> states;
  const Warp* running = nullptr;

  Block() = default;
  ~Block();  // frames of calls that a fault cut off
  Block(const Block&) = delete;
  Block& operator=(const Block&) = delete;

  void start(LaunchContext& context, uint64_t linear_index);
  // Runs until the block ends, nothing in it can go on without other blocks, or it has run for long. Throws
  // LaunchFault.
  BlockState run(Worker& worker);
  void release_if_complete(int barrier);
  void threads_exited(uint32_t count);
  std::string describe_waits() const;
};

// ---- scheduling of groups within a warp (warp.cpp) ----

// Runs groups until none can go on. steps: instructions until the time slice ends (0: no limit).
WarpState run_warp(Warp& warp, uint32_t steps);
// The running group goes on at taken for the lanes in taken_mask, at other for the rest. Returns where to
// continue.
const Op* diverge(Warp& warp, const Op* taken, uint32_t taken_mask, const Op* other);
// Splits lanes off the running group; they stay at pc in the given state.
void split(Warp& warp, uint32_t lanes, const Op* pc, GroupState state);
// The running group stays at pc in the given state.
const Op* park(Warp& warp, const Op* pc, GroupState state);
// Ends the lanes.
const Op* exit_lanes(Warp& warp, const Op* op, uint32_t lanes);
// Called on a backward branch when the budget is used up, memory was polled or a group is behind.
const Op* backward_branch(Warp& warp, const Op* target);
void enter_frame(Warp& warp, Frame* frame);
[[noreturn]] void fault(const Op* op, int lane, Fault kind, std::string message);

}  // namespace simulator
