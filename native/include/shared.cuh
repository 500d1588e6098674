// Shared memory by its 32-bit address: one multiply-add less for each access than through a generic pointer.
#pragma once

#include "integers.cuh"

// Volatile, so that the conversion is not made again in every loop that uses it.
__device__ __forceinline__ uint32_t shared_address(const void* pointer) {
  uint32_t address;
  asm volatile("{ .reg .u64 a; cvta.to.shared.u64 a, %1; cvt.u32.u64 %0, a; }" : "=r"(address) : "l"(pointer));
  return address;
}

// Volatile keeps these on their side of the barriers.
__device__ __forceinline__ uint32_t load_shared(uint32_t address) {
  uint32_t value;
  asm volatile("ld.shared.u32 %0, [%1];" : "=r"(value) : "r"(address));
  return value;
}

__device__ __forceinline__ uint2 load_shared_pair(uint32_t address) {
  uint2 value;
  asm volatile("ld.shared.v2.u32 {%0, %1}, [%2];" : "=r"(value.x), "=r"(value.y) : "r"(address));
  return value;
}
