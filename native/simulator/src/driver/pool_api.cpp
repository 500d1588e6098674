// Stream-ordered allocation: cuMemAllocAsync, cuMemFreeAsync, cuMemPool*, cuDevice*MemPool.
#include "allocation.h"
#include "api.h"
#include "capture.h"
#include "pool.h"

using namespace simulator::driver;

namespace {

// Memory nodes in graphs are not simulated: a capture that allocates gets the code CUDA has for what cannot
// be captured.
CUresult allocate_in_stream(const char* call, CUdeviceptr* dptr, size_t bytes, CUmemoryPool named, CUstream hStream) {
  require_pointer(dptr, "dptr");
  const StreamPointer stream = stream_of(hStream);
  refuse_capture(stream, call);
  const PoolPointer pool = named ? pool_of(named) : current_pool(stream->context->device);
  *dptr = allocate(stream->context, bytes, simulator::AllocationKind::device, 0, pool);
  return CUDA_SUCCESS;
}

void check_location(const CUmemLocation& location) {
  if (location.type != CU_MEM_LOCATION_TYPE_DEVICE)
    fail(CUDA_ERROR_NOT_SUPPORTED, "location type %d: only pools on devices are simulated",
         static_cast<int>(location.type));
  card(location.id);
}

}  // namespace

SIMULATOR_API cuMemAllocAsync(CUdeviceptr* dptr, size_t bytesize, CUstream hStream) {
  return api("cuMemAllocAsync",
             [&] { return allocate_in_stream("cuMemAllocAsync", dptr, bytesize, nullptr, hStream); });
}

SIMULATOR_API cuMemAllocFromPoolAsync(CUdeviceptr* dptr, size_t bytesize, CUmemoryPool pool, CUstream hStream) {
  return api("cuMemAllocFromPoolAsync", [&] {
    pool_of(pool);
    return allocate_in_stream("cuMemAllocFromPoolAsync", dptr, bytesize, pool, hStream);
  });
}

SIMULATOR_API cuMemFreeAsync(CUdeviceptr dptr, CUstream hStream) {
  return api("cuMemFreeAsync", [&] {
    const StreamPointer stream = stream_of(hStream);
    refuse_capture(stream, "cuMemFreeAsync");
    if (dptr == 0) return CUDA_SUCCESS;
    stream->submit(Operation(FreeOperation{submit_free(dptr), dptr}));
    return CUDA_SUCCESS;
  });
}

SIMULATOR_API cuMemPoolCreate(CUmemoryPool* pool, const CUmemPoolProps* poolProps) {
  return api("cuMemPoolCreate", [&] {
    require_pointer(pool, "pool");
    require_pointer(poolProps, "poolProps");
    if (poolProps->allocType != CU_MEM_ALLOCATION_TYPE_PINNED)
      fail(CUDA_ERROR_INVALID_VALUE, "allocType = %d is not CU_MEM_ALLOCATION_TYPE_PINNED",
           static_cast<int>(poolProps->allocType));
    if (poolProps->handleTypes != CU_MEM_HANDLE_TYPE_NONE)
      fail(CUDA_ERROR_NOT_SUPPORTED, "handle types 0x%x: sharing between processes is not simulated",
           static_cast<unsigned>(poolProps->handleTypes));
    check_location(poolProps->location);
    *pool = create_pool(poolProps->location.id, poolProps->maxSize)->handle;
    return CUDA_SUCCESS;
  });
}

SIMULATOR_API cuMemPoolDestroy(CUmemoryPool pool) {
  return api("cuMemPoolDestroy", [&] {
    destroy_pool(pool);
    return CUDA_SUCCESS;
  });
}

SIMULATOR_API cuMemPoolTrimTo(CUmemoryPool pool, size_t minBytesToKeep) {
  return api("cuMemPoolTrimTo", [&] {
    pool_of(pool)->trim(minBytesToKeep);
    return CUDA_SUCCESS;
  });
}

SIMULATOR_API cuMemPoolSetAttribute(CUmemoryPool pool, CUmemPool_attribute attr, void* value) {
  return api("cuMemPoolSetAttribute", [&] {
    require_pointer(value, "value");
    pool_of(pool)->set_attribute(attr, value);
    return CUDA_SUCCESS;
  });
}

SIMULATOR_API cuMemPoolGetAttribute(CUmemoryPool pool, CUmemPool_attribute attr, void* value) {
  return api("cuMemPoolGetAttribute", [&] {
    require_pointer(value, "value");
    pool_of(pool)->get_attribute(attr, value);
    return CUDA_SUCCESS;
  });
}

// The device of a pool always has access to it; kernels of other devices are not kept out.
SIMULATOR_API cuMemPoolSetAccess(CUmemoryPool pool, const CUmemAccessDesc* map, size_t count) {
  return api("cuMemPoolSetAccess", [&] {
    if (count > 0) require_pointer(map, "map");
    const PoolPointer of = pool_of(pool);
    for (size_t index = 0; index < count; ++index) {
      check_location(map[index].location);
      if (map[index].location.id == of->device && map[index].flags != CU_MEM_ACCESS_FLAGS_PROT_READWRITE)
        fail(CUDA_ERROR_INVALID_VALUE, "the access of the pool's own device cannot be taken away");
    }
    return CUDA_SUCCESS;
  });
}

SIMULATOR_API cuMemPoolGetAccess(CUmemAccess_flags* flags, CUmemoryPool memPool, CUmemLocation* location) {
  return api("cuMemPoolGetAccess", [&] {
    require_pointer(flags, "flags");
    require_pointer(location, "location");
    check_location(*location);
    *flags =
        pool_of(memPool)->device == location->id ? CU_MEM_ACCESS_FLAGS_PROT_READWRITE : CU_MEM_ACCESS_FLAGS_PROT_NONE;
    return CUDA_SUCCESS;
  });
}

SIMULATOR_API cuDeviceGetDefaultMemPool(CUmemoryPool* pool_out, CUdevice dev) {
  return api("cuDeviceGetDefaultMemPool", [&] {
    require_pointer(pool_out, "pool_out");
    *pool_out = default_pool(dev)->handle;
    return CUDA_SUCCESS;
  });
}

SIMULATOR_API cuDeviceGetMemPool(CUmemoryPool* pool, CUdevice dev) {
  return api("cuDeviceGetMemPool", [&] {
    require_pointer(pool, "pool");
    *pool = current_pool(dev)->handle;
    return CUDA_SUCCESS;
  });
}

SIMULATOR_API cuDeviceSetMemPool(CUdevice dev, CUmemoryPool pool) {
  return api("cuDeviceSetMemPool", [&] {
    card(dev);
    const PoolPointer chosen = pool_of(pool);
    if (chosen->device != dev)
      fail(CUDA_ERROR_INVALID_VALUE, "the pool is on device %d, not on %d", chosen->device, dev);
    set_current_pool(dev, chosen);
    return CUDA_SUCCESS;
  });
}
