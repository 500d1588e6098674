#include "access.h"

#include <algorithm>

#include "memory.h"
#include "races.h"
#include "report.h"
#include "statistics.h"

namespace simulator {

namespace {

const char* verb(AccessKind kind) {
  return kind == AccessKind::load ? "load" : kind == AccessKind::store ? "store" : "atomic access";
}

[[noreturn]] void misaligned(const Op* op, int lane, AccessKind kind, uint64_t address, unsigned bytes,
                             const char* space) {
  fault(op, lane, Fault::misaligned_address,
        format("%s of %u bytes at %s address 0x%llx, which is not a multiple of %u", verb(kind), bytes, space,
               static_cast<unsigned long long>(address), bytes));
}

// Lanes in which x is not in [0, span]: both fit in 63 bits when all is well.
uint64_t outside(uint64_t x, uint64_t span) { return (x | (span - x)) >> 63; }

// ---- counters ----

unsigned distinct(uint64_t* values, unsigned count) {
  std::sort(values, values + count);
  return static_cast<unsigned>(std::unique(values, values + count) - values);
}

void count_global(Warp& w, const Op* op, uint32_t exec, AccessKind kind, const uint64_t* address, unsigned bytes) {
  Counters& c = *w.worker->counters;
  LaunchContext& launch = *w.block->launch;
  uint64_t sector[lanes];
  unsigned count = 0;
  for_lanes(exec, [&](int i) { sector[count++] = address[i] & ~uint64_t{31}; });
  uint64_t asked = uint64_t{count} * bytes;
  count = distinct(sector, count);
  bool loads = kind != AccessKind::store, stores = kind != AccessKind::load;
  for (unsigned i = 0; i < count; ++i) {
    if (loads && launch.touched->load(sector[i])) ++c.dram_load_sectors;
    if (stores && launch.touched->store(sector[i])) ++c.dram_store_sectors;
  }
  if (kind == AccessKind::load) {
    ++c.global_load_requests;
    c.global_load_bytes += asked;
    c.global_load_sectors += count;
  } else if (kind == AccessKind::store) {
    ++c.global_store_requests;
    c.global_store_bytes += asked;
    c.global_store_sectors += count;
  } else {
    c.atomic_bytes += asked;
    c.atomic_sectors += count;
  }
  if (!c.sectors.empty()) c.sectors[static_cast<size_t>(op - launch.program->ops.data())] += count;
}

void count_shared(Warp& w, const Op* op, uint32_t exec, const uint64_t* address, unsigned bytes) {
  Counters& c = *w.worker->counters;
  unsigned part = bytes <= 4 ? 32 : bytes == 8 ? 16 : 8;  // lanes a pass serves at most
  unsigned waves = 0, least = 0;
  for (unsigned first = 0; first < 32; first += part) {
    uint32_t some = exec & (part == 32 ? full : ((1u << part) - 1) << first);
    if (!some) continue;
    ++least;
    uint64_t word[lanes * 8];
    unsigned count = 0;
    unsigned words = std::max(bytes / 4, 1u);
    for_lanes(some, [&](int i) {
      for (unsigned k = 0; k < words; ++k) word[count++] = address[i] / 4 + k;
    });
    count = distinct(word, count);
    unsigned banks[32] = {}, most = 0;
    for (unsigned i = 0; i < count; ++i) most = std::max(most, ++banks[word[i] % 32]);
    waves += most;
  }
  ++c.shared_requests;
  c.shared_wavefronts += waves;
  c.shared_conflict_wavefronts += waves - least;
  if (!c.waves.empty()) c.waves[static_cast<size_t>(op - w.block->launch->program->ops.data())] += waves;
}

// ---- one lane at a time: anything goes ----

uint8_t* resolve_lane(Warp& w, const Op* op, int lane, AccessKind kind, Space space, uint64_t address, unsigned bytes) {
  Block& block = *w.block;
  LaunchContext& launch = *block.launch;
  if (space == Space::generic) {
    space = space_of_address(launch, address);
    if (space == Space::shared) address -= launch.shared_base;
    if (space == Space::local) address -= launch.local_base;
    if (space == Space::param) address -= launch.param_base;
  }
  auto ull = [](uint64_t v) { return static_cast<unsigned long long>(v); };
  switch (space) {
    case Space::shared:
      if (address < shared_reserved || address > block.shared_bytes || block.shared_bytes - address < bytes)
        fault(op, lane, Fault::illegal_address,
              format("%s of %u bytes at shared address 0x%llx, outside of the block's shared memory [0x%x, 0x%x)",
                     verb(kind), bytes, ull(address), shared_reserved, block.shared_bytes));
      if (address % bytes) misaligned(op, lane, kind, address, bytes, "shared");
      return block.shared.get() + address;
    case Space::local:
      if (address < local_reserved || address > w.frame->local_end || w.frame->local_end - address < bytes)
        fault(op, lane, Fault::illegal_address,
              format("%s of %u bytes at local address 0x%llx, outside of the thread's local memory [0x%x, 0x%x)",
                     verb(kind), bytes, ull(address), local_reserved, w.frame->local_end));
      if (address % bytes) misaligned(op, lane, kind, address, bytes, "local");
      return local_memory(w) + static_cast<size_t>(lane) * w.local_stride + address;
    case Space::param:
      if (kind != AccessKind::load)
        fault(op, lane, Fault::illegal_address, format("%s to a kernel parameter", verb(kind)));
      if (address > launch.parameter_bytes || launch.parameter_bytes - address < bytes)
        fault(op, lane, Fault::illegal_address,
              format("load of %u bytes at parameter offset 0x%llx of %u bytes", bytes, ull(address),
                     launch.parameter_bytes));
      return reinterpret_cast<uint8_t*>(const_cast<std::byte*>(launch.parameters)) + address;
    default:
      break;
  }
  if (address % bytes) misaligned(op, lane, kind, address, bytes, "global");
  Range range;
  if (!device_memory().find_range(address, &range) || range.end - address < bytes)
    fault(op, lane, Fault::illegal_address,
          format("%s of %u bytes: ", verb(kind), bytes) + device_memory().describe(address, bytes));
  if (kind != AccessKind::load && !range.writable)
    fault(op, lane, Fault::illegal_address,
          format("%s to a constant: ", verb(kind)) + device_memory().describe(address, bytes));
  return reinterpret_cast<uint8_t*>(address + range.delta);
}

void resolve_each(Warp& w, const Op* op, uint32_t exec, AccessKind kind, Space space, const uint64_t* address,
                  unsigned bytes, Access& out) {
  out.contiguous = false;
  for_lanes(exec, [&](int i) { out.pointer[i] = resolve_lane(w, op, i, kind, space, address[i], bytes); });
}

void resolve_global(Warp& w, const Op* op, uint32_t exec, AccessKind kind, const uint64_t* address, unsigned bytes,
                    Access& out) {
  Range& range = w.worker->cache[(reinterpret_cast<uintptr_t>(op) / sizeof(Op)) % 64];
  int first = __builtin_ctz(exec);
  uint64_t a = address[first];
  if (a - range.begin >= range.end - range.begin || range.end <= range.begin) {
    if (!device_memory().find_range(a, &range)) {
      range = Range{};
      return resolve_each(w, op, exec, kind, Space::global, address, bytes,
                          out);  // faults, in the right words
    }
  }
  uint64_t size = range.end - range.begin;
  if (size < bytes || (kind != AccessKind::load && !range.writable))
    return resolve_each(w, op, exec, kind, Space::global, address, bytes, out);
  uint64_t begin = range.begin, span = size - bytes, delta = range.delta, bad = 0, mixed = 0;
  uint8_t* base = reinterpret_cast<uint8_t*>(a + delta);
  if (exec == full) {
    for (int i = 0; i < lanes; ++i) mixed |= address[i] ^ (a + static_cast<uint64_t>(i) * bytes);
    if (mixed == 0) {
      if (!outside(a - begin, span) && !outside(address[31] - begin, span) && a % bytes == 0) {
        out.contiguous = true;
        out.pointer[0] = base;
        for (int i = 1; i < lanes; ++i) out.pointer[i] = base + static_cast<size_t>(i) * bytes;
        return;
      }
      return resolve_each(w, op, exec, kind, Space::global, address, bytes, out);
    }
    for (int i = 0; i < lanes; ++i) {
      uint64_t x = address[i] - begin;
      bad |= (x | (span - x)) >> 63 | (address[i] & (bytes - 1));
      out.pointer[i] = reinterpret_cast<uint8_t*>(address[i] + delta);
    }
  } else {
    for_lanes(exec, [&](int i) {
      uint64_t x = address[i] - begin;
      bad |= outside(x, span) | (address[i] & (bytes - 1));
      out.pointer[i] = reinterpret_cast<uint8_t*>(address[i] + delta);
    });
  }
  out.contiguous = false;
  if (bad) resolve_each(w, op, exec, kind, Space::global, address, bytes, out);
}

void resolve_shared(Warp& w, const Op* op, uint32_t exec, AccessKind kind, const uint64_t* address, unsigned bytes,
                    Access& out) {
  Block& block = *w.block;
  uint64_t span = uint64_t{block.shared_bytes} - shared_reserved - bytes,
           bad = block.shared_bytes < shared_reserved + bytes;
  uint8_t* base = block.shared.get();
  out.contiguous = false;
  if (exec == full) {
    for (int i = 0; i < lanes; ++i) {
      uint64_t x = address[i] - shared_reserved;
      bad |= (x | (span - x)) >> 63 | (address[i] & (bytes - 1));
      out.pointer[i] = base + address[i];
    }
  } else {
    for_lanes(exec, [&](int i) {
      bad |= outside(address[i] - shared_reserved, span) | (address[i] & (bytes - 1));
      out.pointer[i] = base + address[i];
    });
  }
  if (bad) resolve_each(w, op, exec, kind, Space::shared, address, bytes, out);
}

void resolve_local(Warp& w, const Op* op, uint32_t exec, AccessKind kind, const uint64_t* address, unsigned bytes,
                   Access& out) {
  uint64_t end = w.frame->local_end;
  uint64_t span = end - local_reserved - bytes, bad = end < local_reserved + bytes;
  uint8_t* base = local_memory(w);
  out.contiguous = false;
  for_lanes(exec, [&](int i) {
    bad |= outside(address[i] - local_reserved, span) | (address[i] & (bytes - 1));
    out.pointer[i] = base + static_cast<size_t>(i) * w.local_stride + address[i];
  });
  if (bad) resolve_each(w, op, exec, kind, Space::local, address, bytes, out);
}

}  // namespace

Space space_of_address(const LaunchContext& launch, uint64_t address) {
  if (address - launch.shared_base < address_map::window_bytes) return Space::shared;
  if (address - launch.local_base < address_map::window_bytes) return Space::local;
  if (address - launch.param_base < address_map::window_bytes) return Space::param;
  return Space::global;
}

uint8_t* local_memory(Warp& w) {
  if (!w.local) {
    size_t bytes = size_t{w.local_stride} * lanes;
    w.local.reset(new uint8_t[bytes]);
    std::memset(w.local.get(), 0xFF, bytes);
  }
  return w.local.get();
}

template <>
void resolve<Space::global>(Warp& w, const Op* op, uint32_t exec, AccessKind kind, const Addresses& a, unsigned bytes,
                            Access& out, bool synchronises) {
  resolve_global(w, op, exec, kind, a.value, bytes, out);
  if (w.block->races) w.block->races->access(w, op, exec, kind, synchronises, false, a.value, bytes);
  if (w.worker->counters) count_global(w, op, exec, kind, a.value, bytes);
}

template <>
void resolve<Space::shared>(Warp& w, const Op* op, uint32_t exec, AccessKind kind, const Addresses& a, unsigned bytes,
                            Access& out, bool synchronises) {
  resolve_shared(w, op, exec, kind, a.value, bytes, out);
  if (w.block->races) w.block->races->access(w, op, exec, kind, synchronises, true, a.value, bytes);
  if (w.worker->counters) count_shared(w, op, exec, a.value, bytes);
}

template <>
void resolve<Space::local>(Warp& w, const Op* op, uint32_t exec, AccessKind kind, const Addresses& a, unsigned bytes,
                           Access& out, bool) {
  resolve_local(w, op, exec, kind, a.value, bytes, out);
  if (w.worker->counters) w.worker->counters->local_bytes += static_cast<uint64_t>(__builtin_popcount(exec)) * bytes;
}

template <>
void resolve<Space::param>(Warp& w, const Op* op, uint32_t exec, AccessKind kind, const Addresses& a, unsigned bytes,
                           Access& out, bool) {
  resolve_each(w, op, exec, kind, Space::param, a.value, bytes, out);
}

template <>
void resolve<Space::generic>(Warp& w, const Op* op, uint32_t exec, AccessKind kind, const Addresses& a, unsigned bytes,
                             Access& out, bool synchronises) {
  const LaunchContext& launch = *w.block->launch;
  constexpr Space spaces[] = {Space::global, Space::shared, Space::local, Space::param};
  const uint64_t bases[] = {0, launch.shared_base, launch.local_base, launch.param_base};
  uint32_t left = exec;
  for (int s = 0; s < 4 && left; ++s) {
    uint32_t some = 0;
    for_lanes(left, [&](int i) { some |= (space_of_address(launch, a.value[i]) == spaces[s] ? 1u : 0u) << i; });
    if (!some) continue;
    left &= ~some;
    Addresses inside;
    for (int i = 0; i < lanes; ++i) inside.value[i] = a.value[i] - bases[s];
    Access part;
    Access& target = some == exec ? out : part;
    switch (s) {
      case 0:
        resolve<Space::global>(w, op, some, kind, inside, bytes, target, synchronises);
        break;
      case 1:
        resolve<Space::shared>(w, op, some, kind, inside, bytes, target, synchronises);
        break;
      case 2:
        resolve<Space::local>(w, op, some, kind, inside, bytes, target, synchronises);
        break;
      default:
        resolve<Space::param>(w, op, some, kind, inside, bytes, target, synchronises);
        break;
    }
    if (some == exec) return;
    for_lanes(some, [&](int i) { out.pointer[i] = part.pointer[i]; });
  }
  out.contiguous = false;
}

}  // namespace simulator
