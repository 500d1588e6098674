// DFloat11 decode: one group (a transformer block or one matrix) from its Huffman stream to BF16, bit for bit.
//
//   output[i] = sign_mantissa[i].sign : exponent[i] : sign_mantissa[i].mantissa        i in [0, n_elements)
//
// Arguments (device pointers; layout: docs/df11.md)
//   encoded           u8  [n_bytes]              Huffman codes of the exponents, MSB first     8-byte aligned
//   sign_mantissa     u8  [n_elements]           sign << 7 | mantissa                          8-byte aligned
//   luts              u8  [lut_rows][256]        decode rows, then the code lengths            4-byte aligned; 2 to 18 rows
//   gaps              u8  [n_chunks * THREADS * 5 / 8]   first bit of each thread's codes      4-byte aligned
//   output_positions  u32 [n_chunks + 1]         first element of each chunk
//   output            u16 [n_elements]           BF16                                          16-byte aligned
//   staging_elements  largest number of elements of a chunk; dynamic shared memory: 16 * (staging_elements / 16 + 6) bytes,
//                     and at least 2 << WINDOW bytes, in which the table is prepared
//   status            u64, all ones before the launch; afterwards the smallest of chunk << 8 | Df11Status of the
//                     corrupt chunks. A corrupt chunk leaves its part of the output as it was or holds arbitrary values
//                     there; nothing is written outside the output, whatever the bytes are.
//
// Work split. A chunk is THREADS * 8 bytes of the stream. Blocks walk over the chunks with a stride of the grid, so a grid
// that fills the device builds its tables once. In a chunk thread t owns the codes that start in bytes [8t, 8t + 8):
//   1. count   t walks its 64 bits by a table on WINDOW bits that yields up to four codes a lookup
//   2. scan    over the block: where t's elements start
//   3. emit    t walks again and ORs its exponents, four to a word, into the staging buffer
//   4. merge   thread t takes elements 8t..8t+7 from the staging buffer, adds sign and mantissa, stores 16 bytes
// Three barriers a chunk. Codes longer than WINDOW bits take the rows of `luts`, eight bits at a time.
//
// Cost a weight at 2.6 bits an exponent: 3.4 bytes of DRAM traffic, 0.8 warp instructions and 0.4 more where a block has one
// chunk only and so a table of its own (docs/kernels/df11_decode.md).
//
// Source of the format: DFloat11 (arXiv 2504.11651). This kernel is new: multi-symbol table, shuffle scan, exponents kept
// rotated by one bit so that sign, exponent and mantissa merge by byte-wise selects, four weights an instruction.
//
// -D: THREADS threads a block (DF11's threads_per_block), WINDOW bits of the table's index. Lowest architecture: sm_80.

#include "bits.cuh"
#include "integers.cuh"
#include "shared.cuh"
#include "warp.cuh"

constexpr uint32_t kWarps = THREADS / kWarpSize;
constexpr uint32_t kThreadBits = 64;
constexpr uint32_t kChunkBytes = THREADS * kThreadBits / 8;
constexpr uint32_t kGapWords = THREADS * 5 / 32;
constexpr uint32_t kWindows = 1u << WINDOW;
constexpr uint32_t kMaxLutRows = 18;
constexpr uint32_t kFirstPointer = 240;  // LUT values from here on point to row 256 - value

enum Df11Status : uint32_t { kBadPositions = 1, kBadCode = 2, kBadCount = 3, kBadGap = 4 };

// What a table lookup yields. `advance` is packed so that one add moves position and count on:
//   bits 0-4 bits of its codes | 5-15 bit 4+i set: a code other than the first starts at bit i | 16-23 codes | 24-31 bits again
// A window that holds no whole code advances by kLongCode, which ends the walk as a full position does.
// `exponents` are up to four, rotated, the first in the low byte; unused bytes are 0.
struct Entry {
  uint32_t advance, exponents;
};
constexpr uint32_t kLongCode = 0x80000000u;
constexpr uint32_t kOneCode = 1u << 16;
constexpr uint32_t kOneBit = 1u << 24;
constexpr uint32_t kAdvance = 0xffff0000u;
constexpr uint32_t kLaterStarts = 0xffe0u;
constexpr uint32_t kEnd = kThreadBits * kOneBit;

