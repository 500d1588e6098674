// The address space behind device memory: one region of device addresses, which nothing can touch, and the
// bytes of its heap in a second one.
#pragma once

#include <cstdint>

namespace simulator {

struct AddressSpace {
  uint64_t region = 0;  // the first device address; 0 where nothing could be reserved
  uint64_t region_bytes = 0;
  uint64_t delta = 0;  // host address - device address, in the heap

  bool reserved() const { return region != 0; }
  bool contains(uint64_t address) const { return address - region < region_bytes; }
};

// Reserved at the first call, for good. Less than address_map::region_bytes where the process may not have as
// much (ulimit -v).
const AddressSpace& address_space();

}  // namespace simulator
