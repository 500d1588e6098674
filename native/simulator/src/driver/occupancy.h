// How many blocks of a function fit on a multiprocessor at once: CUDA's usual limits.
#pragma once

#include "module.h"

namespace simulator::driver {

// 0 where a block does not fit at all. Throws INVALID_VALUE for a block size that is not within 1 to the
// function's limit.
int resident_blocks(const DriverFunction& function, int block_size, size_t dynamic_shared_bytes);

// Dynamic shared memory each of `blocks` resident blocks may have.
size_t available_dynamic_shared(const DriverFunction& function, int blocks, int block_size);

// Registers of a thread as the hardware would allocate them.
int allocated_registers(const DriverFunction& function);

}  // namespace simulator::driver
