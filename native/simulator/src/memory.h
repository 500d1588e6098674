// The executing half's view of device memory: where an address leads and what may be done there.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <shared_mutex>
#include <string>
#include <vector>

#include "engine.h"

namespace simulator {

// A live allocation as the interpreter caches it. Device address + delta is the host address.
struct Range {
  uint64_t begin = 1, end = 0;  // empty
  uint64_t delta = 0;
  bool writable = false;
};

// Device addresses come from one reserved, inaccessible region, so that host code that dereferences one
// faults; the bytes are at a fixed distance in a second region. Windows of generic addresses for shared,
// local and parameter memory lie in front of the first allocation.
namespace address_map {
constexpr uint64_t region_bytes = uint64_t{1} << 40;
constexpr uint64_t window_bytes = uint64_t{1} << 24;  // of each of the three windows
constexpr uint64_t shared_window = 0;                 // offsets in the region
constexpr uint64_t local_window = uint64_t{1} << 30;
constexpr uint64_t param_window = uint64_t{2} << 30;
constexpr uint64_t heap = uint64_t{4} << 30;
}  // namespace address_map

class DeviceMemory final : public Memory {
 public:
  DeviceMemory();
  uint64_t allocate(const DeviceModel& device, size_t bytes, AllocationKind kind) override;
  FreeOutcome free(uint64_t address) override;
  bool register_host(void* host, size_t bytes) override;
  bool unregister_host(void* host) override;
  bool find(uint64_t address, Allocation* out) const override;
  std::byte* resolve(uint64_t address, size_t bytes, std::string* why) override;
  size_t used(int device) const override;
  size_t live_allocations(int device) const override;

  // A variable of a module, named in reports; constants refuse stores.
  uint64_t allocate_variable(const DeviceModel& device, size_t bytes, std::string name, bool constant);
  bool find_range(uint64_t address, Range* out) const;
  // What an address is, for reports: the allocation that holds it, that held it, or the nearest one.
  std::string describe(uint64_t address, size_t bytes) const;

  uint64_t shared_base() const { return region_ + address_map::shared_window; }
  uint64_t local_base() const { return region_ + address_map::local_window; }
  uint64_t param_base() const { return region_ + address_map::param_window; }

 private:
  struct Entry {
    Allocation allocation;
    std::string name;
    bool constant = false;
    bool freed = false;
    bool registered = false;  // host memory of the caller
  };
  const Entry* containing(uint64_t address) const;
  std::byte* reserve(size_t bytes, uint64_t* address);

  mutable std::shared_mutex mutex_;
  std::map<uint64_t, Entry> entries_;  // by address; freed ones stay until their addresses are used again
  uint64_t region_ = 0;                // device addresses
  uint64_t delta_ = 0;                 // host address - device address
  uint64_t next_ = 0;                  // next device address
  uint64_t next_id_ = 1;
  std::vector<size_t> used_, live_;  // by device
};

DeviceMemory& device_memory();

}  // namespace simulator
