#include "jit_options.h"

#include <algorithm>
#include <cstring>

#include "failure.h"

namespace simulator::driver {

JitOptions::JitOptions(unsigned count, const CUjit_option* options, void** values) {
  if (count == 0) return;
  require_pointer(options, "options");
  require_pointer(values, "optionValues");
  for (unsigned index = 0; index < count; ++index) {
    const auto size = static_cast<size_t>(static_cast<unsigned>(reinterpret_cast<uintptr_t>(values[index])));
    switch (options[index]) {
      case CU_JIT_INFO_LOG_BUFFER:
        info_.buffer = static_cast<char*>(values[index]);
        break;
      case CU_JIT_INFO_LOG_BUFFER_SIZE_BYTES:
        info_.capacity = size, info_.length = &values[index];
        break;
      case CU_JIT_ERROR_LOG_BUFFER:
        error_.buffer = static_cast<char*>(values[index]);
        break;
      case CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES:
        error_.capacity = size, error_.length = &values[index];
        break;
      case CU_JIT_WALL_TIME:
        wall_time_ = &values[index];
        break;
      default:
        // The others steer ptxas, which is not here: accepted and without effect.
        if (options[index] < CU_JIT_MAX_REGISTERS || options[index] >= CU_JIT_NUM_OPTIONS)
          fail(CUDA_ERROR_INVALID_VALUE, "options[%u] = %d is no JIT option", index, static_cast<int>(options[index]));
    }
  }
  if ((info_.buffer && !info_.length) || (error_.buffer && !error_.length))
    fail(CUDA_ERROR_INVALID_VALUE, "a JIT log buffer needs its size option");
}

void JitOptions::write(const Log& log, const std::string& text) {
  if (!log.length) return;
  size_t written = 0;
  if (log.buffer && log.capacity > 0) {
    const size_t copied = std::min(text.size(), log.capacity - 1);
    std::memcpy(log.buffer, text.data(), copied);
    log.buffer[copied] = '\0';
    written = text.empty() ? 0 : copied + 1;
  }
  *log.length = reinterpret_cast<void*>(written);
}

void JitOptions::write_info_log(const std::string& text) { write(info_, text); }
void JitOptions::write_error_log(const std::string& text) { write(error_, text); }

void JitOptions::write_wall_time(float milliseconds) {
  if (wall_time_) std::memcpy(wall_time_, &milliseconds, sizeof milliseconds);
}

}  // namespace simulator::driver
