// Bit and byte operations that are one machine instruction each (sm_80).
#pragma once

#include "integers.cuh"

// Each bit of the result comes from `ones` where mask is 1 and from `zeros` where it is 0: one lop3.
__device__ __forceinline__ uint32_t bit_select(uint32_t mask, uint32_t ones, uint32_t zeros) {
  uint32_t result;
  asm("lop3.b32 %0, %1, %2, %3, 0xCA;" : "=r"(result) : "r"(mask), "r"(ones), "r"(zeros));
  return result;
}

// Big-endian view of four little-endian bytes.
__device__ __forceinline__ uint32_t reverse_bytes(uint32_t word) { return __byte_perm(word, 0, 0x0123); }

// The high word of (high:low) << (shift & 31).
__device__ __forceinline__ uint32_t shift_in(uint32_t high, uint32_t low, uint32_t shift) {
  return __funnelshift_l(low, high, shift);
}

// a * b + c as one instruction; the compiler would make shift, mask and add of a shifted `a`.
__device__ __forceinline__ uint32_t multiply_add(uint32_t a, uint32_t b, uint32_t c) {
  uint32_t result;
  asm("mad.lo.u32 %0, %1, %2, %3;" : "=r"(result) : "r"(a), "r"(b), "r"(c));
  return result;
}
