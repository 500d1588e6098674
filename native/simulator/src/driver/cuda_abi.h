// Types and structures of CUDA 12.4's cuda.h, as far as the driver's entry points need them. No CUDA header
// is used, so that the simulator builds without a toolkit; sizes and offsets are asserted below and held
// against tests/data/cuda-abi.json by tests/abi_test.cpp.
#pragma once

#include <cstddef>
#include <cstdint>

#include "cuda_enums.h"

using CUdevice = int;
using CUdeviceptr = unsigned long long;
using cuuint32_t = uint32_t;
using cuuint64_t = uint64_t;

// Handles are numbers to their users; nobody dereferences them (see handle_table.h).
using CUcontext = struct CUctx_st*;
using CUmodule = struct CUmod_st*;
using CUfunction = struct CUfunc_st*;
using CUstream = struct CUstream_st*;
using CUevent = struct CUevent_st*;
using CUmemoryPool = struct CUmemPoolHandle_st*;
using CUgraph = struct CUgraph_st*;
using CUgraphNode = struct CUgraphNode_st*;
using CUgraphExec = struct CUgraphExec_st*;
using CUarray = struct CUarray_st*;
using CUkernel = struct CUkern_st*;

inline const CUstream CU_STREAM_LEGACY = reinterpret_cast<CUstream>(uintptr_t{1});
inline const CUstream CU_STREAM_PER_THREAD = reinterpret_cast<CUstream>(uintptr_t{2});

inline void* const CU_LAUNCH_PARAM_END = nullptr;
inline void* const CU_LAUNCH_PARAM_BUFFER_POINTER = reinterpret_cast<void*>(uintptr_t{1});
inline void* const CU_LAUNCH_PARAM_BUFFER_SIZE = reinterpret_cast<void*>(uintptr_t{2});

constexpr unsigned CU_MEMHOSTALLOC_PORTABLE = 1;
constexpr unsigned CU_MEMHOSTALLOC_DEVICEMAP = 2;
constexpr unsigned CU_MEMHOSTALLOC_WRITECOMBINED = 4;
constexpr unsigned CU_MEMHOSTREGISTER_PORTABLE = 1;
constexpr unsigned CU_MEMHOSTREGISTER_DEVICEMAP = 2;
constexpr unsigned CU_MEMHOSTREGISTER_IOMEMORY = 4;
constexpr unsigned CU_MEMHOSTREGISTER_READ_ONLY = 8;

using CUhostFn = void (*)(void* userData);
using CUstreamCallback = void (*)(CUstream hStream, CUresult status, void* userData);
using CUoccupancyB2DSize = size_t (*)(int blockSize);

struct CUuuid {
  char bytes[16];
};

struct CUdevprop {
  int maxThreadsPerBlock;
  int maxThreadsDim[3];
  int maxGridSize[3];
  int sharedMemPerBlock;
  int totalConstantMemory;
  int SIMDWidth;
  int memPitch;
  int regsPerBlock;
  int clockRate;
  int textureAlign;
};

struct CUDA_MEMCPY2D {
  size_t srcXInBytes, srcY;
  CUmemorytype srcMemoryType;
  const void* srcHost;
  CUdeviceptr srcDevice;
  CUarray srcArray;
  size_t srcPitch;
  size_t dstXInBytes, dstY;
  CUmemorytype dstMemoryType;
  void* dstHost;
  CUdeviceptr dstDevice;
  CUarray dstArray;
  size_t dstPitch;
  size_t WidthInBytes, Height;
};

struct CUDA_MEMCPY3D {
  size_t srcXInBytes, srcY, srcZ, srcLOD;
  CUmemorytype srcMemoryType;
  const void* srcHost;
  CUdeviceptr srcDevice;
  CUarray srcArray;
  void* reserved0;
  size_t srcPitch, srcHeight;
  size_t dstXInBytes, dstY, dstZ, dstLOD;
  CUmemorytype dstMemoryType;
  void* dstHost;
  CUdeviceptr dstDevice;
  CUarray dstArray;
  void* reserved1;
  size_t dstPitch, dstHeight;
  size_t WidthInBytes, Height, Depth;
};

struct CUDA_MEMSET_NODE_PARAMS {
  CUdeviceptr dst;
  size_t pitch;
  unsigned int value;
  unsigned int elementSize;
  size_t width, height;
};

struct CUDA_HOST_NODE_PARAMS {
  CUhostFn fn;
  void* userData;
};

struct CUDA_KERNEL_NODE_PARAMS {
  CUfunction func;
  unsigned int gridDimX, gridDimY, gridDimZ;
  unsigned int blockDimX, blockDimY, blockDimZ;
  unsigned int sharedMemBytes;
  void** kernelParams;
  void** extra;
  CUkernel kern;
  CUcontext ctx;
};

struct CUDA_KERNEL_NODE_PARAMS_v1 {
  CUfunction func;
  unsigned int gridDimX, gridDimY, gridDimZ;
  unsigned int blockDimX, blockDimY, blockDimZ;
  unsigned int sharedMemBytes;
  void** kernelParams;
  void** extra;
};

struct CUmemLocation {
  CUmemLocationType type;
  int id;
};

