#include "address_space.h"

#include <sys/mman.h>

#include "memory.h"

namespace simulator {
namespace {

constexpr uint64_t preferred_region = uint64_t{0x0a00} << 32;  // the same addresses in every run where possible
constexpr uint64_t smallest_region = uint64_t{8} << 30;        // half of it for the windows in front of the heap

class Mapping {
 public:
  Mapping(uint64_t hint, uint64_t bytes, int protection) : bytes_(bytes) {
    void* const at =
        mmap(reinterpret_cast<void*>(hint), bytes, protection, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (at != MAP_FAILED) at_ = at;
  }
  ~Mapping() {
    if (at_) munmap(at_, bytes_);
  }
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;

  explicit operator bool() const { return at_ != nullptr; }
  void* keep() {
    void* const kept = at_;
    at_ = nullptr;
    return kept;
  }

 private:
  void* at_ = nullptr;
  uint64_t bytes_;
};

AddressSpace reserve() {
  for (uint64_t bytes = address_map::region_bytes; bytes >= smallest_region; bytes /= 2) {
    const uint64_t heap = bytes - address_map::heap;
    Mapping addresses(preferred_region, bytes, PROT_NONE);
    Mapping memory(0, heap, PROT_READ | PROT_WRITE);
    // A process of limited address space needs the rest for itself.
    const Mapping spare(0, heap / 2, PROT_NONE);
    if (!addresses || !memory || !spare) continue;
    AddressSpace space;
    void* const heap_bytes = memory.keep();
    madvise(heap_bytes, heap, MADV_DONTDUMP);
    space.region = reinterpret_cast<uint64_t>(addresses.keep());
    space.region_bytes = bytes;
    space.delta = reinterpret_cast<uint64_t>(heap_bytes) - (space.region + address_map::heap);
    return space;
  }
  return {};
}

}  // namespace

const AddressSpace& address_space() {
  static const AddressSpace space = reserve();
  return space;
}

}  // namespace simulator