__shared__ Entry table[kWindows];
__shared__ uint32_t lut_words[kMaxLutRows * 64];
__shared__ uint32_t gap_words[kGapWords + 1];
__shared__ uint32_t first_words[THREADS + 1];
__shared__ uint32_t warp_totals[kWarps];
extern __shared__ uint4 staging[];  // rotated exponents of the chunk, from the element position rounded down to 8

struct Code {
  uint32_t exponent, bits;
};

// The code at the top of `window`, by the rows of luts; bits 0 if there is none (corrupt tables).
__device__ __forceinline__ Code long_code(uint32_t window, uint32_t lut_rows) {
  const uint8_t* luts = reinterpret_cast<const uint8_t*>(lut_words);
  uint32_t value = luts[window >> 24];
#pragma unroll
  for (uint32_t shift = 16; shift < 32; shift -= 8) {
    if (value < kFirstPointer) break;
    uint32_t row = 256 - value;
    if (row + 1 >= lut_rows) return {0, 0};
    value = luts[row * 256 + ((window >> shift) & 255)];
  }
  if (value >= kFirstPointer) return {0, 0};
  uint32_t bits = luts[(lut_rows - 1) * 256 + value];
  return {value, bits <= 32 ? bits : 0};
}

__device__ __forceinline__ uint32_t rotate_exponent(uint32_t exponent) { return exponent >> 1 | (exponent & 1) << 7; }

// 96 bits of the stream, the next code at the top.
struct Bits {
  uint32_t a, b, c;

  // By 0..31 bits; only the low five bits of `count` matter. What comes in behind the 96 bits is never looked at.
  __device__ __forceinline__ void skip(uint32_t count) {
    a = shift_in(a, b, count);
    b = shift_in(b, c, count);
    c = shift_in(c, c, count);
  }
};

__device__ __forceinline__ uint32_t entry_address(uint32_t table_address, uint32_t bits) {
  return multiply_add(bits >> (32 - WINDOW), sizeof(Entry), table_address);
}

__device__ __forceinline__ void build_table(const uint32_t* luts, uint32_t lut_rows) {
#pragma unroll 1
  for (uint32_t i = threadIdx.x; i < lut_rows * 64; i += THREADS) lut_words[i] = luts[i];
  __syncthreads();
  // First the one code at the top of each window, 0 where it is longer; the staging buffer is not in use yet.
  uint16_t* codes = reinterpret_cast<uint16_t*>(staging);
  for (uint32_t i = threadIdx.x; i < kWindows; i += THREADS) {
    Code code = long_code(i << (32 - WINDOW), lut_rows);
    bool whole = code.bits >= 1 && code.bits <= WINDOW;
    codes[i] = whole ? rotate_exponent(code.exponent) << 8 | code.bits : 0;
  }
  __syncthreads();
  // Then up to four by composition.
#pragma unroll 1
  for (uint32_t i = threadIdx.x; i < kWindows; i += THREADS) {
    uint32_t code = codes[i], used = code & 255, starts = 0, exponents = code >> 8, count = 1;
#pragma unroll
    for (uint32_t j = 1; j < 4; j++) {
      uint32_t next = codes[i << used & (kWindows - 1)], end = used + (next & 255);
      if (next == 0 || end > WINDOW) break;
      exponents |= next >> 8 << (8 * j);
      starts |= 16u << used;
      count++;
      used = end;
    }
    table[i] = {code == 0 ? kLongCode : used * (kOneBit + 1) + count * kOneCode + starts, exponents};
  }
  __syncthreads();
}

// One code longer than WINDOW bits. A code that is none counts as one bit, so that every walk ends.
__device__ __forceinline__ Code take_long_code(Bits& bits, uint32_t& walked, uint32_t lut_rows) {
  Code code = long_code(bits.a, lut_rows);
  uint32_t count = max(code.bits, 1);
  bits.skip(count / 2);
  bits.skip(count - count / 2);
  walked += count * kOneBit + kOneCode - kLongCode;
  return code;
}

// What a thread's walk finds: the codes that start in its 64 bits, and behind these a bit for each code that starts there,
// as far as the walk has seen; the lowest is the next thread's gap.
struct Count {
  uint32_t codes, next_starts;
};