struct CUmemAccessDesc {
  CUmemLocation location;
  CUmemAccess_flags flags;
};

struct CUmemPoolProps {
  CUmemAllocationType allocType;
  CUmemAllocationHandleType handleTypes;
  CUmemLocation location;
  void* win32SecurityAttributes;
  size_t maxSize;
  unsigned char reserved[56];
};

struct CUgraphExecUpdateResultInfo {
  CUgraphExecUpdateResult result;
  CUgraphNode errorNode;
  CUgraphNode errorFromNode;
};

struct CUDA_GRAPH_INSTANTIATE_PARAMS {
  cuuint64_t flags;
  CUstream hUploadStream;
  CUgraphNode hErrNode_out;
  CUgraphInstantiateResult result_out;
};

struct CUgraphEdgeData {
  unsigned char from_port, to_port, type, reserved[5];
};

union CUlaunchAttributeValue {
  char pad[64];
  int cooperative;
  int priority;
  struct {
    unsigned int x, y, z;
  } clusterDim;
  int programmaticStreamSerializationAllowed;
};

struct CUlaunchAttribute {
  CUlaunchAttributeID id;
  char pad[8 - sizeof(CUlaunchAttributeID)];
  CUlaunchAttributeValue value;
};

struct CUlaunchConfig {
  unsigned int gridDimX, gridDimY, gridDimZ;
  unsigned int blockDimX, blockDimY, blockDimZ;
  unsigned int sharedMemBytes;
  CUstream hStream;
  CUlaunchAttribute* attrs;
  unsigned int numAttrs;
};

#define ABI_SIZE(type, bytes) static_assert(sizeof(type) == (bytes), "size of " #type)
#define ABI_OFFSET(type, field, bytes) static_assert(offsetof(type, field) == (bytes), #type "." #field)
ABI_SIZE(CUuuid, 16);
ABI_SIZE(CUdevprop, 56);
ABI_OFFSET(CUdevprop, sharedMemPerBlock, 28);
ABI_OFFSET(CUdevprop, textureAlign, 52);
ABI_SIZE(CUDA_MEMCPY2D, 128);
ABI_OFFSET(CUDA_MEMCPY2D, srcDevice, 32);
ABI_OFFSET(CUDA_MEMCPY2D, srcPitch, 48);
ABI_OFFSET(CUDA_MEMCPY2D, dstMemoryType, 72);
ABI_OFFSET(CUDA_MEMCPY2D, dstDevice, 88);
ABI_OFFSET(CUDA_MEMCPY2D, dstPitch, 104);
ABI_OFFSET(CUDA_MEMCPY2D, WidthInBytes, 112);
ABI_SIZE(CUDA_MEMCPY3D, 200);
ABI_OFFSET(CUDA_MEMCPY3D, srcDevice, 48);
ABI_OFFSET(CUDA_MEMCPY3D, srcPitch, 72);
ABI_OFFSET(CUDA_MEMCPY3D, srcHeight, 80);
ABI_OFFSET(CUDA_MEMCPY3D, dstMemoryType, 120);
ABI_OFFSET(CUDA_MEMCPY3D, dstDevice, 136);
ABI_OFFSET(CUDA_MEMCPY3D, dstPitch, 160);
ABI_OFFSET(CUDA_MEMCPY3D, Depth, 192);
ABI_SIZE(CUDA_MEMSET_NODE_PARAMS, 40);
ABI_OFFSET(CUDA_MEMSET_NODE_PARAMS, elementSize, 20);
ABI_OFFSET(CUDA_MEMSET_NODE_PARAMS, height, 32);
ABI_SIZE(CUDA_HOST_NODE_PARAMS, 16);
ABI_SIZE(CUDA_KERNEL_NODE_PARAMS, 72);
ABI_OFFSET(CUDA_KERNEL_NODE_PARAMS, kernelParams, 40);
ABI_OFFSET(CUDA_KERNEL_NODE_PARAMS, ctx, 64);
ABI_SIZE(CUDA_KERNEL_NODE_PARAMS_v1, 56);
ABI_SIZE(CUmemLocation, 8);
ABI_SIZE(CUmemAccessDesc, 12);
ABI_SIZE(CUmemPoolProps, 88);
ABI_OFFSET(CUmemPoolProps, location, 8);
ABI_OFFSET(CUmemPoolProps, maxSize, 24);
ABI_SIZE(CUgraphExecUpdateResultInfo, 24);
ABI_OFFSET(CUgraphExecUpdateResultInfo, errorNode, 8);
ABI_SIZE(CUDA_GRAPH_INSTANTIATE_PARAMS, 32);
ABI_OFFSET(CUDA_GRAPH_INSTANTIATE_PARAMS, result_out, 24);
ABI_SIZE(CUgraphEdgeData, 8);
ABI_SIZE(CUlaunchAttribute, 72);
ABI_OFFSET(CUlaunchAttribute, value, 8);
ABI_SIZE(CUlaunchConfig, 56);
ABI_OFFSET(CUlaunchConfig, hStream, 32);
ABI_OFFSET(CUlaunchConfig, numAttrs, 48);
#undef ABI_SIZE
#undef ABI_OFFSET
