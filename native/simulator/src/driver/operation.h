// A piece of device work, the same whether it is submitted to a stream or kept in a graph.
#pragma once

#include <cstdint>
#include <memory>
#include <variant>
#include <vector>

#include "../engine.h"
#include "cuda_abi.h"

namespace simulator::driver {

class Context;
struct DriverFunction;
class MemoryPool;

struct EmptyOperation {};

struct KernelOperation {
  std::shared_ptr<DriverFunction> function;
  Launch launch;
};

// One side of a copy: rows of `pitch` bytes, slices of `height` rows.
struct CopySide {
  bool host = false;     // ordinary host memory: `address` is a host pointer that nothing is known about
  uint64_t address = 0;  // of the first byte copied, offsets included
  size_t pitch = 0, height = 0;
};

struct CopyOperation {
  CopySide to, from;
  size_t width = 0, rows = 1, slices = 1;  // bytes, rows of a slice, slices
  std::vector<std::byte> staged;           // the source's bytes where they were taken at the call (pageable memory)
};

struct MemsetOperation {
  uint64_t address = 0;
  size_t pitch = 0;  // bytes between rows; ignored for one row
  uint32_t value = 0;
  unsigned element_bytes = 1;  // 1, 2 or 4
  size_t width = 0, rows = 1;  // elements of a row, rows
};

struct HostOperation {
  CUhostFn function = nullptr;
  void* argument = nullptr;
};

// cuMemFreeAsync reaching its place in the stream.
struct FreeOperation {
  std::shared_ptr<MemoryPool> pool;
  uint64_t address = 0;
};

using Operation =
    std::variant<EmptyOperation, KernelOperation, CopyOperation, MemsetOperation, HostOperation, FreeOperation>;

// Carries it out on the calling thread.
CUresult perform(Context& context, const Operation& operation, uint64_t stream_id);

// Throws INVALID_VALUE where a side or destination is not wholly inside live memory.
void validate(const CopyOperation& copy);
void validate(const MemsetOperation& memset);

}  // namespace simulator::driver
