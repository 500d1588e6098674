#include "statistics.h"

#include <sys/mman.h>

#include <cstdio>
#include <mutex>
#include <new>

#include "environment.h"
#include "module.h"
#include "report.h"

namespace simulator {

namespace {

constexpr uint64_t host_addresses = uint64_t{1} << 47;
constexpr uint64_t bitmap_bytes = host_addresses / 32 / 8;  // of address space; pages that are not touched cost nothing

std::atomic<uint64_t>* map_bits() {
  void* p = mmap(nullptr, bitmap_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (p == MAP_FAILED) throw std::bad_alloc();
  return static_cast<std::atomic<uint64_t>*>(p);
}

std::string escaped(const std::string& text) {
  std::string result;
  for (char c : text) {
    if (c == '"' || c == '\\') result += '\\';
    result += static_cast<unsigned char>(c) < 32 ? ' ' : c;
  }
  return result;
}

}  // namespace

TouchedSectors::TouchedSectors() : loads_(map_bits()), stores_(map_bits()), region_(0) {}

TouchedSectors::~TouchedSectors() {
  munmap(loads_, bitmap_bytes);
  munmap(stores_, bitmap_bytes);
}

bool TouchedSectors::touch(std::atomic<uint64_t>* bits, uint64_t address) {
  uint64_t sector = (address - region_) % host_addresses / 32;
  std::atomic<uint64_t>& word = bits[sector / 64];
  uint64_t bit = uint64_t{1} << (sector % 64);
  if (word.load(std::memory_order_relaxed) & bit) return false;
  return !(word.fetch_or(bit, std::memory_order_relaxed) & bit);
}

const char* op_class_name(OpClass c) {
  constexpr const char* names[] = {"int",       "fp32",      "fp16",  "fp64",   "mma",     "ld_global", "st_global",
                                   "ld_shared", "st_shared", "local", "branch", "barrier", "shuffle",   "sfu",
                                   "atom",      "cvt",       "move",  "param",  "async",   "other"};
  return names[static_cast<size_t>(c)];
}

void Counters::add(const Counters& o) {
  for (size_t i = 0; i < warps.size(); ++i) {
    warps[i] += o.warps[i];
    lanes[i] += o.lanes[i];
    if (!sectors.empty()) sectors[i] += o.sectors[i], waves[i] += o.waves[i];
  }
  global_load_requests += o.global_load_requests;
  global_store_requests += o.global_store_requests;
  global_load_bytes += o.global_load_bytes;
  global_store_bytes += o.global_store_bytes;
  global_load_sectors += o.global_load_sectors;
  global_store_sectors += o.global_store_sectors;
  atomic_bytes += o.atomic_bytes;
  atomic_sectors += o.atomic_sectors;
  dram_load_sectors += o.dram_load_sectors;
  dram_store_sectors += o.dram_store_sectors;
  shared_requests += o.shared_requests;
  shared_wavefronts += o.shared_wavefronts;
  shared_conflict_wavefronts += o.shared_conflict_wavefronts;
  mma_flop += o.mma_flop;
  local_bytes += o.local_bytes;
  if (o.max_divergence > max_divergence) max_divergence = o.max_divergence;
}

void write_statistics(const LaunchContext& launch, const Counters& c, double seconds) {
  static std::mutex mutex;
  static uint64_t launches = 0;
  const Program& program = *launch.program;
  constexpr size_t classes = static_cast<size_t>(OpClass::count);
  uint64_t warps = 0, lanes = 0, by_class[classes] = {}, lanes_by_class[classes] = {};
  for (size_t i = 0; i < program.infos.size(); ++i) {
    const OpInfo& info = program.infos[i];
    if (info.hidden) continue;
    warps += c.warps[i];
    lanes += c.lanes[i];
    by_class[static_cast<size_t>(info.op_class)] += c.warps[i];
    lanes_by_class[static_cast<size_t>(info.op_class)] += c.lanes[i];
  }
  std::string text;
  auto number = [&](const char* name, uint64_t value) {
    text += format(",\"%s\":%llu", name, static_cast<unsigned long long>(value));
  };
  auto classes_of = [&](const char* name, const uint64_t* values) {
    text += format(",\"%s\":{", name);
    for (size_t i = 0; i < classes; ++i)
      text += format("%s\"%s\":%llu", i ? "," : "", op_class_name(static_cast<OpClass>(i)),
                     static_cast<unsigned long long>(values[i]));
    text += "}";
  };
  const Launch& l = *launch.launch;
  std::lock_guard lock(mutex);
  text = "{\"kernel\":\"" + escaped(program.entry->name) + "\"";
  number("launch", ++launches);
  text += format(",\"grid\":[%u,%u,%u],\"block\":[%u,%u,%u]", l.grid.x, l.grid.y, l.grid.z, l.block.x, l.block.y,
                 l.block.z);
  number("static_smem", program.static_shared - shared_reserved);
  number("dynamic_smem", l.dynamic_shared_bytes);
  number("regs_guess", l.function->info().registers);
  text += format(",\"wall_ms\":%.3f", seconds * 1e3);
  number("warp_instr", warps);
  number("lane_instr", lanes);
  text += format(",\"avg_active_lanes\":%.3f", warps ? static_cast<double>(lanes) / static_cast<double>(warps) : 0.0);
  classes_of("class", by_class);
  classes_of("class_lanes", lanes_by_class);
  number("global_load_requests", c.global_load_requests);
  number("global_store_requests", c.global_store_requests);
  number("global_load_bytes", c.global_load_bytes);
  number("global_store_bytes", c.global_store_bytes);
  number("global_load_sectors", c.global_load_sectors);
  number("global_store_sectors", c.global_store_sectors);
  number("atomic_bytes", c.atomic_bytes);
  number("atomic_sectors", c.atomic_sectors);
  number("dram_load_bytes", 32 * c.dram_load_sectors);
  number("dram_store_bytes", 32 * c.dram_store_sectors);
  number("shared_requests", c.shared_requests);
  number("shared_wavefronts", c.shared_wavefronts);
  number("shared_conflict_wavefronts", c.shared_conflict_wavefronts);
  number("mma_flop", c.mma_flop);
  number("local_bytes", c.local_bytes);
  number("max_divergence", c.max_divergence);
  if (launch.count_lines) {
    text += ",\"lines\":[";
    bool first = true;
    for (size_t i = 0; i < program.infos.size(); ++i) {
      const OpInfo& info = program.infos[i];
      if (info.hidden || !c.warps[i]) continue;
      text +=
          format("%s{\"line\":%d,\"n\":%llu,\"lanes\":%llu,\"sectors\":%llu,\"waves\":%llu", first ? "" : ",",
                 info.line, static_cast<unsigned long long>(c.warps[i]), static_cast<unsigned long long>(c.lanes[i]),
                 static_cast<unsigned long long>(c.sectors[i]), static_cast<unsigned long long>(c.waves[i]));
      if (info.source_line) text += format(",\"source\":%d", info.source_line);
      text += ",\"ptx\":\"" + escaped(launch.module->line_text(info.line)) + "\"}";
      first = false;
    }
    text += "]";
  }
  text += "}\n";
  const std::string& path = environment().stats;
  if (path == "-") {
    std::fwrite(text.data(), 1, text.size(), stdout);
    std::fflush(stdout);
  } else if (std::FILE* file = std::fopen(path.c_str(), "a")) {
    std::fwrite(text.data(), 1, text.size(), file);
    std::fclose(file);
  } else {
    std::fprintf(stderr, "simulator: cannot append to KERNELS_SIM_STATS=%s\n", path.c_str());
  }
}

}  // namespace simulator
