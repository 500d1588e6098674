// The driver's book of memory it gave out: who owns an allocation and how it may be freed. Where the bytes
// are is the executing half's business (engine.h).
#pragma once

#include <memory>
#include <optional>

#include "context.h"

namespace simulator::driver {

class MemoryPool;

struct AllocationRecord {
  uint64_t address = 0;
  size_t bytes = 0;
  uint64_t id = 0;
  AllocationKind kind = AllocationKind::device;
  std::shared_ptr<MemoryPool> pool;  // of cuMemAllocAsync
  bool registered = false;           // cuMemHostRegister: the bytes are the caller's
  bool free_submitted = false;       // cuMemFreeAsync was called
  unsigned flags = 0;                // of the host allocation or registration
  CUdevice device = 0;
  CUcontext context = nullptr;
  uint64_t context_id = 0;
};

// Throws OUT_OF_MEMORY with the figures, INVALID_VALUE for 0 bytes.
uint64_t allocate(const ContextPointer& context, size_t bytes, AllocationKind kind, unsigned flags = 0,
                  std::shared_ptr<MemoryPool> pool = nullptr);

// Frees memory of cuMemAlloc, cuMemAllocManaged or a pool. Throws INVALID_VALUE for anything else.
void free_device(uint64_t address);
// Frees memory of cuMemHostAlloc and cuMemAllocHost.
void free_host(void* host);
// The stream has reached the free of a pool's memory.
void free_pooled(uint64_t address);
// Marks pool memory as freed from now on; throws INVALID_VALUE where it is none or is freed already.
std::shared_ptr<MemoryPool> submit_free(uint64_t address);

void register_host(const ContextPointer& context, void* host, size_t bytes, unsigned flags);
void unregister_host(void* host);

std::optional<AllocationRecord> find_allocation(uint64_t address);

// Everything the context's calls allocated.
void free_all(const Context& context);

struct AllocationCounts {
  size_t device = 0, device_bytes = 0, host = 0, host_bytes = 0, registered = 0;
};
AllocationCounts count_allocations();

}  // namespace simulator::driver
