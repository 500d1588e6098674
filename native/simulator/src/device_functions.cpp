#include "device_functions.h"

#include <cinttypes>
#include <cstdio>
#include <map>
#include <mutex>

#include "access.h"
#include "memory.h"
#include "report.h"

namespace simulator {

namespace {

std::mutex output;

template <class T>
T argument(const Warp& w, int lane, uint32_t offset) {
  T value;
  std::memcpy(&value, w.frame->param(lane) + offset, sizeof value);
  return value;
}

// Reads bytes at a generic address of a lane; false when there are none.
bool read(Warp& w, int lane, uint64_t address, void* to, size_t bytes) {
  const LaunchContext& launch = *w.block->launch;
  switch (space_of_address(launch, address)) {
    case Space::local: {
      uint64_t offset = address - launch.local_base;
      if (offset + bytes > w.local_stride) return false;
      std::memcpy(to, local_memory(w) + static_cast<size_t>(lane) * w.local_stride + offset, bytes);
      return true;
    }
    case Space::shared: {
      uint64_t offset = address - launch.shared_base;
      if (offset + bytes > w.block->shared_bytes) return false;
      std::memcpy(to, w.block->shared.get() + offset, bytes);
      return true;
    }
    default: {
      std::byte* from = device_memory().resolve(address, bytes, nullptr);
      if (!from) return false;
      std::memcpy(to, from, bytes);
      return true;
    }
  }
}

std::string read_text(Warp& w, int lane, uint64_t address) {
  std::string text;
  char c;
  while (text.size() < 4096 && read(w, lane, address + text.size(), &c, 1) && c) text += c;
  return text;
}

// The conversions of printf, each with its own argument from the buffer (8-byte slots for 8-byte values, else
// 4).
std::string printed(Warp& w, int lane, const std::string& pattern, uint64_t arguments, int* conversions) {
  std::string text;
  uint64_t offset = 0;
  auto fetch = [&](size_t bytes) {
    uint64_t value = 0;
    offset = (offset + bytes - 1) / bytes * bytes;
    read(w, lane, arguments + offset, &value, bytes);
    offset += bytes;
    return value;
  };
  for (size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i] != '%') {
      text += pattern[i];
      continue;
    }
    if (i + 1 < pattern.size() && pattern[i + 1] == '%') {
      text += '%';
      ++i;
      continue;
    }
    std::string spec = "%";
    size_t k = i + 1;
    int longs = 0;
    for (; k < pattern.size(); ++k) {
      char c = pattern[k];
      if (c == '*') {
        spec += std::to_string(static_cast<int32_t>(fetch(4)));
      } else if (c == 'l') {
        ++longs;
      } else if (c == 'h' || c == 'L') {
      } else if (c == 'z' || c == 'j' || c == 't') {
        longs = 2;
      } else if (std::strchr("-+ #.0123456789", c)) {
        spec += c;
      } else {
        break;
      }
    }
    if (k == pattern.size()) {
      text += pattern.substr(i);
      break;
    }
    char c = pattern[k];
    ++*conversions;
    char buffer[512];
    buffer[0] = 0;
    switch (c) {
      case 'd':
      case 'i': {
        int64_t value = longs ? static_cast<int64_t>(fetch(8)) : static_cast<int32_t>(fetch(4));
        spec += PRId64;
        std::snprintf(buffer, sizeof buffer, spec.c_str(), value);
        break;
      }
      case 'u':
      case 'x':
      case 'X':
      case 'o': {
        uint64_t value = longs ? fetch(8) : fetch(4);
        spec += c == 'u' ? PRIu64 : c == 'x' ? PRIx64 : c == 'X' ? PRIX64 : PRIo64;
        std::snprintf(buffer, sizeof buffer, spec.c_str(), value);
        break;
      }
      case 'c': {
        spec += 'c';
        std::snprintf(buffer, sizeof buffer, spec.c_str(), static_cast<int>(fetch(4)));
        break;
      }
      case 'f':
      case 'F':
      case 'e':
      case 'E':
      case 'g':
      case 'G':
      case 'a':
      case 'A': {
        uint64_t bits = fetch(8);
        double value;
        std::memcpy(&value, &bits, 8);
        spec += c;
        std::snprintf(buffer, sizeof buffer, spec.c_str(), value);
        break;
      }
      case 'p': {
        std::snprintf(buffer, sizeof buffer, "0x%" PRIx64, fetch(8));
        break;
      }
      case 's': {
        uint64_t address = fetch(8);
        spec += 's';
        std::snprintf(buffer, sizeof buffer, spec.c_str(), address ? read_text(w, lane, address).c_str() : "(null)");
        break;
      }
      default:
        text += pattern.substr(i, k - i + 1);
        break;
    }
    text += buffer;
    i = k;
  }
  return text;
}

