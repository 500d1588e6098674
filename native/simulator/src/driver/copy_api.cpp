// cuMemcpy*: copies of bytes, plain and strided, synchronous and in streams.
#include "allocation.h"
#include "api.h"
#include "capture.h"
#include "copy.h"

using namespace simulator::driver;

SIMULATOR_API cuMemcpyHtoD_v2(CUdeviceptr dstDevice, const void* srcHost, size_t ByteCount) {
  return api("cuMemcpyHtoD_v2", [&] {
    return copy_now("cuMemcpyHtoD_v2", linear_copy(device_side(dstDevice), host_side(srcHost), ByteCount));
  });
}

SIMULATOR_API cuMemcpyDtoH_v2(void* dstHost, CUdeviceptr srcDevice, size_t ByteCount) {
  return api("cuMemcpyDtoH_v2", [&] {
    return copy_now("cuMemcpyDtoH_v2", linear_copy(host_side(dstHost), device_side(srcDevice), ByteCount));
  });
}

SIMULATOR_API cuMemcpyDtoD_v2(CUdeviceptr dstDevice, CUdeviceptr srcDevice, size_t ByteCount) {
  return api("cuMemcpyDtoD_v2", [&] {
    return copy_now("cuMemcpyDtoD_v2", linear_copy(device_side(dstDevice), device_side(srcDevice), ByteCount));
  });
}

SIMULATOR_API cuMemcpy(CUdeviceptr dst, CUdeviceptr src, size_t ByteCount) {
  return api("cuMemcpy",
             [&] { return copy_now("cuMemcpy", linear_copy(unified_side(dst), unified_side(src), ByteCount)); });
}

SIMULATOR_API cuMemcpyHtoDAsync_v2(CUdeviceptr dstDevice, const void* srcHost, size_t ByteCount, CUstream hStream) {
  return api("cuMemcpyHtoDAsync_v2", [&] {
    return copy_in_stream(linear_copy(device_side(dstDevice), host_side(srcHost), ByteCount), hStream);
  });
}

SIMULATOR_API cuMemcpyDtoHAsync_v2(void* dstHost, CUdeviceptr srcDevice, size_t ByteCount, CUstream hStream) {
  return api("cuMemcpyDtoHAsync_v2", [&] {
    return copy_in_stream(linear_copy(host_side(dstHost), device_side(srcDevice), ByteCount), hStream);
  });
}

SIMULATOR_API cuMemcpyDtoDAsync_v2(CUdeviceptr dstDevice, CUdeviceptr srcDevice, size_t ByteCount, CUstream hStream) {
  return api("cuMemcpyDtoDAsync_v2", [&] {
    return copy_in_stream(linear_copy(device_side(dstDevice), device_side(srcDevice), ByteCount), hStream);
  });
}

SIMULATOR_API cuMemcpyAsync(CUdeviceptr dst, CUdeviceptr src, size_t ByteCount, CUstream hStream) {
  return api("cuMemcpyAsync",
             [&] { return copy_in_stream(linear_copy(unified_side(dst), unified_side(src), ByteCount), hStream); });
}

SIMULATOR_API cuMemcpy2D_v2(const CUDA_MEMCPY2D* pCopy) {
  return api("cuMemcpy2D_v2", [&] {
    require_pointer(pCopy, "pCopy");
    return copy_now("cuMemcpy2D_v2", strided_copy(*pCopy));
  });
}

SIMULATOR_API cuMemcpy2DUnaligned_v2(const CUDA_MEMCPY2D* pCopy) {
  return api("cuMemcpy2DUnaligned_v2", [&] {
    require_pointer(pCopy, "pCopy");
    return copy_now("cuMemcpy2DUnaligned_v2", strided_copy(*pCopy));
  });
}

SIMULATOR_API cuMemcpy2DAsync_v2(const CUDA_MEMCPY2D* pCopy, CUstream hStream) {
  return api("cuMemcpy2DAsync_v2", [&] {
    require_pointer(pCopy, "pCopy");
    return copy_in_stream(strided_copy(*pCopy), hStream);
  });
}

SIMULATOR_API cuMemcpy3D_v2(const CUDA_MEMCPY3D* pCopy) {
  return api("cuMemcpy3D_v2", [&] {
    require_pointer(pCopy, "pCopy");
    return copy_now("cuMemcpy3D_v2", strided_copy(*pCopy));
  });
}

SIMULATOR_API cuMemcpy3DAsync_v2(const CUDA_MEMCPY3D* pCopy, CUstream hStream) {
  return api("cuMemcpy3DAsync_v2", [&] {
    require_pointer(pCopy, "pCopy");
    return copy_in_stream(strided_copy(*pCopy), hStream);
  });
}

SIMULATOR_API cuMemcpyPeer(CUdeviceptr dstDevice, CUcontext dstContext, CUdeviceptr srcDevice, CUcontext srcContext,
                           size_t ByteCount) {
  return api("cuMemcpyPeer", [&] {
    context_of(dstContext);
    context_of(srcContext);
    return copy_now("cuMemcpyPeer", linear_copy(device_side(dstDevice), device_side(srcDevice), ByteCount));
  });
}

SIMULATOR_API cuMemcpyPeerAsync(CUdeviceptr dstDevice, CUcontext dstContext, CUdeviceptr srcDevice,
                                CUcontext srcContext, size_t ByteCount, CUstream hStream) {
  return api("cuMemcpyPeerAsync", [&] {
    context_of(dstContext);
    context_of(srcContext);
    return copy_in_stream(linear_copy(device_side(dstDevice), device_side(srcDevice), ByteCount), hStream);
  });
}
