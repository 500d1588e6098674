// Access to the 32 lanes of registers, and the loops every instruction body is made of.
#pragma once

#include <cstdint>
#include <cstring>
#include <type_traits>

#include "warp.h"

namespace simulator {

constexpr int lanes = 32;
constexpr uint32_t full = ~uint32_t{0};

template <class T>
inline const T* source(const Warp& w, OperandRef r) {
  return reinterpret_cast<const T*>(w.bank[r & 1] + r);
}
template <class T>
inline T* destination(const Warp& w, OperandRef r) {
  return reinterpret_cast<T*>(const_cast<uint8_t*>(w.bank[0]) + r);
}
inline uint32_t predicate(const Warp& w, OperandRef r) {
  uint32_t value = *reinterpret_cast<const uint32_t*>(w.bank[r & 1] + (r & ~uint32_t{2}));
  return value ^ (0 - (r >> 1 & 1));
}
inline void set_predicate(const Warp& w, OperandRef r, uint32_t exec, uint32_t value) {
  uint32_t* d = destination<uint32_t>(w, r);
  *d = (*d & ~exec) | (value & exec);
}
constexpr OperandRef no_operand = ~uint32_t{0};

// True when every lane may be written: all that live are executing.
inline bool writes_all(const Warp& w, uint32_t exec) { return (exec | w.dead) == full; }

template <size_t N>
struct UnsignedOf;
template <>
struct UnsignedOf<1> {
  using type = uint8_t;
};
template <>
struct UnsignedOf<2> {
  using type = uint16_t;
};
template <>
struct UnsignedOf<4> {
  using type = uint32_t;
};
template <>
struct UnsignedOf<8> {
  using type = uint64_t;
};

// d = r in the lanes of exec.
template <class T>
inline void commit(T* d, const T* r, uint32_t exec) {
  if constexpr (sizeof(T) <= 8) {
    using U = typename UnsignedOf<sizeof(T)>::type;
    U* du = reinterpret_cast<U*>(d);
    const U* ru = reinterpret_cast<const U*>(r);
    for (int half = 0; half < 2; ++half) {
      uint32_t bits = exec >> (16 * half) & 0xFFFF;
#pragma GCC ivdep
      for (int i = 0; i < 16; ++i) {
        U keep = (bits >> i & 1) ? U(0) : U(~U(0));
        du[16 * half + i] = static_cast<U>((du[16 * half + i] & keep) | (ru[16 * half + i] & ~keep));
      }
    }
  } else {
    for (int i = 0; i < lanes; ++i)
      if (exec >> i & 1) d[i] = r[i];
  }
}

// d[i] = f(i) in the lanes of exec; f is cheap and has no side effects, so it may run for the others too.
template <class T, class F>
inline void each_lane(const Warp& w, T* d, uint32_t exec, F f) {
  if (writes_all(w, exec)) {
#pragma GCC ivdep
    for (int i = 0; i < lanes; ++i) d[i] = f(i);
  } else {
    alignas(64) T r[lanes];
#pragma GCC ivdep
    for (int i = 0; i < lanes; ++i) r[i] = f(i);
    commit(d, r, exec);
  }
}

// f(i) for the lanes of exec, in order.
template <class F>
inline void for_lanes(uint32_t exec, F f) {
  if (exec == full) {
    for (int i = 0; i < lanes; ++i) f(i);
    return;
  }
  while (exec) {
    int i = __builtin_ctz(exec);
    exec &= exec - 1;
    f(i);
  }
}

// The mask of the lanes for which f(i) holds.
template <class F>
inline uint32_t mask_of(F f) {
  uint32_t result = 0;
  alignas(64) uint8_t flags[lanes];
#pragma GCC ivdep
  for (int i = 0; i < lanes; ++i) flags[i] = f(i) ? 1 : 0;
  for (int k = 0; k < 4; ++k) {
    uint64_t eight;
    std::memcpy(&eight, flags + 8 * k, 8);
    result |= static_cast<uint32_t>((eight * 0x0102040810204080ull) >> 56) << (8 * k);
  }
  return result;
}

}  // namespace simulator
