// cuMem*: allocation and what is known of it.
#include "allocation.h"
#include "api.h"
#include "capture.h"
#include "pool.h"

using namespace simulator::driver;
using simulator::AllocationKind;

namespace {

// Freeing waits for the context's work, which may still use the memory.
void finish_work(Context& context) {
  drain(context);
  context.check();
}

CUresult allocate_host(const char* call, void** pp, size_t bytes, unsigned flags) {
  require_pointer(pp, "pp");
  const ContextPointer context = current_context();
  refuse_unsafe_call(call);
  constexpr unsigned known = CU_MEMHOSTALLOC_PORTABLE | CU_MEMHOSTALLOC_DEVICEMAP | CU_MEMHOSTALLOC_WRITECOMBINED;
  if (flags & ~known) fail(CUDA_ERROR_INVALID_VALUE, "Flags = 0x%x", flags);
  *pp = reinterpret_cast<void*>(allocate(context, bytes, AllocationKind::pinned_host, flags));
  return CUDA_SUCCESS;
}

}  // namespace

SIMULATOR_API cuMemGetInfo_v2(size_t* free, size_t* total) {
  return api("cuMemGetInfo_v2", [&] {
    const ContextPointer context = current_context();
    const size_t all = context->model().memory_bytes;
    const size_t taken = simulator::memory().used(context->device) + pooled_slack(context->device);
    if (free) *free = taken < all ? all - taken : 0;
    if (total) *total = all;
    return CUDA_SUCCESS;
  });
}

SIMULATOR_API cuMemAlloc_v2(CUdeviceptr* dptr, size_t bytesize) {
  return api("cuMemAlloc_v2", [&] {
    require_pointer(dptr, "dptr");
    const ContextPointer context = current_context();
    refuse_unsafe_call("cuMemAlloc_v2");
    *dptr = allocate(context, bytesize, AllocationKind::device);
    return CUDA_SUCCESS;
  });
}

SIMULATOR_API cuMemAllocPitch_v2(CUdeviceptr* dptr, size_t* pPitch, size_t WidthInBytes, size_t Height,
                                 unsigned int ElementSizeBytes) {
  return api("cuMemAllocPitch_v2", [&] {
    require_pointer(dptr, "dptr");
    require_pointer(pPitch, "pPitch");
    const ContextPointer context = current_context();
    refuse_unsafe_call("cuMemAllocPitch_v2");
    if (ElementSizeBytes != 4 && ElementSizeBytes != 8 && ElementSizeBytes != 16)
      fail(CUDA_ERROR_INVALID_VALUE, "ElementSizeBytes = %u is none of 4, 8, 16", ElementSizeBytes);
    const size_t pitch = (WidthInBytes + 511) / 512 * 512;
    if (Height != 0 && pitch > SIZE_MAX / Height)
      fail(CUDA_ERROR_OUT_OF_MEMORY, "%zu rows of %zu bytes", Height, pitch);
    *dptr = allocate(context, pitch * Height, AllocationKind::device);
    *pPitch = pitch;
    return CUDA_SUCCESS;
  });
}

SIMULATOR_API cuMemFree_v2(CUdeviceptr dptr) {
  return api("cuMemFree_v2", [&] {
    const ContextPointer context = current_context();
    if (dptr == 0) return CUDA_SUCCESS;
    refuse_unsafe_call("cuMemFree_v2");
    finish_work(*context);
    free_device(dptr);
    return CUDA_SUCCESS;
  });
}

SIMULATOR_API cuMemAllocHost_v2(void** pp, size_t bytesize) {
  return api("cuMemAllocHost_v2", [&] { return allocate_host("cuMemAllocHost_v2", pp, bytesize, 0); });
}

SIMULATOR_API cuMemHostAlloc(void** pp, size_t bytesize, unsigned int Flags) {
  return api("cuMemHostAlloc", [&] { return allocate_host("cuMemHostAlloc", pp, bytesize, Flags); });
}

SIMULATOR_API cuMemFreeHost(void* p) {
  return api("cuMemFreeHost", [&] {
    const ContextPointer context = current_context();
    require_pointer(p, "p");
    refuse_unsafe_call("cuMemFreeHost");
    finish_work(*context);
    free_host(p);
    return CUDA_SUCCESS;
  });
}

