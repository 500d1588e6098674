#include "races.h"

#include "report.h"

namespace simulator {

namespace {

std::string thread_text(const Launch& l, uint64_t block, uint32_t linear) {
  return format("thread (%u,%u,%u) of block (%llu,%llu,%llu)", linear % l.block.x, linear / l.block.x % l.block.y,
                linear / l.block.x / l.block.y, static_cast<unsigned long long>(block % l.grid.x),
                static_cast<unsigned long long>(block / l.grid.x % l.grid.y),
                static_cast<unsigned long long>(block / l.grid.x / l.grid.y));
}

}  // namespace

void RaceDetector::report(const Block& block, const Warp& warp, int lane, int line, bool stores,
                          const AccessRecord& earlier, bool earlier_stores, bool shared, uint64_t address) {
  if (seen_.size() >= 20 || !seen_.insert({line, earlier.line}).second) return;
  const Launch& l = *launch_.launch;
  text_ += format("simulator: race in kernel %s on %s address 0x%llx: nothing orders\n",
                  launch_.program->entry->name.c_str(), shared ? "shared" : "global",
                  static_cast<unsigned long long>(address));
  text_ += format("    a %s by %s at ", stores ? "store" : "load",
                  thread_text(l, block.linear, warp.index * 32 + static_cast<uint32_t>(lane)).c_str()) +
           describe_line(launch_, line) + "\n";
  text_ += format("    and a %s by %s at ", earlier_stores ? "store" : "load",
                  thread_text(l, earlier.block - 1, earlier.warp * 32u + earlier.lane).c_str()) +
           describe_line(launch_, earlier.line) + "\n";
}

BlockRaces::BlockRaces(RaceDetector& detector, const Block& block)
    : detector_(detector),
      block_(block),
      known_(block.warps.size(), Clock(block.warps.size())),
      own_(block.warps.size(), 1),
      cells_(block.shared_bytes) {}

void BlockRaces::join(Clock& into, const Clock& from) {
  if (into.size() < from.size()) into.resize(from.size());
  for (size_t i = 0; i < from.size(); ++i)
    if (from[i] > into[i]) into[i] = from[i];
}

void BlockRaces::arrive(const Warp& w, unsigned barrier) {
  known_[w.index][w.index] = own_[w.index];
  join(arrived_[barrier], known_[w.index]);
  ++own_[w.index];
}

void BlockRaces::leave(const Warp& w, unsigned barrier) { join(known_[w.index], arrived_[barrier]); }

bool BlockRaces::ordered(const AccessRecord& earlier, const Warp& w, int lane) const {
  if (earlier.block != block_.linear + 1) return last_synchronisation_ > earlier.time;
  if (earlier.warp == w.index) return earlier.lane == lane || earlier.clock < own_[w.index];
  return known_[w.index][earlier.warp] >= earlier.clock;
}

void BlockRaces::check(AccessCell& cell, const Warp& w, int lane, const AccessRecord& now, bool stores, bool shared,
                       uint64_t address) {
  auto against = [&](const AccessRecord& earlier, bool earlier_stores) {
    if (!earlier.block || (earlier.synchronises && now.synchronises) || ordered(earlier, w, lane)) return;
    // The first guess of a compare-and-swap loop in device memory is usually read without ceremony.
    if (!shared && (earlier.synchronises || now.synchronises) && !(stores && earlier_stores)) return;
    // Lanes that store to one place in one instruction: the hardware picks one of them, a program may mean
    // it.
    if (stores && earlier_stores && earlier.block == now.block && earlier.warp == now.warp &&
        earlier.clock == now.clock && earlier.line == now.line)
      return;
    detector_.report(block_, w, lane, now.line, stores, earlier, earlier_stores, shared, address);
  };
  against(cell.write, true);
  if (!stores) {
    if (cell.read.block && cell.read.warp != now.warp && !ordered(cell.read, w, lane)) cell.other_read = cell.read;
    cell.read = now;
    return;
  }
  against(cell.read, false);
  against(cell.other_read, false);
  cell.write = now;
}

void BlockRaces::access(const Warp& w, const Op* op, uint32_t exec, AccessKind kind, bool synchronises, bool shared,
                        const uint64_t* address, unsigned bytes) {
  bool atomic = kind == AccessKind::atomic, stores = kind != AccessKind::load;
  synchronises |= atomic;
  if (!shared && bytes < 4 && !synchronises) return;
  AccessRecord now;
  now.block = block_.linear + 1;
  now.warp = static_cast<uint16_t>(w.index);
  now.line = block_.launch->program->info(op).line;
  now.synchronises = synchronises;
  // What others released at the addresses is known from here on.
  if (synchronises && (atomic || !stores)) {
    for_lanes(exec, [&](int i) {
      auto it = released_.find(address[i]);
      if (it != released_.end()) join(known_[w.index], it->second);
    });
    fence();
  }
  now.clock = own_[w.index];
  now.time = detector_.time;
  for_lanes(exec, [&](int i) {
    now.lane = static_cast<uint8_t>(i);
    if (shared) {
      for (unsigned k = 0; k < bytes; ++k) check(cells_[address[i] + k], w, i, now, stores, true, address[i] + k);
    } else {
      for (unsigned k = 0; k < bytes; k += 4)
        check(detector_.words[address[i] / 4 + k / 4], w, i, now, stores, false, address[i] + k);
    }
  });
  if (synchronises && stores) {
    known_[w.index][w.index] = own_[w.index];
    for_lanes(exec, [&](int i) { join(released_[address[i]], known_[w.index]); });
    ++own_[w.index];
    fence();
  }
}

}  // namespace simulator
