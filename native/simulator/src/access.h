// From the addresses of a warp to host memory: state spaces, bounds, alignment, and the counters of traffic.
#pragma once

#include <cstdint>

#include "lanes.h"
#include "types.h"

namespace simulator {

enum class AccessKind : uint8_t { load, store, atomic };

// Where the lanes of one access find their bytes.
struct Access {
  uint8_t* pointer[lanes];  // of executing lanes
  bool contiguous = false;  // all 32 lanes: pointer[i] == pointer[0] + i * bytes
};

// The addresses of a memory instruction: register or constant a plus imm; 32-bit registers when narrow
// (op->small[3]).
struct Addresses {
  alignas(64) uint64_t value[lanes];
};
inline void read_addresses(const Warp& w, OperandRef base, bool narrow, int64_t offset, Addresses& out) {
  uint64_t add = static_cast<uint64_t>(offset);
  if (narrow) {
    const uint32_t* a = source<uint32_t>(w, base);
    for (int i = 0; i < lanes; ++i) out.value[i] = a[i] + add;
  } else {
    const uint64_t* a = source<uint64_t>(w, base);
    for (int i = 0; i < lanes; ++i) out.value[i] = a[i] + add;
  }
}

// bytes: of one lane, a power of two up to 32. synchronises: volatile, acquire, release and the like. Faults
// when a lane may not access what it asks for.
template <Space space>
void resolve(Warp& w, const Op* op, uint32_t exec, AccessKind kind, const Addresses& addresses, unsigned bytes,
             Access& out, bool synchronises = false);

// The local memory of the warp: local_stride bytes a lane.
uint8_t* local_memory(Warp& w);
// Which of the spaces a generic address belongs to.
Space space_of_address(const LaunchContext& launch, uint64_t address);

}  // namespace simulator
