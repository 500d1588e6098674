// The cards that can be simulated, with the figures of real ones.
#pragma once

#include "../engine.h"
#include "cuda_abi.h"

namespace simulator::driver {

// What cuDeviceGetAttribute knows of a card beyond what execution needs.
struct Card {
  DeviceModel model;
  int clock_khz = 0;
  int memory_clock_khz = 0;
  int memory_bus_bits = 0;
  int l2_bytes = 0;
  int persisting_l2_bytes = 0;
  int copy_engines = 2;
  int single_to_double_ratio = 2;
};

// The cards of this process, as KERNELS_SIM_DEVICES, KERNELS_SIM_CC and KERNELS_SIM_MEMORY ask. Read once, at
// cuInit.
const std::vector<Card>& cards();

// Throws CUDA_ERROR_INVALID_DEVICE.
const Card& card(CUdevice device);

// Throws CUDA_ERROR_INVALID_VALUE for an attribute that does not exist.
int device_attribute(const Card& card, CUdevice_attribute attribute);

}  // namespace simulator::driver
