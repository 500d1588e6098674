// cuGetProcAddress: the entry point that a name meant in a given version of CUDA.
#include <dlfcn.h>

#include <cstring>

#include "api.h"

using namespace simulator::driver;

namespace {

struct EntryPoint {
  const char* name;
  int version;  // the CUDA version from which the name means this symbol
  const char* symbol;
};

// As driver 550 (CUDA 12.4) answers, for what is exported here.
const EntryPoint entry_points[] = {
#include "entry_points.inc"
};

// This library, whatever else the process has loaded.
void* own_symbol(const char* name) {
  static void* const self = [] {
    Dl_info info;
    return dladdr(reinterpret_cast<void*>(&own_symbol), &info) ? dlopen(info.dli_fname, RTLD_NOW | RTLD_NOLOAD)
                                                               : nullptr;
  }();
  return self ? dlsym(self, name) : nullptr;
}

}  // namespace

SIMULATOR_API cuGetProcAddress_v2(const char* symbol, void** pfn, int cudaVersion, cuuint64_t flags,
                                  CUdriverProcAddressQueryResult* symbolStatus) {
  return uninitialised_api("cuGetProcAddress_v2", [&] {
    require_pointer(symbol, "symbol");
    require_pointer(pfn, "pfn");
    *pfn = nullptr;
    if (flags > CU_GET_PROC_ADDRESS_PER_THREAD_DEFAULT_STREAM)
      fail(CUDA_ERROR_INVALID_VALUE, "flags = 0x%llx", static_cast<unsigned long long>(flags));
    if (flags == CU_GET_PROC_ADDRESS_PER_THREAD_DEFAULT_STREAM)
      fail(CUDA_ERROR_NOT_SUPPORTED,
           "entry points with a per-thread default stream: pass CU_STREAM_PER_THREAD instead");
    const EntryPoint* meant = nullptr;
    bool known = false;
    for (const EntryPoint& entry : entry_points) {
      if (std::strcmp(entry.name, symbol) != 0) continue;
      known = true;
      if (entry.version <= cudaVersion) meant = &entry;  // the table's versions ascend
    }
    if (meant) *pfn = own_symbol(meant->symbol);
    if (symbolStatus)
      *symbolStatus = *pfn    ? CU_GET_PROC_ADDRESS_SUCCESS
                      : known ? CU_GET_PROC_ADDRESS_VERSION_NOT_SUFFICIENT
                              : CU_GET_PROC_ADDRESS_SYMBOL_NOT_FOUND;
    return CUDA_SUCCESS;
  });
}

SIMULATOR_API cuGetProcAddress(const char* symbol, void** pfn, int cudaVersion, cuuint64_t flags) {
  CUdriverProcAddressQueryResult status = CU_GET_PROC_ADDRESS_SUCCESS;
  const CUresult result = cuGetProcAddress_v2(symbol, pfn, cudaVersion, flags, &status);
  if (result != CUDA_SUCCESS || status == CU_GET_PROC_ADDRESS_SUCCESS) return result;
  return report_failure("cuGetProcAddress", CUDA_ERROR_NOT_FOUND, symbol);
}
