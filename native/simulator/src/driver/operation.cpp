#include "operation.h"

#include <cstring>

#include "allocation.h"
#include "api.h"
#include "context.h"
#include "failure.h"
#include "host_memory.h"
#include "module.h"

namespace simulator::driver {
namespace {

CUresult code_of(Fault fault) {
  switch (fault) {
    case Fault::none:
      return CUDA_SUCCESS;
    case Fault::illegal_address:
      return CUDA_ERROR_ILLEGAL_ADDRESS;
    case Fault::misaligned_address:
      return CUDA_ERROR_MISALIGNED_ADDRESS;
    case Fault::invalid_address_space:
      return CUDA_ERROR_INVALID_ADDRESS_SPACE;
    case Fault::illegal_instruction:
      return CUDA_ERROR_ILLEGAL_INSTRUCTION;
    case Fault::launch_timeout:
      return CUDA_ERROR_LAUNCH_TIMEOUT;
    case Fault::launch_failed:
      return CUDA_ERROR_LAUNCH_FAILED;
    case Fault::assert_failed:
      return CUDA_ERROR_ASSERT;
    case Fault::trap:
      return CUDA_ERROR_LAUNCH_FAILED;
  }
  return CUDA_ERROR_UNKNOWN;
}

// a * b + c; throws where it exceeds an address, lest a bounds check sees a small number.
size_t multiply_add(size_t a, size_t b, size_t c) {
  size_t product = 0, sum = 0;
  if (__builtin_mul_overflow(a, b, &product) || __builtin_add_overflow(product, c, &sum))
    fail(CUDA_ERROR_INVALID_VALUE, "%zu x %zu + %zu bytes exceed the address space", a, b, c);
  return sum;
}

// The bytes from the first of a side to the last.
size_t extent(const CopySide& side, const CopyOperation& copy) {
  if (copy.width == 0 || copy.rows == 0 || copy.slices == 0) return 0;
  const size_t slice = copy.slices > 1 ? multiply_add(side.pitch, side.height, 0) : 0;
  return multiply_add(copy.slices - 1, slice, multiply_add(copy.rows - 1, side.pitch, copy.width));
}

std::byte* bytes_of(const CopySide& side, size_t bytes, std::string* why) {
  if (side.host) return reinterpret_cast<std::byte*>(side.address);
  return memory().resolve(side.address, bytes, why);
}

void copy_rows(std::byte* to, const CopySide& to_side, const std::byte* from, const CopySide& from_side,
               const CopyOperation& copy) {
  for (size_t slice = 0; slice < copy.slices; ++slice)
    for (size_t row = 0; row < copy.rows; ++row)
      std::memmove(to + (slice * to_side.height + row) * to_side.pitch,
                   from + (slice * from_side.height + row) * from_side.pitch, copy.width);
}

size_t extent(const MemsetOperation& memset) {
  if (memset.width == 0 || memset.rows == 0) return 0;
  return multiply_add(memset.rows - 1, memset.pitch, multiply_add(memset.width, memset.element_bytes, 0));
}

// Memory that was there when the copy was submitted and is gone when its turn comes.
CUresult report_vanished(const char* what, const std::string& why) {
  std::fprintf(stderr, "simulator: %s: %s\n", what, why.c_str());
  return CUDA_ERROR_ILLEGAL_ADDRESS;
}

CUresult perform_kernel(Context& context, const KernelOperation& kernel, uint64_t stream_id) {
  Launch launch = kernel.launch;
  launch.stream_id = stream_id;
  std::string report;
  return code_of(execute(context.model(), launch, &report));
}

CUresult perform_copy(const CopyOperation& copy) {
  if (extent(copy.to, copy) == 0) return CUDA_SUCCESS;
  std::string why;
  std::byte* to = bytes_of(copy.to, extent(copy.to, copy), &why);
  if (!to) return report_vanished("copy destination", why);
  if (!copy.staged.empty()) {
    CopySide packed{true, 0, copy.width, copy.rows};
    copy_rows(to, copy.to, copy.staged.data(), packed, copy);
    return CUDA_SUCCESS;
  }
  const std::byte* from = bytes_of(copy.from, extent(copy.from, copy), &why);
  if (!from) return report_vanished("copy source", why);
  copy_rows(to, copy.to, from, copy.from, copy);
  return CUDA_SUCCESS;
}

template <class T>
void fill(std::byte* at, T value, size_t count) {
  for (size_t index = 0; index < count; ++index) std::memcpy(at + index * sizeof(T), &value, sizeof(T));
}

CUresult perform_memset(const MemsetOperation& memset) {
  if (extent(memset) == 0) return CUDA_SUCCESS;
  std::string why;
  std::byte* bytes = memory().resolve(memset.address, extent(memset), &why);
  if (!bytes) return report_vanished("memset destination", why);
  for (size_t row = 0; row < memset.rows; ++row) {
    std::byte* at = bytes + row * memset.pitch;
    switch (memset.element_bytes) {
      case 1:
        std::memset(at, static_cast<int>(memset.value & 0xff), memset.width);
        break;
      case 2:
        fill(at, static_cast<uint16_t>(memset.value), memset.width);
        break;
      default:
        fill(at, memset.value, memset.width);
        break;
    }
  }
  return CUDA_SUCCESS;
}

}  // namespace

CUresult perform(Context& context, const Operation& operation, uint64_t stream_id) {
  if (const auto* kernel = std::get_if<KernelOperation>(&operation)) return perform_kernel(context, *kernel, stream_id);
  if (const auto* copy = std::get_if<CopyOperation>(&operation)) return perform_copy(*copy);
  if (const auto* memset = std::get_if<MemsetOperation>(&operation)) return perform_memset(*memset);
  if (const auto* host = std::get_if<HostOperation>(&operation)) {
    HostFunctionScope scope;
    host->function(host->argument);
    return CUDA_SUCCESS;
  }
  if (const auto* free = std::get_if<FreeOperation>(&operation)) free_pooled(free->address);
  return CUDA_SUCCESS;
}

void validate(const CopyOperation& copy) {
  const auto check = [&](const CopySide& side, const char* name) {
    const size_t bytes = extent(side, copy);
    if (bytes == 0) return;
    if ((copy.rows > 1 || copy.slices > 1) && side.pitch < copy.width)
      fail(CUDA_ERROR_INVALID_VALUE, "the %s pitch of %zu is less than the width of %zu bytes", name, side.pitch,
           copy.width);
    if (copy.slices > 1 && side.height < copy.rows)
      fail(CUDA_ERROR_INVALID_VALUE, "the %s height of %zu is less than the %zu rows", name, side.height, copy.rows);
    if (side.address == 0) fail(CUDA_ERROR_INVALID_VALUE, "the %s is null", name);
    multiply_add(side.address, 1, bytes);  // the last byte has an address too
    if (side.host && !host_readable(side.address, bytes))
      fail(CUDA_ERROR_INVALID_VALUE, "the %s of %zu bytes at 0x%llx is not mapped memory of this process", name, bytes,
           static_cast<unsigned long long>(side.address));
    std::string why;
    if (!side.host && !memory().resolve(side.address, bytes, &why))
      fail(CUDA_ERROR_INVALID_VALUE, "the %s of %zu bytes: %s", name, bytes, why.c_str());
  };
  check(copy.to, "destination");
  check(copy.from, "source");
}

void validate(const MemsetOperation& memset) {
  const size_t bytes = extent(memset);
  if (memset.address % memset.element_bytes != 0)
    fail(CUDA_ERROR_INVALID_VALUE, "the destination 0x%llx is not aligned to %u bytes",
         static_cast<unsigned long long>(memset.address), memset.element_bytes);
  if (memset.rows > 1 &&
      (memset.pitch < memset.width * memset.element_bytes || memset.pitch % memset.element_bytes != 0))
    fail(CUDA_ERROR_INVALID_VALUE, "a pitch of %zu bytes does not hold rows of %zu elements of %u bytes", memset.pitch,
         memset.width, memset.element_bytes);
  std::string why;
  if (bytes > 0 && !memory().resolve(memset.address, bytes, &why))
    fail(CUDA_ERROR_INVALID_VALUE, "the destination of %zu bytes: %s", bytes, why.c_str());
}

}  // namespace simulator::driver
