// Warp-wide primitives. Every lane of the warp takes part.
#pragma once

#include "integers.cuh"

constexpr uint32_t kWarpSize = 32;
constexpr uint32_t kFullWarp = 0xffffffffu;

// Lane i gets the sum of the values of lanes 0..i.
__device__ __forceinline__ uint32_t warp_inclusive_sum(uint32_t value, uint32_t lane) {
#pragma unroll
  for (uint32_t distance = 1; distance < kWarpSize; distance *= 2) {
    uint32_t below = __shfl_up_sync(kFullWarp, value, distance);
    if (lane >= distance) value += below;
  }
  return value;
}