// Of the 64 bits `position` are already skipped.
__device__ __forceinline__ Count count_codes(Bits bits, uint32_t position, uint32_t lut_rows) {
  const uint32_t table_address = shared_address(table);
  uint32_t walked = position * kOneBit, advance = 0;
  for (;;) {
    while (walked < kEnd) {
      advance = load_shared(entry_address(table_address, bits.a));
      bits.skip(advance);
      walked += advance & kAdvance;
    }
    if (!(walked & kLongCode)) break;
    take_long_code(bits, walked, lut_rows);
    advance = 0;
  }
  // The last lookup's codes that start at bit 64 or behind belong to the next thread.
  uint32_t beyond = (walked - kEnd) >> 24;
  uint32_t later = (advance & kLaterStarts) >> ((4 + (advance & 31) - beyond) & 31);
  return {(walked >> 16 & 255) - __popc(later), later | 1u << beyond};
}

// ORs the exponents of the same codes into staging bytes from `offset` on, a word at a time. Behind them come up to three
// of the next thread's, which ORs the same values; the thread with the group's last code may go on through the filling
// of the stream. False if one of the first `count` codes is none.
__device__ __forceinline__ bool emit_exponents(Bits bits, uint32_t position, uint32_t offset, uint32_t count,
                                               uint32_t lut_rows) {
  const uint32_t table_address = shared_address(table), phase = offset % 4;
  uint32_t* word = reinterpret_cast<uint32_t*>(staging) + offset / 4;
  uint32_t walked = position * kOneBit + phase * kOneCode, pending = 0;
  bool valid = true;
  for (;;) {
    while (walked < kEnd) {
      uint2 entry = load_shared_pair(entry_address(table_address, bits.a));
      bits.skip(entry.x);
      uint32_t fill = walked >> 13 & 24, before = walked;
      walked += entry.x & kAdvance;
      pending |= entry.y << fill;
      if ((before ^ walked) & 4 * kOneCode) {  // a word is full
        atomicOr(word++, pending);
        pending = shift_in(0, entry.y, fill);
      }
    }
    if (!(walked & kLongCode)) break;
    uint32_t fill = walked >> 13 & 24;
    Code code = take_long_code(bits, walked, lut_rows);
    valid = valid && (code.bits > 0 || (walked >> 16 & 255) - phase > count);
    pending |= rotate_exponent(code.exponent) << fill;
    if (fill == 24) {
      atomicOr(word++, pending);
      pending = 0;
    }
  }
  if (pending) atomicOr(word, pending);
  return valid;
}

// Four weights: bytes of rotated exponents and of sign_mantissa to two words of two BF16 each.
__device__ __forceinline__ uint2 merge(uint32_t exponents, uint32_t sign_mantissa) {
  uint32_t high = bit_select(0x80808080u, sign_mantissa, exponents);  // sign, upper seven exponent bits
  uint32_t low = bit_select(0x80808080u, exponents, sign_mantissa);   // last exponent bit, mantissa
  return {__byte_perm(low, high, 0x5140), __byte_perm(low, high, 0x7362)};
}

// Chunk elements [first, last) from the staging buffer to the output; leaves the staging buffer zero.
__device__ __forceinline__ void merge_chunk(const uint8_t* __restrict__ sign_mantissa, uint16_t* __restrict__ output,
                                            uint32_t first, uint32_t last) {
  const uint32_t base = first & ~7u, groups = (last - base) / 8;  // whole groups of 8 but for the ends
  const uint2* signs = reinterpret_cast<const uint2*>(sign_mantissa + base);
  uint4* out = reinterpret_cast<uint4*>(output + base);
  uint2* staged = reinterpret_cast<uint2*>(staging);
  const uint32_t head = first & 7 ? 1 : 0;
#pragma unroll 1
  for (uint32_t i = head + threadIdx.x; i < groups; i += THREADS) {
    uint2 exponents = staged[i], sm = __ldg(signs + i);
    staged[i] = make_uint2(0, 0);
    uint2 a = merge(exponents.x, sm.x), b = merge(exponents.y, sm.y);
    out[i] = make_uint4(a.x, a.y, b.x, b.y);
  }
  // The ends, an element a thread: 0..7 a first group that is not whole, 8..23 what is behind the last whole one, with the
  // codes that emit_exponents wrote past the chunk.
  if (threadIdx.x < 24 && (head || threadIdx.x >= 8)) {
    uint32_t i = threadIdx.x < 8 ? threadIdx.x : max(groups, head) * 8 + threadIdx.x - 8, element = base + i;
    uint8_t* bytes = reinterpret_cast<uint8_t*>(staging);
    uint32_t exponent = bytes[i];
    bytes[i] = 0;
    if (element >= first && element < last) output[element] = merge(exponent, sign_mantissa[element]).x;
  }
}

