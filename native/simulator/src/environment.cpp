#include "environment.h"

#include <cstdlib>
#include <thread>

namespace simulator {

namespace {

const char* text(const char* name) {
  const char* value = std::getenv(name);
  return value && *value ? value : nullptr;
}

bool flag(const char* name) {
  const char* value = text(name);
  return value && *value != '0';
}

}  // namespace

const Environment& environment() {
  static const Environment values = [] {
    Environment e;
    e.threads = std::max(1u, std::thread::hardware_concurrency());
    if (const char* v = text("KERNELS_SIM_THREADS")) {
      long n = std::strtol(v, nullptr, 10);
      if (n > 0 && n <= 1024) e.threads = static_cast<unsigned>(n);
    }
    if (const char* v = text("KERNELS_SIM_SEED")) {
      e.seed = std::strtoull(v, nullptr, 10) * 0x9E3779B97F4A7C15ull + 1;
      e.threads = 1;  // a seed is there to repeat a schedule
    }
    if (const char* v = text("KERNELS_SIM_TIMEOUT")) e.timeout_seconds = std::strtod(v, nullptr);
    if (const char* v = text("KERNELS_SIM_STATS")) e.stats = v;
    e.stats_lines = flag("KERNELS_SIM_STATS_LINES");
    e.race_check = flag("KERNELS_SIM_RACECHECK");
    return e;
  }();
  return values;
}

}  // namespace simulator
