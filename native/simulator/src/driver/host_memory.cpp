#include "host_memory.h"

#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace simulator::driver {

bool host_readable(uint64_t address, size_t bytes) {
  if (bytes == 0) return true;
  char ends[2];
  const iovec here{ends, sizeof ends};
  const iovec there[] = {{reinterpret_cast<void*>(address), 1}, {reinterpret_cast<void*>(address + bytes - 1), 1}};
  const ssize_t read = process_vm_readv(getpid(), &here, 1, there, 2, 0);
  return read == 2 || (read < 0 && (errno == EPERM || errno == ENOSYS));
}

bool host_mapped(uint64_t address, size_t bytes) {
  const uint64_t page = static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
  std::array<unsigned char, 4096> resident;
  const uint64_t piece = resident.size() * page;
  const uint64_t end = address + bytes;
  for (uint64_t at = address / page * page; at < end;) {
    const uint64_t part = std::min(piece, end - at);
    if (mincore(reinterpret_cast<void*>(at), part, resident.data()) != 0) return false;
    at += part;
  }
  return true;
}

}  // namespace simulator::driver
