// From the arguments of a copy call to a checked copy operation.
#pragma once

#include "operation.h"

namespace simulator::driver {

// A parameter that is declared as a device pointer: device, managed, pinned or registered memory.
CopySide device_side(CUdeviceptr address);
// A parameter that is declared as a host pointer. Throws INVALID_VALUE for null and for device memory.
CopySide host_side(const void* pointer);
// A parameter that may be either (unified addressing).
CopySide unified_side(CUdeviceptr address);

CopyOperation linear_copy(CopySide to, CopySide from, size_t bytes);
CopyOperation strided_copy(const CUDA_MEMCPY2D& copy);
CopyOperation strided_copy(const CUDA_MEMCPY3D& copy);

// The synchronous calls: on the legacy stream, returning when host memory is safe to use.
CUresult copy_now(const char* call, CopyOperation copy);
// The asynchronous ones. Pageable sources are taken at the call and pageable destinations are waited for, as
// in CUDA.
CUresult copy_in_stream(CopyOperation copy, CUstream stream);

}  // namespace simulator::driver
