// cuMemset*.
#include "api.h"
#include "capture.h"

using namespace simulator::driver;

namespace {

MemsetOperation linear(CUdeviceptr address, uint32_t value, unsigned element_bytes, size_t count) {
  MemsetOperation memset;
  memset.address = address;
  memset.value = value;
  memset.element_bytes = element_bytes;
  memset.width = count;
  return memset;
}

MemsetOperation strided(CUdeviceptr address, size_t pitch, uint32_t value, unsigned element_bytes, size_t width,
                        size_t height) {
  MemsetOperation memset = linear(address, value, element_bytes, width);
  memset.pitch = pitch;
  memset.rows = height;
  return memset;
}

// The calls without a stream do not wait either: they are in the legacy stream's order.
CUresult set_now(const char* call, const MemsetOperation& memset) {
  return api(call, [&] {
    const ContextPointer context = current_context();
    const StreamPointer stream = context->legacy_stream();
    refuse_capture(stream, call);
    refuse_unsafe_call(call);
    validate(memset);
    stream->submit(memset);
    return CUDA_SUCCESS;
  });
}

CUresult set_in_stream(const char* call, const MemsetOperation& memset, CUstream handle) {
  return api(call, [&] {
    const StreamPointer stream = stream_of(handle);
    validate(memset);
    enqueue(stream, memset);
    return CUDA_SUCCESS;
  });
}

}  // namespace

SIMULATOR_API cuMemsetD8_v2(CUdeviceptr dstDevice, unsigned char uc, size_t N) {
  return set_now("cuMemsetD8_v2", linear(dstDevice, uc, 1, N));
}
SIMULATOR_API cuMemsetD16_v2(CUdeviceptr dstDevice, unsigned short us, size_t N) {
  return set_now("cuMemsetD16_v2", linear(dstDevice, us, 2, N));
}
SIMULATOR_API cuMemsetD32_v2(CUdeviceptr dstDevice, unsigned int ui, size_t N) {
  return set_now("cuMemsetD32_v2", linear(dstDevice, ui, 4, N));
}
SIMULATOR_API cuMemsetD8Async(CUdeviceptr dstDevice, unsigned char uc, size_t N, CUstream hStream) {
  return set_in_stream("cuMemsetD8Async", linear(dstDevice, uc, 1, N), hStream);
}
SIMULATOR_API cuMemsetD16Async(CUdeviceptr dstDevice, unsigned short us, size_t N, CUstream hStream) {
  return set_in_stream("cuMemsetD16Async", linear(dstDevice, us, 2, N), hStream);
}
SIMULATOR_API cuMemsetD32Async(CUdeviceptr dstDevice, unsigned int ui, size_t N, CUstream hStream) {
  return set_in_stream("cuMemsetD32Async", linear(dstDevice, ui, 4, N), hStream);
}

SIMULATOR_API cuMemsetD2D8_v2(CUdeviceptr dstDevice, size_t dstPitch, unsigned char uc, size_t Width, size_t Height) {
  return set_now("cuMemsetD2D8_v2", strided(dstDevice, dstPitch, uc, 1, Width, Height));
}
SIMULATOR_API cuMemsetD2D16_v2(CUdeviceptr dstDevice, size_t dstPitch, unsigned short us, size_t Width, size_t Height) {
  return set_now("cuMemsetD2D16_v2", strided(dstDevice, dstPitch, us, 2, Width, Height));
}
SIMULATOR_API cuMemsetD2D32_v2(CUdeviceptr dstDevice, size_t dstPitch, unsigned int ui, size_t Width, size_t Height) {
  return set_now("cuMemsetD2D32_v2", strided(dstDevice, dstPitch, ui, 4, Width, Height));
}
SIMULATOR_API cuMemsetD2D8Async(CUdeviceptr dstDevice, size_t dstPitch, unsigned char uc, size_t Width, size_t Height,
                                CUstream hStream) {
  return set_in_stream("cuMemsetD2D8Async", strided(dstDevice, dstPitch, uc, 1, Width, Height), hStream);
}
SIMULATOR_API cuMemsetD2D16Async(CUdeviceptr dstDevice, size_t dstPitch, unsigned short us, size_t Width, size_t Height,
                                 CUstream hStream) {
  return set_in_stream("cuMemsetD2D16Async", strided(dstDevice, dstPitch, us, 2, Width, Height), hStream);
}
SIMULATOR_API cuMemsetD2D32Async(CUdeviceptr dstDevice, size_t dstPitch, unsigned int ui, size_t Width, size_t Height,
                                 CUstream hStream) {
  return set_in_stream("cuMemsetD2D32Async", strided(dstDevice, dstPitch, ui, 4, Width, Height), hStream);
}
