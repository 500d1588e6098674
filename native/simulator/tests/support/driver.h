// The driver library under test: the built simulator, or whatever KERNELS_DRIVER names, so that the same
// tests can be run on another implementation.
#pragma once

#include <string>

#include "../../src/driver/cuda_abi.h"
#include "../../src/driver/live_objects.h"

// Every entry point the tests call, with its arguments.
#define DRIVER_FUNCTIONS(X)                                                                                       \
  X(cuInit, (unsigned))                                                                                           \
  X(cuDriverGetVersion, (int*))                                                                                   \
  X(cuGetErrorName, (CUresult, const char**))                                                                     \
  X(cuGetErrorString, (CUresult, const char**))                                                                   \
  X(cuGetProcAddress_v2, (const char*, void**, int, cuuint64_t, CUdriverProcAddressQueryResult*))                 \
  X(cuDeviceGet, (CUdevice*, int))                                                                                \
  X(cuDeviceGetCount, (int*))                                                                                     \
  X(cuDeviceGetName, (char*, int, CUdevice))                                                                      \
  X(cuDeviceGetUuid_v2, (CUuuid*, CUdevice))                                                                      \
  X(cuDeviceTotalMem_v2, (size_t*, CUdevice))                                                                     \
  X(cuDeviceGetAttribute, (int*, CUdevice_attribute, CUdevice))                                                   \
  X(cuDeviceGetPCIBusId, (char*, int, CUdevice))                                                                  \
  X(cuDeviceCanAccessPeer, (int*, CUdevice, CUdevice))                                                            \
  X(cuDeviceGetDefaultMemPool, (CUmemoryPool*, CUdevice))                                                         \
  X(cuDeviceGetMemPool, (CUmemoryPool*, CUdevice))                                                                \
  X(cuDeviceSetMemPool, (CUdevice, CUmemoryPool))                                                                 \
  X(cuDevicePrimaryCtxRetain, (CUcontext*, CUdevice))                                                             \
  X(cuDevicePrimaryCtxRelease_v2, (CUdevice))                                                                     \
  X(cuDevicePrimaryCtxReset_v2, (CUdevice))                                                                       \
  X(cuDevicePrimaryCtxGetState, (CUdevice, unsigned*, int*))                                                      \
  X(cuDevicePrimaryCtxSetFlags_v2, (CUdevice, unsigned))                                                          \
  X(cuCtxCreate_v2, (CUcontext*, unsigned, CUdevice))                                                             \
  X(cuCtxDestroy_v2, (CUcontext))                                                                                 \
  X(cuCtxSetCurrent, (CUcontext))                                                                                 \
  X(cuCtxGetCurrent, (CUcontext*))                                                                                \
  X(cuCtxPushCurrent_v2, (CUcontext))                                                                             \
  X(cuCtxPopCurrent_v2, (CUcontext*))                                                                             \
  X(cuCtxGetDevice, (CUdevice*))                                                                                  \
  X(cuCtxGetFlags, (unsigned*))                                                                                   \
  X(cuCtxGetId, (CUcontext, unsigned long long*))                                                                 \
  X(cuCtxGetApiVersion, (CUcontext, unsigned*))                                                                   \
  X(cuCtxSynchronize, ())                                                                                         \
  X(cuCtxGetLimit, (size_t*, CUlimit))                                                                            \
  X(cuCtxSetLimit, (CUlimit, size_t))                                                                             \
  X(cuCtxGetStreamPriorityRange, (int*, int*))                                                                    \
  X(cuMemGetInfo_v2, (size_t*, size_t*))                                                                          \
  X(cuMemAlloc_v2, (CUdeviceptr*, size_t))                                                                        \
  X(cuMemFree_v2, (CUdeviceptr))                                                                                  \
  X(cuMemAllocHost_v2, (void**, size_t))                                                                          \
  X(cuMemHostAlloc, (void**, size_t, unsigned))                                                                   \
  X(cuMemFreeHost, (void*))                                                                                       \
  X(cuMemHostRegister_v2, (void*, size_t, unsigned))                                                              \
  X(cuMemHostUnregister, (void*))                                                                                 \
  X(cuMemHostGetDevicePointer_v2, (CUdeviceptr*, void*, unsigned))                                                \
  X(cuMemHostGetFlags, (unsigned*, void*))                                                                        \
  X(cuMemAllocManaged, (CUdeviceptr*, size_t, unsigned))                                                          \
  X(cuMemGetAddressRange_v2, (CUdeviceptr*, size_t*, CUdeviceptr))                                                \
  X(cuPointerGetAttribute, (void*, CUpointer_attribute, CUdeviceptr))                                             \
  X(cuPointerGetAttributes, (unsigned, CUpointer_attribute*, void**, CUdeviceptr))                                \
  X(cuMemcpy, (CUdeviceptr, CUdeviceptr, size_t))                                                                 \
  X(cuMemcpyAsync, (CUdeviceptr, CUdeviceptr, size_t, CUstream))                                                  \
  X(cuMemcpyHtoD_v2, (CUdeviceptr, const void*, size_t))                                                          \
  X(cuMemcpyDtoH_v2, (void*, CUdeviceptr, size_t))                                                                \
  X(cuMemcpyDtoD_v2, (CUdeviceptr, CUdeviceptr, size_t))                                                          \
  X(cuMemcpyHtoDAsync_v2, (CUdeviceptr, const void*, size_t, CUstream))                                           \
  X(cuMemcpyDtoHAsync_v2, (void*, CUdeviceptr, size_t, CUstream))                                                 \
  X(cuMemcpyDtoDAsync_v2, (CUdeviceptr, CUdeviceptr, size_t, CUstream))                                           \
  X(cuMemcpy2D_v2, (const CUDA_MEMCPY2D*))                                                                        \
  X(cuMemcpy2DAsync_v2, (const CUDA_MEMCPY2D*, CUstream))                                                         \
  X(cuMemsetD8_v2, (CUdeviceptr, unsigned char, size_t))                                                          \
  X(cuMemsetD16_v2, (CUdeviceptr, unsigned short, size_t))                                                        \
  X(cuMemsetD32_v2, (CUdeviceptr, unsigned, size_t))                                                              \
  X(cuMemsetD2D32_v2, (CUdeviceptr, size_t, unsigned, size_t, size_t))                                            \
  X(cuMemsetD8Async, (CUdeviceptr, unsigned char, size_t, CUstream))                                              \
  X(cuMemsetD16Async, (CUdeviceptr, unsigned short, size_t, CUstream))                                            \
  X(cuMemsetD32Async, (CUdeviceptr, unsigned, size_t, CUstream))                                                  \
  X(cuMemAllocAsync, (CUdeviceptr*, size_t, CUstream))                                                            \
  X(cuMemFreeAsync, (CUdeviceptr, CUstream))                                                                      \
  X(cuMemAllocFromPoolAsync, (CUdeviceptr*, size_t, CUmemoryPool, CUstream))                                      \
  X(cuMemPoolCreate, (CUmemoryPool*, const CUmemPoolProps*))                                                      \
  X(cuMemPoolDestroy, (CUmemoryPool))                                                                             \
  X(cuMemPoolTrimTo, (CUmemoryPool, size_t))                                                                      \
  X(cuMemPoolSetAttribute, (CUmemoryPool, CUmemPool_attribute, void*))                                            \
  X(cuMemPoolGetAttribute, (CUmemoryPool, CUmemPool_attribute, void*))                                            \
  X(cuStreamCreate, (CUstream*, unsigned))                                                                        \
  X(cuStreamCreateWithPriority, (CUstream*, unsigned, int))                                                       \
  X(cuStreamDestroy_v2, (CUstream))                                                                               \
  X(cuStreamSynchronize, (CUstream))                                                                              \
  X(cuStreamQuery, (CUstream))                                                                                    \
  X(cuStreamWaitEvent, (CUstream, CUevent, unsigned))                                                             \
  X(cuStreamGetId, (CUstream, unsigned long long*))                                                               \
  X(cuStreamGetCtx, (CUstream, CUcontext*))                                                                       \
  X(cuStreamGetFlags, (CUstream, unsigned*))                                                                      \
  X(cuStreamGetPriority, (CUstream, int*))                                                                        \
  X(cuLaunchHostFunc, (CUstream, CUhostFn, void*))                                                                \
  X(cuStreamBeginCapture_v2, (CUstream, CUstreamCaptureMode))                                                     \
  X(cuStreamEndCapture, (CUstream, CUgraph*))                                                                     \
  X(cuStreamIsCapturing, (CUstream, CUstreamCaptureStatus*))                                                      \
  X(cuStreamGetCaptureInfo_v2,                                                                                    \
    (CUstream, CUstreamCaptureStatus*, cuuint64_t*, CUgraph*, const CUgraphNode**, size_t*))                      \
  X(cuThreadExchangeStreamCaptureMode, (CUstreamCaptureMode*))                                                    \
  X(cuEventCreate, (CUevent*, unsigned))                                                                          \
  X(cuEventRecord, (CUevent, CUstream))                                                                           \
  X(cuEventRecordWithFlags, (CUevent, CUstream, unsigned))                                                        \
  X(cuEventQuery, (CUevent))                                                                                      \
  X(cuEventSynchronize, (CUevent))                                                                                \
  X(cuEventElapsedTime, (float*, CUevent, CUevent))                                                               \
  X(cuEventDestroy_v2, (CUevent))                                                                                 \
  X(cuModuleLoadData, (CUmodule*, const void*))                                                                   \
  X(cuModuleLoadDataEx, (CUmodule*, const void*, unsigned, CUjit_option*, void**))                                \
  X(cuModuleUnload, (CUmodule))                                                                                   \
  X(cuModuleGetFunction, (CUfunction*, CUmodule, const char*))                                                    \
  X(cuModuleGetGlobal_v2, (CUdeviceptr*, size_t*, CUmodule, const char*))                                         \
  X(cuModuleGetFunctionCount, (unsigned*, CUmodule))                                                              \
  X(cuModuleEnumerateFunctions, (CUfunction*, unsigned, CUmodule))                                                \
  X(cuFuncGetAttribute, (int*, CUfunction_attribute, CUfunction))                                                 \
  X(cuFuncSetAttribute, (CUfunction, CUfunction_attribute, int))                                                  \
  X(cuFuncSetCacheConfig, (CUfunction, CUfunc_cache))                                                             \
  X(cuFuncGetName, (const char**, CUfunction))                                                                    \
  X(cuFuncGetModule, (CUmodule*, CUfunction))                                                                     \
  X(cuFuncGetParamInfo, (CUfunction, size_t, size_t*, size_t*))                                                   \
  X(cuLaunchKernel,                                                                                               \
    (CUfunction, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, CUstream, void**, void**)) \
  X(cuLaunchKernelEx, (const CUlaunchConfig*, CUfunction, void**, void**))                                        \
  X(cuLaunchCooperativeKernel,                                                                                    \
    (CUfunction, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, CUstream, void**))         \
  X(cuOccupancyMaxActiveBlocksPerMultiprocessor, (int*, CUfunction, int, size_t))                                 \
  X(cuOccupancyMaxPotentialBlockSize, (int*, int*, CUfunction, CUoccupancyB2DSize, size_t, int))                  \
  X(cuOccupancyAvailableDynamicSMemPerBlock, (size_t*, CUfunction, int, int))                                     \
  X(cuGraphCreate, (CUgraph*, unsigned))                                                                          \
  X(cuGraphDestroy, (CUgraph))                                                                                    \
  X(cuGraphInstantiateWithFlags, (CUgraphExec*, CUgraph, unsigned long long))                                     \
  X(cuGraphLaunch, (CUgraphExec, CUstream))                                                                       \
  X(cuGraphUpload, (CUgraphExec, CUstream))                                                                       \
  X(cuGraphExecUpdate_v2, (CUgraphExec, CUgraph, CUgraphExecUpdateResultInfo*))                                   \
  X(cuGraphExecDestroy, (CUgraphExec))                                                                            \
  X(cuGraphGetNodes, (CUgraph, CUgraphNode*, size_t*))                                                            \
  X(cuGraphNodeGetType, (CUgraphNode, CUgraphNodeType*))                                                          \
  X(cuGraphNodeGetDependencies, (CUgraphNode, CUgraphNode*, size_t*))                                             \
  X(cuGraphAddKernelNode_v2, (CUgraphNode*, CUgraph, const CUgraphNode*, size_t, const CUDA_KERNEL_NODE_PARAMS*)) \
  X(cuGraphAddMemcpyNode, (CUgraphNode*, CUgraph, const CUgraphNode*, size_t, const CUDA_MEMCPY3D*, CUcontext))   \
  X(cuGraphAddMemsetNode,                                                                                         \
    (CUgraphNode*, CUgraph, const CUgraphNode*, size_t, const CUDA_MEMSET_NODE_PARAMS*, CUcontext))               \
  X(cuGraphAddHostNode, (CUgraphNode*, CUgraph, const CUgraphNode*, size_t, const CUDA_HOST_NODE_PARAMS*))        \
  X(cuGraphAddEmptyNode, (CUgraphNode*, CUgraph, const CUgraphNode*, size_t))                                     \
  X(cuGraphKernelNodeGetParams_v2, (CUgraphNode, CUDA_KERNEL_NODE_PARAMS*))                                       \
  X(cuGraphExecKernelNodeSetParams_v2, (CUgraphExec, CUgraphNode, const CUDA_KERNEL_NODE_PARAMS*))                \
  X(cuGraphDebugDotPrint, (CUgraph, const char*, unsigned))

