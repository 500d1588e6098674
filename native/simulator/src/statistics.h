// What a launch did, in numbers: one JSON line a launch.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>

#include "warp.h"

namespace simulator {

// 32-byte sectors of device memory that a launch touched at least once.
class TouchedSectors {
 public:
  TouchedSectors();
  ~TouchedSectors();
  TouchedSectors(const TouchedSectors&) = delete;
  TouchedSectors& operator=(const TouchedSectors&) = delete;
  // True the first time.
  bool load(uint64_t address) { return touch(loads_, address); }
  bool store(uint64_t address) { return touch(stores_, address); }

 private:
  // One bit a sector of the region of device addresses; other addresses (host memory) share the bits after
  // it.
  bool touch(std::atomic<uint64_t>* bits, uint64_t address);
  std::atomic<uint64_t>*loads_, *stores_;
  uint64_t region_;
};

void write_statistics(const LaunchContext& launch, const Counters& counters, double seconds);

}  // namespace simulator