__device__ __forceinline__ void report(uint64_t* status, uint64_t chunk, Df11Status reason) {
  atomicMin(status, chunk << 8 | reason);
}

extern "C" __global__ void __launch_bounds__(THREADS)
    df11_decode(const uint8_t* __restrict__ encoded, const uint8_t* __restrict__ sign_mantissa,
                const uint32_t* __restrict__ luts, const uint32_t* __restrict__ gaps,
                const uint32_t* __restrict__ output_positions, uint16_t* __restrict__ output, uint64_t* status,
                uint64_t n_bytes, uint64_t n_elements, uint32_t n_chunks, uint32_t lut_rows,
                uint32_t staging_elements) {
  const uint32_t thread = threadIdx.x, lane = thread % kWarpSize, warp = thread / kWarpSize;

  if (thread == 0) gap_words[kGapWords] = 0;
  build_table(luts, lut_rows);
#pragma unroll 1
  for (uint32_t i = thread; i < staging_elements / 16 + 6; i += THREADS) staging[i] = make_uint4(0, 0, 0, 0);

  for (uint32_t chunk = blockIdx.x; chunk < n_chunks; chunk += gridDim.x) {
    // Own 64 bits, then the word behind them from the next thread's.
    const uint64_t start = (uint64_t)chunk * kChunkBytes + thread * 8;
    uint2 own = make_uint2(0, 0);
    if (start + 8 <= n_bytes) {
      own = __ldg(reinterpret_cast<const uint2*>(encoded + start));
    } else {
      for (uint32_t i = 0; start + i < n_bytes; i++)
        (i < 4 ? own.x : own.y) |= (uint32_t)encoded[start + i] << i % 4 * 8;
    }
    Bits bits = {reverse_bytes(own.x), reverse_bytes(own.y), 0};
    first_words[thread] = bits.a;
    if (thread == THREADS - 1) {
      uint32_t word = 0;
      for (uint32_t i = 0; i < 4; i++) word = word << 8 | (start + 8 + i < n_bytes ? encoded[start + 8 + i] : 0);
      first_words[THREADS] = word;
    }
    // One word more: the next chunk's first gap.
    if (thread < kGapWords + (chunk + 1 < n_chunks)) {
      gap_words[thread] = reverse_bytes(__ldg(gaps + (uint64_t)chunk * kGapWords + thread));
    }
    const uint32_t first = output_positions[chunk], last = output_positions[chunk + 1];
    __syncthreads();

    bits.c = first_words[thread + 1];
    const uint32_t gap_bit = thread * 5;
    const uint32_t gap_bits = shift_in(gap_words[gap_bit / 32], gap_words[gap_bit / 32 + 1], gap_bit);
    const uint32_t gap = gap_bits >> 27, next_gap = gap_bits >> 22 & 31;
    bits.skip(gap);

    const auto [count, next_starts] = count_codes(bits, gap, lut_rows);
    const uint32_t through = warp_inclusive_sum(count);
    if (lane == kWarpSize - 1) warp_totals[warp] = through;
    __syncthreads();
    const uint32_t warp_total = lane < kWarps ? warp_totals[lane] : 0;
    const uint32_t total = warp_sum(warp_total);
    const uint32_t before = warp_sum(lane < warp ? warp_total : 0);

    // The same decision in every thread. The last chunk's filling may look like more codes.
    const uint32_t elements = last - first;
    const bool is_last = chunk + 1 == n_chunks;
    if (first > last || last > n_elements || elements > staging_elements || (chunk == 0 && first != 0) ||
        (is_last && last != n_elements)) {
      if (thread == 0) report(status, chunk, kBadPositions);
      continue;
    }
    if (is_last ? total < elements : total != elements) {
      if (thread == 0) report(status, chunk, kBadCount);
      continue;
    }

    const uint32_t offset = before + through - count;
    const uint32_t next_start = next_starts & (0 - next_starts);
    if (next_start != 1u << next_gap && first + offset + count < n_elements) report(status, chunk, kBadGap);
    if (offset < elements && !emit_exponents(bits, gap, first % 8 + offset, min(count, elements - offset), lut_rows)) {
      report(status, chunk, kBadCode);
    }
    __syncthreads();
    merge_chunk(sign_mantissa, output, first, last);
  }
}
