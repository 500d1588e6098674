// Data races: accesses of two threads to the same bytes, at least one a plain store, that nothing orders.
//
// Shared memory is watched by the byte, device memory by the word of four bytes (narrower accesses to it are
// not looked at). Order comes from barriers, warp-level synchronisation, mbarriers, and atomic or volatile
// accesses to the same address, kept as vector clocks of warps. Between blocks any atomic, volatile access or
// fence of the later block counts. The launch runs on one host thread while this is on.
#pragma once

#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "access.h"
#include "warp.h"

namespace simulator {

// One access, as later ones compare with it.
struct AccessRecord {
  uint64_t block = 0;  // linear index + 1; 0: none
  uint32_t clock = 0;  // of the warp
  uint32_t time = 0;   // of the launch
  int32_t line = 0;
  uint16_t warp = 0;
  uint8_t lane = 0;
  bool synchronises = false;
};

struct AccessCell {
  AccessRecord write, read, other_read;
};

// What a launch has found, and the records of device memory.
class RaceDetector {
 public:
  explicit RaceDetector(const LaunchContext& launch) : launch_(launch) {}
  std::unordered_map<uint64_t, AccessCell> words;  // of device memory, by address / 4
  uint32_t time = 1;
  std::string reports() const { return text_; }
  bool any() const { return !seen_.empty(); }
  void report(const Block& block, const Warp& warp, int lane, int line, bool stores, const AccessRecord& earlier,
              bool earlier_stores, bool shared, uint64_t address);

 private:
  const LaunchContext& launch_;
  std::set<std::pair<int, int>> seen_;  // lines
  std::string text_;
};

// Order among the warps of a block.
class BlockRaces {
 public:
  BlockRaces(RaceDetector& detector, const Block& block);

  void access(const Warp& w, const Op* op, uint32_t exec, AccessKind kind, bool synchronises, bool shared,
              const uint64_t* address, unsigned bytes);
  void warp_synchronised(const Warp& w) { ++own_[w.index]; }
  void arrive(const Warp& w, unsigned barrier);
  void leave(const Warp& w, unsigned barrier);
  void barrier_done(unsigned barrier) { arrived_[barrier].clear(); }
  void fence() { last_synchronisation_ = ++detector_.time; }

 private:
  using Clock = std::vector<uint32_t>;  // by warp: what of it is known to have happened
  bool ordered(const AccessRecord& earlier, const Warp& w, int lane) const;
  void check(AccessCell& cell, const Warp& w, int lane, const AccessRecord& now, bool stores, bool shared,
             uint64_t address);
  void join(Clock& into, const Clock& from);

  RaceDetector& detector_;
  const Block& block_;
  std::vector<Clock> known_;                      // by warp
  std::vector<uint32_t> own_;                     // clock of each warp
  std::vector<AccessCell> cells_;                 // of shared memory, by byte
  Clock arrived_[16];                             // of the barriers
  std::unordered_map<uint64_t, Clock> released_;  // by address of what synchronises
  uint32_t last_synchronisation_ = 0;
};

}  // namespace simulator
