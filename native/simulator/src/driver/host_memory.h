// What the system knows of host memory that is not the driver's: a wild pointer must not crash the library.
#pragma once

#include <cstddef>
#include <cstdint>

namespace simulator::driver {

// The first and the last byte can be read. True as well where the process may not ask (seccomp, ptrace rules).
bool host_readable(uint64_t address, size_t bytes);

// Every page of the bytes is mapped. The bytes do not wrap around the address space.
bool host_mapped(uint64_t address, size_t bytes);

}  // namespace simulator::driver