namespace simulator::tests {

struct Driver {
#define DECLARE(name, arguments) CUresult(*name) arguments = nullptr;
  DRIVER_FUNCTIONS(DECLARE)
#undef DECLARE
  // Of our simulator only; null elsewhere.
  CUresult (*simulatorLiveObjects)(SimulatorLiveObjects*) = nullptr;
  const char* (*simulatorLastError)() = nullptr;

  std::string path;
  bool ours() const { return simulatorLiveObjects != nullptr; }
};

// Loaded at the first call; ends the process with a message where the library or one of the functions is
// missing.
const Driver& driver();

// "CUDA_ERROR_INVALID_VALUE (1): ... " for messages of tests; with the simulator's sentence where it has one.
std::string describe(CUresult result);

}  // namespace simulator::tests

// Driver calls in tests: the code must be the one expected.
#define EXPECT_CU(expected, call)                                                                       \
  do {                                                                                                  \
    const CUresult cu_result = (::simulator::tests::driver().call);                                     \
    EXPECT_EQ(cu_result, expected) << #call << " answered " << ::simulator::tests::describe(cu_result); \
  } while (false)
#define ASSERT_CU(call)                                                                                     \
  do {                                                                                                      \
    const CUresult cu_result = (::simulator::tests::driver().call);                                         \
    ASSERT_EQ(cu_result, CUDA_SUCCESS) << #call << " answered " << ::simulator::tests::describe(cu_result); \
  } while (false)
