#include "live_objects.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "allocation.h"
#include "api.h"
#include "event.h"
#include "graph.h"
#include "module.h"
#include "pool.h"
#include "stream.h"

namespace simulator::driver {
namespace {

SimulatorLiveObjects count() {
  SimulatorLiveObjects live;
  if (!initialised()) return live;
  const AllocationCounts allocations = count_allocations();
  live.contexts = live_contexts();
  live.primary_retains = primary_retains();
  live.streams = live_streams();
  live.events = live_events();
  live.modules = live_modules();
  live.graphs = live_graphs();
  live.executable_graphs = live_executables();
  live.pools = live_pools();
  live.device_allocations = allocations.device;
  live.device_bytes = allocations.device_bytes;
  live.host_allocations = allocations.host;
  live.host_bytes = allocations.host_bytes;
  live.registrations = allocations.registered;
  return live;
}

struct NamedCount {
  const char* name;
  uint64_t value;
};

}  // namespace

// KERNELS_SIM_LEAKS=1: says at exit what is left.
void report_leaks_at_exit() {
  const char* value = std::getenv("KERNELS_SIM_LEAKS");
  if (!value || std::strcmp(value, "1") != 0) return;
  std::atexit([] {
    const SimulatorLiveObjects live = count();
    const NamedCount counts[] = {{"contexts", live.contexts},
                                 {"primary context retains", live.primary_retains},
                                 {"streams", live.streams},
                                 {"events", live.events},
                                 {"modules", live.modules},
                                 {"graphs", live.graphs},
                                 {"executable graphs", live.executable_graphs},
                                 {"memory pools", live.pools},
                                 {"device allocations", live.device_allocations},
                                 {"device bytes", live.device_bytes},
                                 {"pinned allocations", live.host_allocations},
                                 {"pinned bytes", live.host_bytes},
                                 {"host registrations", live.registrations}};
    for (const NamedCount& each : counts)
      if (each.value != 0)
        std::fprintf(stderr, "simulator: leaked at exit: %llu %s\n", static_cast<unsigned long long>(each.value),
                     each.name);
  });
}

}  // namespace simulator::driver

// Fills in as many fields as the caller's `size` has room for. Works before cuInit and on failed contexts.
SIMULATOR_API simulatorLiveObjects(SimulatorLiveObjects* out) {
  return simulator::driver::uninitialised_api("simulatorLiveObjects", [&] {
    simulator::driver::require_pointer(out, "out");
    if (out->size < sizeof out->size)
      simulator::driver::fail(CUDA_ERROR_INVALID_VALUE, "size = %llu", static_cast<unsigned long long>(out->size));
    SimulatorLiveObjects live = simulator::driver::count();
    live.size = std::min<uint64_t>(out->size, sizeof live);
    std::memcpy(out, &live, live.size);
    return CUDA_SUCCESS;
  });
}