SIMULATOR_API cuMemHostRegister_v2(void* p, size_t bytesize, unsigned int Flags) {
  return api("cuMemHostRegister_v2", [&] {
    require_pointer(p, "p");
    const ContextPointer context = current_context();
    refuse_unsafe_call("cuMemHostRegister_v2");
    constexpr unsigned known =
        CU_MEMHOSTREGISTER_PORTABLE | CU_MEMHOSTREGISTER_DEVICEMAP | CU_MEMHOSTREGISTER_READ_ONLY;
    if (bytesize == 0) fail(CUDA_ERROR_INVALID_VALUE, "bytesize is 0");
    if (Flags & CU_MEMHOSTREGISTER_IOMEMORY) fail(CUDA_ERROR_NOT_SUPPORTED, "I/O memory is not simulated");
    if (Flags & ~known) fail(CUDA_ERROR_INVALID_VALUE, "Flags = 0x%x", Flags);
    register_host(context, p, bytesize, Flags);
    return CUDA_SUCCESS;
  });
}

SIMULATOR_API cuMemHostUnregister(void* p) {
  return api("cuMemHostUnregister", [&] {
    require_pointer(p, "p");
    const ContextPointer context = current_context();
    refuse_unsafe_call("cuMemHostUnregister");
    finish_work(*context);
    unregister_host(p);
    return CUDA_SUCCESS;
  });
}

SIMULATOR_API cuMemHostGetDevicePointer_v2(CUdeviceptr* pdptr, void* p, unsigned int Flags) {
  return api("cuMemHostGetDevicePointer_v2", [&] {
    require_pointer(pdptr, "pdptr");
    current_context();
    if (Flags != 0) fail(CUDA_ERROR_INVALID_VALUE, "Flags = %u, must be 0", Flags);
    const auto record = find_allocation(reinterpret_cast<uint64_t>(p));
    if (!record || record->kind == AllocationKind::device)
      fail(CUDA_ERROR_INVALID_VALUE, "%p is not pinned or registered host memory", p);
    *pdptr = reinterpret_cast<uint64_t>(p);
    return CUDA_SUCCESS;
  });
}

SIMULATOR_API cuMemHostGetFlags(unsigned int* pFlags, void* p) {
  return api("cuMemHostGetFlags", [&] {
    require_pointer(pFlags, "pFlags");
    current_context();
    const auto record = find_allocation(reinterpret_cast<uint64_t>(p));
    if (!record || record->kind != AllocationKind::pinned_host || record->registered)
      fail(CUDA_ERROR_INVALID_VALUE, "%p is not memory of cuMemHostAlloc", p);
    // All pinned memory is mapped under unified addressing.
    *pFlags = record->flags | CU_MEMHOSTALLOC_DEVICEMAP;
    return CUDA_SUCCESS;
  });
}

SIMULATOR_API cuMemAllocManaged(CUdeviceptr* dptr, size_t bytesize, unsigned int flags) {
  return api("cuMemAllocManaged", [&] {
    require_pointer(dptr, "dptr");
    const ContextPointer context = current_context();
    refuse_unsafe_call("cuMemAllocManaged");
    if (flags != CU_MEM_ATTACH_GLOBAL && flags != CU_MEM_ATTACH_HOST)
      fail(CUDA_ERROR_INVALID_VALUE, "flags = %u is neither CU_MEM_ATTACH_GLOBAL nor CU_MEM_ATTACH_HOST", flags);
    *dptr = allocate(context, bytesize, AllocationKind::managed, flags);
    return CUDA_SUCCESS;
  });
}

SIMULATOR_API cuMemGetAddressRange_v2(CUdeviceptr* pbase, size_t* psize, CUdeviceptr dptr) {
  return api("cuMemGetAddressRange_v2", [&] {
    current_context();
    simulator::Allocation allocation;
    if (!simulator::memory().find(dptr, &allocation))
      fail(CUDA_ERROR_NOT_FOUND, "0x%llx is inside no allocation", dptr);
    if (pbase) *pbase = allocation.address;
    if (psize) *psize = allocation.bytes;
    return CUDA_SUCCESS;
  });
}
