// The environment variables of the executing half.
#pragma once

#include <cstdint>
#include <string>

namespace simulator {

struct Environment {
  unsigned threads = 1;        // KERNELS_SIM_THREADS: host threads for a grid
  uint64_t seed = 0;           // KERNELS_SIM_SEED: 0 is off
  double timeout_seconds = 0;  // KERNELS_SIM_TIMEOUT: 0 is off
  std::string stats;           // KERNELS_SIM_STATS: a file, or - for standard output
  bool stats_lines = false;    // KERNELS_SIM_STATS_LINES
  bool race_check = false;     // KERNELS_SIM_RACECHECK
};

const Environment& environment();

}  // namespace simulator
