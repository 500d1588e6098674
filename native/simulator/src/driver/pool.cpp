#include "pool.h"

#include <algorithm>

#include "failure.h"
#include "handle_table.h"

namespace simulator::driver {
namespace {

constexpr size_t granularity = size_t{2} << 20;  // pools reserve physical memory in steps of 2 MiB

size_t round_up(size_t bytes) { return (bytes + granularity - 1) / granularity * granularity; }

HandleTable<MemoryPool, CUmemoryPool>& pools() {
  static auto* const table = new HandleTable<MemoryPool, CUmemoryPool>("memory pool", 4);
  return *table;
}

struct DevicePools {
  PoolPointer built_in, current;
};

std::mutex device_pools_mutex;

DevicePools& device_pools(CUdevice device) {
  card(device);
  static auto* const all = [] {
    auto* created = new std::vector<DevicePools>(cards().size());
    for (size_t ordinal = 0; ordinal < created->size(); ++ordinal) {
      auto pool = std::make_shared<MemoryPool>(static_cast<CUdevice>(ordinal), 0);
      pool->is_default = true;
      pool->handle = pools().add(pool);
      (*created)[ordinal] = {pool, pool};
    }
    return created;
  }();
  return (*all)[static_cast<size_t>(device)];
}

}  // namespace

bool MemoryPool::take(size_t bytes) {
  const size_t others = memory().used(device) + pooled_slack(device);
  std::lock_guard lock(mutex_);
  const size_t needed = std::max<size_t>(round_up(used_ + bytes), reserved_);
  if (max_bytes_ != 0 && used_ + bytes > max_bytes_) return false;
  if (others + (needed - reserved_) > card(device).model.memory_bytes) return false;
  reserved_ = needed;
  used_ += bytes;
  reserved_high_ = std::max(reserved_high_, reserved_);
  used_high_ = std::max(used_high_, used_);
  return true;
}

void MemoryPool::give_back(size_t bytes) {
  std::lock_guard lock(mutex_);
  used_ -= bytes;
}

void MemoryPool::trim(size_t keep) {
  std::lock_guard lock(mutex_);
  reserved_ = std::min<uint64_t>(reserved_, std::max(round_up(keep), round_up(used_)));
}

void MemoryPool::trim_to_threshold() {
  std::lock_guard lock(mutex_);
  if (reserved_ > threshold_)
    reserved_ = std::min<uint64_t>(reserved_, std::max<uint64_t>(threshold_, round_up(used_)));
}

size_t MemoryPool::slack() const {
  std::lock_guard lock(mutex_);
  return reserved_ - used_;
}

void MemoryPool::set_attribute(CUmemPool_attribute attribute, const void* value) {
  std::lock_guard lock(mutex_);
  const auto number = [&] { return *static_cast<const cuuint64_t*>(value); };
  const auto reset = [&](uint64_t& high, uint64_t now) {
    if (number() != 0) fail(CUDA_ERROR_INVALID_VALUE, "a high-water mark can only be set to 0");
    high = now;
  };
  switch (attribute) {
    case CU_MEMPOOL_ATTR_REUSE_FOLLOW_EVENT_DEPENDENCIES:
      follow_events_ = *static_cast<const int*>(value);
      return;
    case CU_MEMPOOL_ATTR_REUSE_ALLOW_OPPORTUNISTIC:
      opportunistic_ = *static_cast<const int*>(value);
      return;
    case CU_MEMPOOL_ATTR_REUSE_ALLOW_INTERNAL_DEPENDENCIES:
      internal_dependencies_ = *static_cast<const int*>(value);
      return;
    case CU_MEMPOOL_ATTR_RELEASE_THRESHOLD:
      threshold_ = number();
      return;
    case CU_MEMPOOL_ATTR_RESERVED_MEM_HIGH:
      reset(reserved_high_, reserved_);
      return;
    case CU_MEMPOOL_ATTR_USED_MEM_HIGH:
      reset(used_high_, used_);
      return;
    default:
      fail(CUDA_ERROR_INVALID_VALUE, "pool attribute %d cannot be set", static_cast<int>(attribute));
  }
}

void MemoryPool::get_attribute(CUmemPool_attribute attribute, void* value) const {
  std::lock_guard lock(mutex_);
  const auto put = [&](uint64_t number) { *static_cast<cuuint64_t*>(value) = number; };
  switch (attribute) {
    case CU_MEMPOOL_ATTR_REUSE_FOLLOW_EVENT_DEPENDENCIES:
      *static_cast<int*>(value) = follow_events_;
      return;
    case CU_MEMPOOL_ATTR_REUSE_ALLOW_OPPORTUNISTIC:
      *static_cast<int*>(value) = opportunistic_;
      return;
    case CU_MEMPOOL_ATTR_REUSE_ALLOW_INTERNAL_DEPENDENCIES:
      *static_cast<int*>(value) = internal_dependencies_;
      return;
    case CU_MEMPOOL_ATTR_RELEASE_THRESHOLD:
      put(threshold_);
      return;
    case CU_MEMPOOL_ATTR_RESERVED_MEM_CURRENT:
      put(reserved_);
      return;
    case CU_MEMPOOL_ATTR_RESERVED_MEM_HIGH:
      put(reserved_high_);
      return;
    case CU_MEMPOOL_ATTR_USED_MEM_CURRENT:
      put(used_);
      return;
    case CU_MEMPOOL_ATTR_USED_MEM_HIGH:
      put(used_high_);
      return;
  }
  fail(CUDA_ERROR_INVALID_VALUE, "pool attribute %d does not exist", static_cast<int>(attribute));
}

PoolPointer default_pool(CUdevice device) {
  std::lock_guard lock(device_pools_mutex);
  return device_pools(device).built_in;
}

PoolPointer current_pool(CUdevice device) {
  std::lock_guard lock(device_pools_mutex);
  return device_pools(device).current;
}

void set_current_pool(CUdevice device, const PoolPointer& pool) {
  std::lock_guard lock(device_pools_mutex);
  device_pools(device).current = pool;
}

PoolPointer create_pool(CUdevice device, size_t max_bytes) {
  card(device);
  auto pool = std::make_shared<MemoryPool>(device, max_bytes);
  pool->handle = pools().add(pool);
  return pool;
}

PoolPointer pool_of(CUmemoryPool handle) {
  if (handle == nullptr) fail(CUDA_ERROR_INVALID_VALUE, "the memory pool is null");
  return pools().get(handle);
}

void destroy_pool(CUmemoryPool handle) {
  const PoolPointer pool = pool_of(handle);
  if (pool->is_default) fail(CUDA_ERROR_NOT_SUPPORTED, "a device's default memory pool cannot be destroyed");
  pools().remove(handle);
  pool->trim(0);
  std::lock_guard lock(device_pools_mutex);
  DevicePools& of_device = device_pools(pool->device);
  if (of_device.current == pool) of_device.current = of_device.built_in;
}

size_t live_pools() {
  size_t created = 0;
  pools().visit([&](const MemoryPool& pool) { created += !pool.is_default; });
  return created;
}

size_t pooled_slack(CUdevice device) {
  size_t bytes = 0;
  pools().visit([&](const MemoryPool& pool) { bytes += pool.device == device ? pool.slack() : 0; });
  return bytes;
}

void release_pooled_memory(CUdevice device) {
  pools().visit([&](MemoryPool& pool) {
    if (pool.device == device) pool.trim_to_threshold();
  });
}

}  // namespace simulator::driver
