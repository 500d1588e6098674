// cuPointerGetAttribute and its neighbours.
#include <optional>

#include "allocation.h"
#include "api.h"
#include "pool.h"

using namespace simulator::driver;
using simulator::Allocation;
using simulator::AllocationKind;

namespace {

struct Pointer {
  uint64_t address = 0;
  std::optional<Allocation> allocation;    // none for memory the driver does not know
  std::optional<AllocationRecord> record;  // none for variables of modules
};

Pointer look_up(uint64_t address) {
  Pointer pointer{address, std::nullopt, find_allocation(address)};
  if (Allocation found; simulator::memory().find(address, &found)) pointer.allocation = found;
  // Memory whose cuMemFreeAsync was called is gone for queries, whether or not the stream got there.
  if (pointer.record && pointer.record->free_submitted) pointer.allocation = std::nullopt;
  return pointer;
}

template <class T>
void put(void* data, T value) {
  *static_cast<T*>(data) = value;
}

// False where the attribute has no value for this pointer.
bool get(void* data, CUpointer_attribute attribute, const Pointer& pointer) {
  const auto& allocation = pointer.allocation;
  const auto& record = pointer.record;
  const bool host_visible = allocation && reinterpret_cast<uint64_t>(allocation->host) == allocation->address;
  switch (attribute) {
    case CU_POINTER_ATTRIBUTE_CONTEXT:
      if (!record) return false;
      put(data, record->pool ? CUcontext{nullptr} : record->context);
      return true;
    case CU_POINTER_ATTRIBUTE_MEMORY_TYPE:
      if (!allocation) return false;
      put(data, static_cast<unsigned>(allocation->kind == AllocationKind::pinned_host ? CU_MEMORYTYPE_HOST
                                                                                      : CU_MEMORYTYPE_DEVICE));
      return true;
    case CU_POINTER_ATTRIBUTE_DEVICE_POINTER:
      if (!allocation) return false;
      put(data, CUdeviceptr{pointer.address});
      return true;
    case CU_POINTER_ATTRIBUTE_HOST_POINTER:
      if (!host_visible) return false;
      put(data, reinterpret_cast<void*>(pointer.address));
      return true;
    case CU_POINTER_ATTRIBUTE_SYNC_MEMOPS:
      if (!allocation) return false;
      put(data, 0u);
      return true;
    case CU_POINTER_ATTRIBUTE_BUFFER_ID:
      if (!allocation) return false;
      put(data, static_cast<unsigned long long>(allocation->id));
      return true;
    case CU_POINTER_ATTRIBUTE_IS_MANAGED:
      put(data, static_cast<unsigned>(allocation && allocation->kind == AllocationKind::managed));
      return true;
    case CU_POINTER_ATTRIBUTE_DEVICE_ORDINAL:
      if (!allocation) return false;
      put(data, allocation->device);
      return true;
    case CU_POINTER_ATTRIBUTE_IS_LEGACY_CUDA_IPC_CAPABLE:
      put(data, 0u);
      return true;
    case CU_POINTER_ATTRIBUTE_RANGE_START_ADDR:
      if (!allocation) return false;
      put(data, CUdeviceptr{allocation->address});
      return true;
    case CU_POINTER_ATTRIBUTE_RANGE_SIZE:
      if (!allocation) return false;
      put(data, allocation->bytes);
      return true;
    case CU_POINTER_ATTRIBUTE_MAPPED:
      put(data, static_cast<unsigned>(allocation.has_value()));
      return true;
    case CU_POINTER_ATTRIBUTE_ALLOWED_HANDLE_TYPES:
      put(data, 0ull);
      return true;
    case CU_POINTER_ATTRIBUTE_IS_GPU_DIRECT_RDMA_CAPABLE:
      put(data, 0u);
      return true;
    case CU_POINTER_ATTRIBUTE_ACCESS_FLAGS:
      put(data, 3u);
      return true;  // read and write
    case CU_POINTER_ATTRIBUTE_MEMPOOL_HANDLE:
      put(data, record && record->pool ? record->pool->handle : CUmemoryPool{nullptr});
      return true;
    case CU_POINTER_ATTRIBUTE_P2P_TOKENS:
    case CU_POINTER_ATTRIBUTE_MAPPING_SIZE:
    case CU_POINTER_ATTRIBUTE_MAPPING_BASE_ADDR:
    case CU_POINTER_ATTRIBUTE_MEMORY_BLOCK_ID:
      return false;
  }
  fail(CUDA_ERROR_INVALID_VALUE, "pointer attribute %d does not exist", static_cast<int>(attribute));
}

// What cuPointerGetAttributes gives for a pointer that has no value: zero, of the attribute's size.
void clear(void* data, CUpointer_attribute attribute) {
  switch (attribute) {
    case CU_POINTER_ATTRIBUTE_MEMORY_TYPE:
    case CU_POINTER_ATTRIBUTE_SYNC_MEMOPS:
      put(data, 0u);
      break;
    case CU_POINTER_ATTRIBUTE_DEVICE_ORDINAL:
      put(data, -2);
      break;  // CU_DEVICE_INVALID
    default:
      put(data, uint64_t{0});
      break;
  }
}

}  // namespace

SIMULATOR_API cuPointerGetAttribute(void* data, CUpointer_attribute attribute, CUdeviceptr ptr) {
  return api("cuPointerGetAttribute", [&] {
    require_pointer(data, "data");
    current_context();
    if (!get(data, attribute, look_up(ptr)))
      fail(CUDA_ERROR_INVALID_VALUE, "0x%llx has no pointer attribute %d: it is not memory of the driver's", ptr,
           static_cast<int>(attribute));
    return CUDA_SUCCESS;
  });
}

SIMULATOR_API cuPointerGetAttributes(unsigned int numAttributes, CUpointer_attribute* attributes, void** data,
                                     CUdeviceptr ptr) {
  return api("cuPointerGetAttributes", [&] {
    require_pointer(attributes, "attributes");
    require_pointer(data, "data");
    current_context();
    const Pointer pointer = look_up(ptr);
    for (unsigned index = 0; index < numAttributes; ++index)
      if (!get(data[index], attributes[index], pointer)) clear(data[index], attributes[index]);
    return CUDA_SUCCESS;
  });
}

SIMULATOR_API cuPointerSetAttribute(const void* value, CUpointer_attribute attribute, CUdeviceptr ptr) {
  return api("cuPointerSetAttribute", [&] {
    require_pointer(value, "value");
    current_context();
    if (attribute != CU_POINTER_ATTRIBUTE_SYNC_MEMOPS)
      fail(CUDA_ERROR_INVALID_VALUE, "pointer attribute %d cannot be set", static_cast<int>(attribute));
    if (!simulator::memory().find(ptr, nullptr)) fail(CUDA_ERROR_INVALID_VALUE, "0x%llx is inside no allocation", ptr);
    return CUDA_SUCCESS;
  });
}
