#include "occupancy.h"

#include <algorithm>

#include "failure.h"

namespace simulator::driver {
namespace {

constexpr int warp_size = 32;
constexpr int register_granularity = 256;  // registers of a warp are allocated in units of this
constexpr int warp_granularity = 4;        // warps are spread over four schedulers
constexpr size_t shared_granularity = 128;
constexpr int most_registers = 255;

template <class T>
T round_up(T value, T step) {
  return (value + step - 1) / step * step;
}

size_t shared_of_block(const DriverFunction& function, size_t dynamic_bytes) {
  const size_t own = function.info().static_shared_bytes + dynamic_bytes;
  return round_up(own + function.context->model().reserved_shared_per_block, shared_granularity);
}

}  // namespace

int allocated_registers(const DriverFunction& function) {
  return std::clamp(static_cast<int>(function.info().registers), 16, most_registers);
}

int resident_blocks(const DriverFunction& function, int block_size, size_t dynamic_bytes) {
  const DeviceModel& model = function.context->model();
  const int most_threads = static_cast<int>(function.info().max_threads_per_block);
  if (block_size < 1) fail(CUDA_ERROR_INVALID_VALUE, "a block size of %d", block_size);
  if (block_size > most_threads) return 0;
  if (function.info().static_shared_bytes + dynamic_bytes > model.shared_per_block_optin) return 0;

  const int warps = (block_size + warp_size - 1) / warp_size;
  const int by_threads = model.max_threads_per_multiprocessor / (warps * warp_size);
  const int registers_of_warp = round_up(allocated_registers(function) * warp_size, register_granularity);
  const int warps_by_registers =
      model.registers_per_multiprocessor / registers_of_warp / warp_granularity * warp_granularity;
  // A block of more warps than the estimated registers allow would be compiled to fewer registers: at least
  // one fits.
  const int by_registers = std::max(1, warps_by_registers / warps);
  const int by_shared = static_cast<int>(
      std::min<size_t>(model.shared_per_multiprocessor / shared_of_block(function, dynamic_bytes), 1024));
  return std::min({model.max_blocks_per_multiprocessor, by_threads, by_registers, by_shared});
}

size_t available_dynamic_shared(const DriverFunction& function, int blocks, int block_size) {
  const DeviceModel& model = function.context->model();
  if (blocks < 1) fail(CUDA_ERROR_INVALID_VALUE, "%d blocks", blocks);
  if (resident_blocks(function, block_size, 0) < blocks)
    fail(CUDA_ERROR_INVALID_VALUE, "%d blocks of %d threads do not fit on a multiprocessor", blocks, block_size);
  const size_t of_block =
      model.shared_per_multiprocessor / static_cast<size_t>(blocks) / shared_granularity * shared_granularity;
  const size_t taken = function.info().static_shared_bytes + model.reserved_shared_per_block;
  const size_t left = of_block > taken ? of_block - taken : 0;
  const size_t most = model.shared_per_block_optin -
                      std::min<size_t>(function.info().static_shared_bytes, model.shared_per_block_optin);
  return std::min(left, most);
}

}  // namespace simulator::driver
