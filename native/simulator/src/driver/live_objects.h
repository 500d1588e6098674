// The books of what the process created and has not given back: for leak tests that end at zero.
#pragma once

#include <cstdint>

// The answer of simulatorLiveObjects. Fields are only ever added at the end; `size` tells which the caller
// knows.
struct SimulatorLiveObjects {
  uint64_t size = sizeof(SimulatorLiveObjects);  // set by the caller
  uint64_t contexts = 0;                         // created and not destroyed
  uint64_t primary_retains = 0;                  // of primary contexts, not released
  uint64_t streams = 0, events = 0, modules = 0;
  uint64_t graphs = 0, executable_graphs = 0;
  uint64_t pools = 0;                                 // beside the devices' own
  uint64_t device_allocations = 0, device_bytes = 0;  // managed and pool memory included
  uint64_t host_allocations = 0, host_bytes = 0;      // pinned
  uint64_t registrations = 0;                         // of host memory
};
