// The 64 bits of an mbarrier object in shared memory, as this simulator lays them out.
#pragma once

#include <cstdint>
#include <cstring>

namespace simulator::mbarrier {

// phase: bit 63; transactions still expected: bits 40-62, two's complement; arrivals of a phase: bits 20-39;
// arrivals still pending: bits 0-19.
struct State {
  uint32_t pending, expected;
  int32_t transactions;
  bool phase;
};

inline State load(const uint8_t* at) {
  uint64_t bits;
  std::memcpy(&bits, at, 8);
  return {static_cast<uint32_t>(bits & 0xFFFFF), static_cast<uint32_t>(bits >> 20 & 0xFFFFF),
          static_cast<int32_t>(static_cast<int64_t>(bits << 1) >> 41), (bits >> 63) != 0};
}
inline uint64_t encode(const State& s) {
  return (uint64_t{s.pending} & 0xFFFFF) | (uint64_t{s.expected} & 0xFFFFF) << 20 |
         (static_cast<uint64_t>(s.transactions) & 0x7FFFFF) << 40 | (s.phase ? uint64_t{1} << 63 : 0);
}
inline void store(uint8_t* at, const State& s) {
  uint64_t bits = encode(s);
  std::memcpy(at, &bits, 8);
}
inline void finish_if_complete(State& s) {
  if (s.pending || s.transactions) return;
  s.phase = !s.phase;
  s.pending = s.expected;
}
// Returns the state before.
inline uint64_t arrive(uint8_t* at, uint32_t count, int32_t transactions = 0, uint32_t dropped = 0) {
  State s = load(at);
  uint64_t before = encode(s);
  s.transactions += transactions;
  s.expected -= dropped;
  s.pending -= count;
  finish_if_complete(s);
  store(at, s);
  return before;
}
inline void complete_transactions(uint8_t* at, int32_t transactions) {
  State s = load(at);
  s.transactions -= transactions;
  finish_if_complete(s);
  store(at, s);
}

}  // namespace simulator::mbarrier