void vprintf_body(Warp& w, const Op*, uint32_t exec, const uint32_t* arguments, uint32_t result) {
  for_lanes(exec, [&](int lane) {
    uint64_t pattern = argument<uint64_t>(w, lane, arguments[0]), values = argument<uint64_t>(w, lane, arguments[1]);
    int conversions = 0;
    std::string text = printed(w, lane, read_text(w, lane, pattern), values, &conversions);
    {
      std::lock_guard lock(output);
      std::fwrite(text.data(), 1, text.size(), stdout);
      std::fflush(stdout);
    }
    std::memcpy(w.frame->param(lane) + result, &conversions, sizeof conversions);
  });
}

// __assertfail(message, file, line, function, character size)
void assertfail_body(Warp& w, const Op* op, uint32_t exec, const uint32_t* arguments, uint32_t) {
  int lane = __builtin_ctz(exec);
  std::string message = read_text(w, lane, argument<uint64_t>(w, lane, arguments[0]));
  std::string file = read_text(w, lane, argument<uint64_t>(w, lane, arguments[1]));
  uint32_t line = argument<uint32_t>(w, lane, arguments[2]);
  std::string function = read_text(w, lane, argument<uint64_t>(w, lane, arguments[3]));
  fault(op, lane, Fault::assert_failed,
        format("%s:%u: %s: assertion `%s' failed", file.c_str(), line, function.c_str(), message.c_str()));
}

// What kernels allocate; it lives until a kernel frees it, also after the launch.
struct Heap {
  static constexpr uint64_t limit = uint64_t{8} << 20;  // bytes of a device: CU_LIMIT_MALLOC_HEAP_SIZE by default
  struct Piece {
    const DeviceModel* device;
    uint64_t bytes;
  };
  std::mutex mutex;
  std::map<uint64_t, Piece> pieces;  // by address
  std::map<const DeviceModel*, uint64_t> used;
};

Heap& heap() {
  static Heap instance;
  return instance;
}

void malloc_body(Warp& w, const Op*, uint32_t exec, const uint32_t* arguments, uint32_t result) {
  const DeviceModel* device = w.block->launch->device;
  Heap& h = heap();
  for_lanes(exec, [&](int lane) {
    uint64_t bytes = argument<uint64_t>(w, lane, arguments[0]), address = 0;
    {
      std::lock_guard lock(h.mutex);
      uint64_t& used = h.used[device];
      if (bytes > 0 && bytes <= Heap::limit - used) {
        address = device_memory().allocate(*device, bytes, AllocationKind::device);
        if (address) {
          h.pieces[address] = {device, bytes};
          used += bytes;
        }
      }
    }
    std::memcpy(w.frame->param(lane) + result, &address, sizeof address);
  });
}

void free_body(Warp& w, const Op* op, uint32_t exec, const uint32_t* arguments, uint32_t) {
  Heap& h = heap();
  for_lanes(exec, [&](int lane) {
    uint64_t address = argument<uint64_t>(w, lane, arguments[0]);
    if (!address) return;
    std::lock_guard lock(h.mutex);
    auto piece = h.pieces.find(address);
    if (piece == h.pieces.end())
      fault(op, lane, Fault::illegal_address,
            format("free of 0x%llx, which malloc did not give or which is free already",
                   static_cast<unsigned long long>(address)));
    h.used[piece->second.device] -= piece->second.bytes;
    h.pieces.erase(piece);
    device_memory().free(address);
  });
}

}  // namespace

const DeviceFunction device_functions[] = {
    {"vprintf", vprintf_body}, {"__assertfail", assertfail_body}, {"malloc", malloc_body}, {"free", free_body}};

int find_device_function(const std::string& name) {
  int index = 0;
  for (const DeviceFunction& f : device_functions) {
    if (name == f.name) return index;
    ++index;
  }
  return -1;
}

}  // namespace simulator
