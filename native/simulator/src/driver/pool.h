// Stream-ordered memory pools: what is reserved, what is used, and what is kept when memory comes back.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>

#include "context.h"

namespace simulator::driver {

// Each allocation has memory of its own, so that its bounds and its end are checked exactly; the pool keeps
// the accounts a pool of the driver's would keep. Memory reserved and not used is not to be had by other
// allocations.
class MemoryPool {
 public:
  MemoryPool(CUdevice device, size_t max_bytes) : device(device), max_bytes_(max_bytes) {}

  const CUdevice device;
  CUmemoryPool handle = nullptr;
  bool is_default = false;

  // Accounts for an allocation. False where the pool's maximum or the device's memory would be exceeded.
  bool take(size_t bytes);
  void give_back(size_t bytes);
  // Gives reserved memory back until no more than max(keep, what is used) is left.
  void trim(size_t keep);
  void trim_to_threshold();

  void set_attribute(CUmemPool_attribute attribute, const void* value);
  void get_attribute(CUmemPool_attribute attribute, void* value) const;

  size_t slack() const;  // reserved and not used

 private:
  mutable std::mutex mutex_;
  const size_t max_bytes_;  // 0: no limit
  uint64_t threshold_ = 0;
  uint64_t used_ = 0, used_high_ = 0, reserved_ = 0, reserved_high_ = 0;
  int follow_events_ = 1, opportunistic_ = 1, internal_dependencies_ = 1;
};

using PoolPointer = std::shared_ptr<MemoryPool>;

PoolPointer default_pool(CUdevice device);
PoolPointer current_pool(CUdevice device);
void set_current_pool(CUdevice device, const PoolPointer& pool);
PoolPointer create_pool(CUdevice device, size_t max_bytes);
PoolPointer pool_of(CUmemoryPool handle);
void destroy_pool(CUmemoryPool handle);
size_t live_pools();

// Memory of the device that pools hold and nobody uses.
size_t pooled_slack(CUdevice device);
// At a synchronising call, pools give back what exceeds their release threshold.
void release_pooled_memory(CUdevice device);

}  // namespace simulator::driver
