// Warp-wide primitives. Every lane of the warp takes part.
#pragma once

#include "integers.cuh"

constexpr uint32_t kWarpSize = 32;
constexpr uint32_t kFullWarp = 0xffffffffu;

// Lane i gets the sum of the values of lanes 0..i. Two instructions a step: the shuffle says itself whether there is a lane
// that far below.
__device__ __forceinline__ uint32_t warp_inclusive_sum(uint32_t value) {
#pragma unroll
  for (uint32_t distance = 1; distance < kWarpSize; distance *= 2) {
    asm volatile(
        "{ .reg .u32 below; .reg .pred there; shfl.sync.up.b32 below|there, %0, %1, 0, 0xffffffff; "
        "@there add.u32 %0, %0, below; }"
        : "+r"(value)
        : "r"(distance));
  }
  return value;
}

// Every lane gets the sum of all lanes' values (sm_80).
__device__ __forceinline__ uint32_t warp_sum(uint32_t value) { return __reduce_add_sync(kFullWarp, value); }
