#include "allocation.h"

#include <map>
#include <mutex>

#include "../address_space.h"
#include "failure.h"
#include "host_memory.h"
#include "pool.h"

namespace simulator::driver {
namespace {

std::mutex book_mutex;

std::map<uint64_t, AllocationRecord>& book() {
  static auto* const records = new std::map<uint64_t, AllocationRecord>;
  return *records;
}

unsigned long long hex(uint64_t address) { return address; }

// The record at exactly this address; says what the address is instead where there is none. The caller holds
// the lock.
std::map<uint64_t, AllocationRecord>::iterator at(uint64_t address, const char* wanted) {
  const auto found = book().find(address);
  if (found != book().end()) return found;
  std::string what;
  Allocation inside;
  if (memory().find(address, &inside))
    fail(CUDA_ERROR_INVALID_VALUE, "0x%llx is not the start of %s: it is %llu bytes inside the allocation at 0x%llx",
         hex(address), wanted, hex(address - inside.address), hex(inside.address));
  memory().resolve(address, 1, &what);
  fail(CUDA_ERROR_INVALID_VALUE, "0x%llx is not the start of %s: %s", hex(address), wanted, what.c_str());
}

void release(const AllocationRecord& record) {
  if (record.registered)
    memory().unregister_host(reinterpret_cast<void*>(record.address));
  else
    memory().free(record.address);
  if (record.pool) record.pool->give_back(record.bytes);
}

bool on_device(const AllocationRecord& record) { return record.kind != AllocationKind::pinned_host; }

}  // namespace

uint64_t allocate(const ContextPointer& context, size_t bytes, AllocationKind kind, unsigned flags,
                  std::shared_ptr<MemoryPool> pool) {
  if (bytes == 0) fail(CUDA_ERROR_INVALID_VALUE, "an allocation of 0 bytes");
  const DeviceModel& model = context->model();
  const auto refuse = [&] {
    fail(CUDA_ERROR_OUT_OF_MEMORY, "%zu bytes asked, %zu used and %zu held by pools of %zu on device %d", bytes,
         memory().used(model.ordinal), pooled_slack(model.ordinal), model.memory_bytes, model.ordinal);
  };
  std::lock_guard lock(book_mutex);
  if (pool) {
    if (!pool->take(bytes)) refuse();
  } else if (kind != AllocationKind::pinned_host) {
    const size_t held = memory().used(model.ordinal) + pooled_slack(model.ordinal);
    if (bytes > model.memory_bytes || held > model.memory_bytes - bytes) refuse();
  }
  const uint64_t address = memory().allocate(model, bytes, kind);
  if (address == 0) {
    if (pool) pool->give_back(bytes);
    refuse();
  }
  AllocationRecord record;
  Allocation made;
  if (memory().find(address, &made)) record.id = made.id;
  record.address = address;
  record.bytes = bytes;
  record.kind = kind;
  record.flags = flags;
  record.pool = std::move(pool);
  record.device = model.ordinal;
  record.context = context->handle;
  record.context_id = context->id;
  book()[address] = std::move(record);
  return address;
}

void free_device(uint64_t address) {
  std::lock_guard lock(book_mutex);
  const auto found = at(address, "device memory");
  if (!on_device(found->second) || found->second.free_submitted)
    fail(CUDA_ERROR_INVALID_VALUE, "0x%llx is %s", hex(address),
         found->second.free_submitted ? "freed already by cuMemFreeAsync" : "host memory: cuMemFreeHost frees it");
  release(found->second);
  book().erase(found);
}

void free_host(void* host) {
  const uint64_t address = reinterpret_cast<uint64_t>(host);
  std::lock_guard lock(book_mutex);
  const auto found = at(address, "pinned host memory");
  if (on_device(found->second) || found->second.registered)
    fail(CUDA_ERROR_INVALID_VALUE, "0x%llx is %s", hex(address),
         found->second.registered ? "registered memory: cuMemHostUnregister unregisters it" : "device memory");
  release(found->second);
  book().erase(found);
}

void free_pooled(uint64_t address) {
  std::lock_guard lock(book_mutex);
  const auto found = book().find(address);
  if (found == book().end()) return;  // went with its context
  release(found->second);
  book().erase(found);
}

std::shared_ptr<MemoryPool> submit_free(uint64_t address) {
  std::lock_guard lock(book_mutex);
  AllocationRecord& record = at(address, "memory of a pool")->second;
  if (!record.pool) fail(CUDA_ERROR_INVALID_VALUE, "0x%llx was not allocated by cuMemAllocAsync", hex(address));
  if (record.free_submitted) fail(CUDA_ERROR_INVALID_VALUE, "0x%llx is freed already by cuMemFreeAsync", hex(address));
  record.free_submitted = true;
  return record.pool;
}

void register_host(const ContextPointer& context, void* host, size_t bytes, unsigned flags) {
  const uint64_t address = reinterpret_cast<uint64_t>(host);
  if (bytes > UINT64_MAX - address || !host_mapped(address, bytes))
    fail(CUDA_ERROR_INVALID_VALUE, "the %zu bytes at %p are not all mapped memory of this process", bytes, host);
  if (address_space().contains(address))
    fail(CUDA_ERROR_INVALID_VALUE, "%p is a device address where a host pointer is expected", host);
  std::lock_guard lock(book_mutex);
  if (!memory().register_host(host, bytes))
    fail(CUDA_ERROR_HOST_MEMORY_ALREADY_REGISTERED, "part of the %zu bytes at %p is registered or allocated already",
         bytes, host);
  AllocationRecord record;
  record.address = address;
  record.bytes = bytes;
  record.kind = AllocationKind::pinned_host;
  record.registered = true;
  record.flags = flags;
  record.device = context->device;
  record.context = context->handle;
  record.context_id = context->id;
  Allocation made;
  if (memory().find(record.address, &made)) record.id = made.id;
  book()[record.address] = record;
}

void unregister_host(void* host) {
  std::lock_guard lock(book_mutex);
  const auto found = book().find(reinterpret_cast<uint64_t>(host));
  if (found == book().end() || !found->second.registered)
    fail(CUDA_ERROR_HOST_MEMORY_NOT_REGISTERED, "%p is not the start of registered memory", host);
  release(found->second);
  book().erase(found);
}

std::optional<AllocationRecord> find_allocation(uint64_t address) {
  std::lock_guard lock(book_mutex);
  auto found = book().upper_bound(address);
  if (found == book().begin()) return std::nullopt;
  --found;
  const AllocationRecord& record = found->second;
  if (address - record.address >= record.bytes) return std::nullopt;
  return record;
}

void free_all(const Context& context) {
  std::lock_guard lock(book_mutex);
  for (auto each = book().begin(); each != book().end();) {
    if (each->second.context_id != context.id) {
      ++each;
      continue;
    }
    release(each->second);
    each = book().erase(each);
  }
}

AllocationCounts count_allocations() {
  std::lock_guard lock(book_mutex);
  AllocationCounts counts;
  for (const auto& [address, record] : book()) {
    if (record.registered)
      ++counts.registered;
    else if (on_device(record))
      ++counts.device, counts.device_bytes += record.bytes;
    else
      ++counts.host, counts.host_bytes += record.bytes;
  }
  return counts;
}

}  // namespace simulator::driver
