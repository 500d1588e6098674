#include "memory.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <mutex>

#include "address_space.h"
#include "report.h"

namespace simulator {

namespace {

constexpr uint64_t granularity = 512;  // of device addresses; a gap of at least as much follows each
constexpr uint64_t page = 4096;

uint64_t round_up(uint64_t value, uint64_t to) { return (value + to - 1) / to * to; }

void* map_host(uint64_t bytes) {
  void* p = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  return p == MAP_FAILED ? nullptr : p;
}

// Fills fresh memory with ones. Large ranges are mapped copy-on-write to a file of ones, again and again, so
// that only what is written takes memory.
void fill_with_ones(std::byte* at, size_t bytes) {
  constexpr size_t large = size_t{32} << 20, piece = size_t{4} << 20;
  static const int file = [] {
    int fd = memfd_create("simulator-ones", MFD_CLOEXEC);
    if (fd < 0) return -1;
    std::vector<unsigned char> ones(piece, 0xFF);
    if (write(fd, ones.data(), piece) == static_cast<ssize_t>(piece)) return fd;
    close(fd);
    return -1;
  }();
  if (bytes < large) return void(std::memset(at, 0xFF, bytes));
  while (file >= 0 && bytes >= piece) {
    void* mapped = mmap(at, piece, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_FIXED | MAP_NORESERVE, file, 0);
    if (mapped == MAP_FAILED) break;
    at += piece;
    bytes -= piece;
  }
  std::memset(at, 0xFF, bytes);
}

// Gives the pages back to the system; the addresses stay ours.
void discard(std::byte* at, size_t bytes) {
  mmap(at, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_FIXED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
}

const char* kind_name(AllocationKind kind) {
  switch (kind) {
    case AllocationKind::device:
      return "device";
    case AllocationKind::pinned_host:
      return "pinned host";
    case AllocationKind::managed:
      return "managed";
    case AllocationKind::module_global:
      return "module";
  }
  return "";
}

}  // namespace

DeviceMemory::DeviceMemory()
    : region_(address_space().region), delta_(address_space().delta), next_(region_ + address_map::heap) {}

std::byte* DeviceMemory::reserve(size_t bytes, uint64_t* address) {
  // Page-aligned from a page on, so that freed pages can be given back to the system.
  const uint64_t alignment = bytes >= page ? page : granularity;
  const uint64_t region_end = region_ + address_space().region_bytes;
  uint64_t begin = 0, end = 0;
  const auto place_at = [&](uint64_t at) {
    begin = at;
    end = begin + round_up(bytes, alignment) + alignment;
    return end <= region_end;
  };
  // The first gap between live allocations from an address on; what was freed there is forgotten.
  const auto place_from = [&](uint64_t from) {
    bool fits = place_at(round_up(from, alignment));
    for (auto it = entries_.lower_bound(begin); fits && it != entries_.end() && it->first < end;) {
      if (it->second.freed) {
        it = entries_.erase(it);
      } else {
        fits = place_at(round_up(it->first + it->second.allocation.bytes + granularity, page));
        ++it;
      }
    }
    return fits;
  };
  // Once the addresses are used up it starts again at the front.
  if (!place_from(next_) && !place_from(region_ + address_map::heap)) return nullptr;
  next_ = end;
  *address = begin;
  return reinterpret_cast<std::byte*>(begin + delta_);
}

uint64_t DeviceMemory::allocate(const DeviceModel& device, size_t bytes, AllocationKind kind) {
  if (bytes == 0) return 0;
  std::unique_lock lock(mutex_);
  size_t index = static_cast<size_t>(device.ordinal);
  if (used_.size() <= index) used_.resize(index + 1), live_.resize(index + 1);
  Entry entry;
  entry.allocation.bytes = bytes;
  entry.allocation.kind = kind;
  entry.allocation.device = device.ordinal;
  bool on_device = kind == AllocationKind::device || kind == AllocationKind::module_global;
  if (kind != AllocationKind::pinned_host) {
    if (bytes > device.memory_bytes || used_[index] > device.memory_bytes - bytes) return 0;
  }
  if (on_device) {
    entry.allocation.host = reserve(bytes, &entry.allocation.address);
    if (!entry.allocation.host) return 0;
  } else {
    void* host = map_host(round_up(bytes, page));
    if (!host) return 0;
    entry.allocation.host = static_cast<std::byte*>(host);
    entry.allocation.address = reinterpret_cast<uint64_t>(host);
    entries_.erase(entry.allocation.address);
  }
  if (on_device) fill_with_ones(entry.allocation.host, bytes);
  entry.allocation.id = next_id_++;
  if (kind != AllocationKind::pinned_host) used_[index] += bytes, ++live_[index];
  uint64_t address = entry.allocation.address;
  entries_[address] = std::move(entry);
  return address;
}

uint64_t DeviceMemory::allocate_variable(const DeviceModel& device, size_t bytes, std::string name, bool constant) {
  uint64_t address = allocate(device, bytes, AllocationKind::module_global);
  if (!address) return 0;
  std::unique_lock lock(mutex_);
  Entry& entry = entries_[address];
  entry.name = std::move(name);
  entry.constant = constant;
  return address;
}

FreeOutcome DeviceMemory::free(uint64_t address) {
  std::unique_lock lock(mutex_);
  auto it = entries_.find(address);
  if (it == entries_.end()) return containing(address) ? FreeOutcome::interior_pointer : FreeOutcome::not_an_allocation;
  Entry& entry = it->second;
  if (entry.registered) return FreeOutcome::not_an_allocation;
  if (entry.freed) return FreeOutcome::already_freed;
  size_t index = static_cast<size_t>(entry.allocation.device);
  if (entry.allocation.kind != AllocationKind::pinned_host) used_[index] -= entry.allocation.bytes, --live_[index];
  bool on_device =
      entry.allocation.kind == AllocationKind::device || entry.allocation.kind == AllocationKind::module_global;
  if (on_device) {
    if (entry.allocation.bytes >= page) discard(entry.allocation.host, round_up(entry.allocation.bytes, page));
    entry.freed = true;
  } else {
    munmap(entry.allocation.host, round_up(entry.allocation.bytes, page));
    entries_.erase(it);
  }
  return FreeOutcome::freed;
}

bool DeviceMemory::register_host(void* host, size_t bytes) {
  std::unique_lock lock(mutex_);
  uint64_t address = reinterpret_cast<uint64_t>(host);
  if (bytes == 0 || containing(address)) return false;
  const auto inside = entries_.lower_bound(address);
  if (inside != entries_.end() && inside->first - address < bytes) return false;
  Entry entry;
  entry.allocation = {address, bytes, next_id_++, AllocationKind::pinned_host, static_cast<std::byte*>(host), 0};
  entry.registered = true;
  entries_[address] = entry;
  return true;
}

bool DeviceMemory::unregister_host(void* host) {
  std::unique_lock lock(mutex_);
  auto it = entries_.find(reinterpret_cast<uint64_t>(host));
  if (it == entries_.end() || !it->second.registered) return false;
  entries_.erase(it);
  return true;
}

const DeviceMemory::Entry* DeviceMemory::containing(uint64_t address) const {
  auto it = entries_.upper_bound(address);
  if (it == entries_.begin()) return nullptr;
  --it;
  const Entry& entry = it->second;
  if (entry.freed || address - it->first >= entry.allocation.bytes) return nullptr;
  return &entry;
}

bool DeviceMemory::find(uint64_t address, Allocation* out) const {
  std::shared_lock lock(mutex_);
  const Entry* entry = containing(address);
  if (entry && out) *out = entry->allocation;
  return entry != nullptr;
}

bool DeviceMemory::find_range(uint64_t address, Range* out) const {
  std::shared_lock lock(mutex_);
  const Entry* entry = containing(address);
  if (!entry) return false;
  out->begin = entry->allocation.address;
  out->end = entry->allocation.address + entry->allocation.bytes;
  out->delta = reinterpret_cast<uint64_t>(entry->allocation.host) - entry->allocation.address;
  out->writable = !entry->constant;
  return true;
}

std::byte* DeviceMemory::resolve(uint64_t address, size_t bytes, std::string* why) {
  {
    std::shared_lock lock(mutex_);
    const Entry* entry = containing(address);
    if (entry && entry->allocation.address + entry->allocation.bytes - address >= bytes)
      return entry->allocation.host + (address - entry->allocation.address);
  }
  if (why) *why = describe(address, bytes);
  return nullptr;
}

std::string DeviceMemory::describe(uint64_t address, size_t bytes) const {
  std::shared_lock lock(mutex_);
  auto name = [](const Entry& entry) {
    const Allocation& a = entry.allocation;
    std::string text = format("%zu-byte ", a.bytes);
    if (!entry.name.empty()) return text + (entry.constant ? "constant " : "variable ") + entry.name;
    text += entry.registered ? "registered host range" : std::string(kind_name(a.kind)) + " allocation";
    return text + format(" #%llu", static_cast<unsigned long long>(a.id));
  };
  auto ull = [](uint64_t v) { return static_cast<unsigned long long>(v); };
  std::string text = format("0x%llx ", ull(address));
  if (address < page) return text + "is a null pointer";
  auto after = entries_.upper_bound(address);
  const Entry* before = nullptr;
  if (after != entries_.begin()) before = &std::prev(after)->second;
  if (before) {
    const Allocation& a = before->allocation;
    uint64_t offset = address - a.address;
    std::string at = format(" at 0x%llx", ull(a.address));
    if (offset < a.bytes) {
      if (before->freed)
        return text + format("is %llu bytes inside a ", ull(offset)) + name(*before) + at + " that was freed";
      if (a.bytes - offset < bytes)
        return text + format("is %llu bytes inside, and its %zu bytes run past the end of, a ", ull(offset), bytes) +
               name(*before) + at;
      return text + format("is %llu bytes inside a ", ull(offset)) + name(*before) + at;
    }
  }
  const Entry* next = after == entries_.end() ? nullptr : &after->second;
  uint64_t past = before ? address - (before->allocation.address + before->allocation.bytes) : UINT64_MAX;
  uint64_t ahead = next ? next->allocation.address - address : UINT64_MAX;
  constexpr uint64_t near = uint64_t{1} << 32;
  if (past <= ahead && past < near) {
    return text + format("is %llu bytes past the end of a ", ull(past)) + name(*before) +
           format(" at 0x%llx", ull(before->allocation.address)) + (before->freed ? " that was freed" : "");
  }
  if (ahead < near) {
    return text + format("is %llu bytes before a ", ull(ahead)) + name(*next) +
           format(" at 0x%llx", ull(next->allocation.address)) + (next->freed ? " that was freed" : "");
  }
  bool ours = address_space().contains(address);
  return text + (ours ? "is far from every allocation" : "is no device address (a host pointer or a wild one)");
}

size_t DeviceMemory::used(int device) const {
  std::shared_lock lock(mutex_);
  return static_cast<size_t>(device) < used_.size() ? used_[static_cast<size_t>(device)] : 0;
}

size_t DeviceMemory::live_allocations(int device) const {
  std::shared_lock lock(mutex_);
  return static_cast<size_t>(device) < live_.size() ? live_[static_cast<size_t>(device)] : 0;
}

DeviceMemory& device_memory() {
  static DeviceMemory* instance = new DeviceMemory;  // never destroyed: frees may come from other statics' destructors
  return *instance;
}

Memory& memory() { return device_memory(); }

}  // namespace simulator
