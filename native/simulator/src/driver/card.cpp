#include "card.h"

#include <cctype>
#include <cstdlib>

#include "failure.h"

namespace simulator::driver {
namespace {

constexpr size_t kibibyte = 1024;

// "64M", "2G", "1073741824".
size_t parse_bytes(const char* text) {
  char* end = nullptr;
  const double value = std::strtod(text, &end);
  double scale = 1;
  switch (std::toupper(static_cast<unsigned char>(*end))) {
    case 'K':
      scale = 1024.0;
      break;
    case 'M':
      scale = 1024.0 * 1024;
      break;
    case 'G':
      scale = 1024.0 * 1024 * 1024;
      break;
    case 'T':
      scale = 1024.0 * 1024 * 1024 * 1024;
      break;
    case '\0':
      break;
    default:
      fail(CUDA_ERROR_INVALID_VALUE, "KERNELS_SIM_MEMORY=%s is no size such as 64M or 8G", text);
  }
  if (end == text || value <= 0)
    fail(CUDA_ERROR_INVALID_VALUE, "KERNELS_SIM_MEMORY=%s is no size such as 64M or 8G", text);
  return static_cast<size_t>(value * scale);
}

Card a100() {
  Card card;
  card.model.name = "Simulated A100 (CPU)";
  card.model.compute_major = 8, card.model.compute_minor = 0;
  card.model.multiprocessors = 108;
  card.model.shared_per_multiprocessor = 164 * kibibyte;
  card.model.shared_per_block_optin = 163 * kibibyte;
  card.clock_khz = 1410000;
  card.memory_clock_khz = 1593000;
  card.memory_bus_bits = 5120;
  card.l2_bytes = 40 << 20;
  card.persisting_l2_bytes = 30 << 20;
  card.copy_engines = 3;
  card.single_to_double_ratio = 2;
  return card;
}

Card rtx_a6000() {
  Card card;
  card.model.name = "Simulated RTX A6000 (CPU)";
  card.model.compute_major = 8, card.model.compute_minor = 6;
  card.model.multiprocessors = 84;
  card.model.max_threads_per_multiprocessor = 1536;
  card.model.max_blocks_per_multiprocessor = 16;
  card.model.shared_per_multiprocessor = 100 * kibibyte;
  card.model.shared_per_block_optin = 99 * kibibyte;
  card.clock_khz = 1800000;
  card.memory_clock_khz = 8001000;
  card.memory_bus_bits = 384;
  card.l2_bytes = 6 << 20;
  card.persisting_l2_bytes = 4325376;
  card.single_to_double_ratio = 32;
  return card;
}

Card l40s() {
  Card card;
  card.model.name = "Simulated L40S (CPU)";
  card.model.compute_major = 8, card.model.compute_minor = 9;
  card.model.multiprocessors = 142;
  card.model.max_threads_per_multiprocessor = 1536;
  card.model.max_blocks_per_multiprocessor = 24;
  card.model.shared_per_multiprocessor = 100 * kibibyte;
  card.model.shared_per_block_optin = 99 * kibibyte;
  card.clock_khz = 2520000;
  card.memory_clock_khz = 9001000;
  card.memory_bus_bits = 384;
  card.l2_bytes = 96 << 20;
  card.persisting_l2_bytes = 66 << 20;
  card.single_to_double_ratio = 64;
  return card;
}

Card h100() {
  Card card;
  card.model.name = "Simulated H100 (CPU)";
  card.model.compute_major = 9, card.model.compute_minor = 0;
  card.model.multiprocessors = 132;
  card.model.shared_per_multiprocessor = 228 * kibibyte;
  card.model.shared_per_block_optin = 227 * kibibyte;
  card.clock_khz = 1980000;
  card.memory_clock_khz = 2619000;
  card.memory_bus_bits = 5120;
  card.l2_bytes = 50 << 20;
  card.persisting_l2_bytes = 32768000;
  card.copy_engines = 3;
  card.single_to_double_ratio = 2;
  return card;
}

Card card_of_capability(const std::string& capability) {
  if (capability == "8.0") return a100();
  if (capability == "8.6") return rtx_a6000();
  if (capability == "8.9") return l40s();
  if (capability == "9.0") return h100();
  fail(CUDA_ERROR_INVALID_VALUE, "KERNELS_SIM_CC=%s is none of 8.0, 8.6, 8.9, 9.0", capability.c_str());
}

std::vector<Card> read_environment() {
  const char* capability = std::getenv("KERNELS_SIM_CC");
  const char* memory = std::getenv("KERNELS_SIM_MEMORY");
  const char* devices = std::getenv("KERNELS_SIM_DEVICES");
  Card card = card_of_capability(capability && *capability ? capability : "9.0");
  if (memory && *memory) card.model.memory_bytes = parse_bytes(memory);
  const long count = devices && *devices ? std::strtol(devices, nullptr, 10) : 1;
  if (count < 0 || count > 64) fail(CUDA_ERROR_INVALID_VALUE, "KERNELS_SIM_DEVICES=%s is not within 0 to 64", devices);
  std::vector<Card> all;
  for (long ordinal = 0; ordinal < count; ++ordinal) {
    card.model.ordinal = static_cast<int>(ordinal);
    all.push_back(card);
  }
  return all;
}

}  // namespace

const std::vector<Card>& cards() {
  static const std::vector<Card>* const all = new std::vector<Card>(read_environment());
  return *all;
}

const Card& card(CUdevice device) {
  if (device < 0 || static_cast<size_t>(device) >= cards().size())
    fail(CUDA_ERROR_INVALID_DEVICE, "device %d of %zu", device, cards().size());
  return cards()[static_cast<size_t>(device)];
}

}  // namespace simulator::driver
