#include "copy.h"

#include <cstring>

#include "../address_space.h"
#include "allocation.h"
#include "capture.h"
#include "failure.h"
#include "host_memory.h"

namespace simulator::driver {
namespace {

CopySide side_of_type(CUmemorytype type, const void* host, CUdeviceptr device, const char* name) {
  switch (type) {
    case CU_MEMORYTYPE_HOST:
      return host_side(host);
    case CU_MEMORYTYPE_DEVICE:
      return device_side(device);
    case CU_MEMORYTYPE_UNIFIED:
      return unified_side(device);
    case CU_MEMORYTYPE_ARRAY:
      fail(CUDA_ERROR_NOT_SUPPORTED, "%s: CUDA arrays are not simulated", name);
  }
  fail(CUDA_ERROR_INVALID_VALUE, "%s = %d is no memory type", name, static_cast<int>(type));
}

void place(CopySide& side, size_t x, size_t y, size_t z, size_t pitch, size_t height, const CopyOperation& copy) {
  side.pitch = pitch;
  side.height = height;
  size_t rows = 0, bytes = 0;
  const bool wraps = (pitch == 0 && __builtin_add_overflow(x, copy.width, &side.pitch)) ||
                     (height == 0 && __builtin_add_overflow(y, copy.rows, &side.height)) ||
                     __builtin_mul_overflow(z, side.height, &rows) || __builtin_add_overflow(rows, y, &rows) ||
                     __builtin_mul_overflow(rows, side.pitch, &bytes) || __builtin_add_overflow(bytes, x, &bytes) ||
                     __builtin_add_overflow(side.address, bytes, &side.address);
  if (wraps)
    fail(CUDA_ERROR_INVALID_VALUE, "x = %zu bytes, y = %zu, z = %zu at a pitch of %zu bytes exceed the address space",
         x, y, z, side.pitch);
}

void stage(CopyOperation& copy) {
  copy.staged.resize(copy.width * copy.rows * copy.slices);
  const std::byte* from = reinterpret_cast<const std::byte*>(copy.from.address);
  std::byte* to = copy.staged.data();
  for (size_t slice = 0; slice < copy.slices; ++slice)
    for (size_t row = 0; row < copy.rows; ++row, to += copy.width)
      std::memcpy(to, from + (slice * copy.from.height + row) * copy.from.pitch, copy.width);
}

bool empty(const CopyOperation& copy) { return copy.width == 0 || copy.rows == 0 || copy.slices == 0; }

}  // namespace

CopySide device_side(CUdeviceptr address) {
  CopySide side;
  side.address = address;
  return side;
}

CopySide host_side(const void* pointer) {
  CopySide side;
  side.address = reinterpret_cast<uint64_t>(pointer);
  // Host memory that the driver knows is checked to the byte as well.
  if (Allocation known; memory().find(side.address, &known)) {
    if (known.host != reinterpret_cast<std::byte*>(known.address))
      fail(CUDA_ERROR_INVALID_VALUE, "%p is device memory where a host pointer is expected", pointer);
    return side;
  }
  if (address_space().contains(side.address))
    fail(CUDA_ERROR_INVALID_VALUE, "%p is a device address, of no live allocation, where a host pointer is expected",
         pointer);
  side.host = true;
  return side;
}

CopySide unified_side(CUdeviceptr address) {
  CopySide side;
  side.address = address;
  side.host = !memory().find(address, nullptr) && !address_space().contains(address) && host_readable(address, 1);
  return side;
}

CopyOperation linear_copy(CopySide to, CopySide from, size_t bytes) {
  CopyOperation copy;
  to.pitch = from.pitch = bytes;
  to.height = from.height = 1;
  copy.to = to;
  copy.from = from;
  copy.width = bytes;
  return copy;
}

CopyOperation strided_copy(const CUDA_MEMCPY2D& given) {
  CopyOperation copy;
  copy.width = given.WidthInBytes;
  copy.rows = given.Height;
  copy.to = side_of_type(given.dstMemoryType, given.dstHost, given.dstDevice, "dstMemoryType");
  copy.from = side_of_type(given.srcMemoryType, given.srcHost, given.srcDevice, "srcMemoryType");
  place(copy.to, given.dstXInBytes, given.dstY, 0, given.dstPitch, 0, copy);
  place(copy.from, given.srcXInBytes, given.srcY, 0, given.srcPitch, 0, copy);
  return copy;
}

CopyOperation strided_copy(const CUDA_MEMCPY3D& given) {
  CopyOperation copy;
  copy.width = given.WidthInBytes;
  copy.rows = given.Height;
  copy.slices = given.Depth;
  copy.to = side_of_type(given.dstMemoryType, given.dstHost, given.dstDevice, "dstMemoryType");
  copy.from = side_of_type(given.srcMemoryType, given.srcHost, given.srcDevice, "srcMemoryType");
  place(copy.to, given.dstXInBytes, given.dstY, given.dstZ, given.dstPitch, given.dstHeight, copy);
  place(copy.from, given.srcXInBytes, given.srcY, given.srcZ, given.srcPitch, given.srcHeight, copy);
  return copy;
}

CUresult copy_now(const char* call, CopyOperation copy) {
  const ContextPointer context = current_context();
  const StreamPointer stream = context->legacy_stream();
  refuse_capture(stream, call);
  refuse_unsafe_call(call);
  validate(copy);
  if (empty(copy)) return CUDA_SUCCESS;
  stream->submit(std::move(copy)).wait();
  context->check();
  return CUDA_SUCCESS;
}

CUresult copy_in_stream(CopyOperation copy, CUstream handle) {
  const StreamPointer stream = stream_of(handle);
  validate(copy);
  if (empty(copy)) return CUDA_SUCCESS;
  const bool capturing = capture_status(*stream) != CU_STREAM_CAPTURE_STATUS_NONE;
  if (asynchronous() && !capturing && copy.from.host) stage(copy);
  const bool pageable_destination = copy.to.host;
  const Point done = enqueue(stream, std::move(copy));
  if (pageable_destination) {
    done.wait();
    if (!capturing) stream->context->check();
  }
  return CUDA_SUCCESS;
}

}  // namespace simulator::driver
