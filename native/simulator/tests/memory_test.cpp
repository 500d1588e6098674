// Allocation, copies, sets and pointer queries.
#include <sys/mman.h>
#include <unistd.h>

#include <cstdlib>
#include <numeric>

#include "support/device_test.h"

namespace simulator::tests {
namespace {

class MemoryCalls : public DeviceTest {};

std::vector<uint8_t> counted(size_t n, uint8_t start = 0) {
  std::vector<uint8_t> bytes(n);
  std::iota(bytes.begin(), bytes.end(), start);
  return bytes;
}

TEST_F(MemoryCalls, FreeOnlyWhatWasAllocated) {
  CUdeviceptr memory = 0;
  EXPECT_CU(CUDA_ERROR_INVALID_VALUE, cuMemAlloc_v2(&memory, 0));
  EXPECT_CU(CUDA_ERROR_INVALID_VALUE, cuMemAlloc_v2(nullptr, 16));
  ASSERT_CU(cuMemAlloc_v2(&memory, 100));
  EXPECT_EQ(memory % 256, 0u);
  EXPECT_CU(CUDA_ERROR_INVALID_VALUE, cuMemFree_v2(memory + 8));
  EXPECT_CU(CUDA_SUCCESS, cuMemFree_v2(memory));
  EXPECT_CU(CUDA_ERROR_INVALID_VALUE, cuMemFree_v2(memory));
  EXPECT_CU(CUDA_ERROR_INVALID_VALUE, cuMemFree_v2(0x1234));
  EXPECT_CU(CUDA_SUCCESS, cuMemFree_v2(0));
}

TEST_F(MemoryCalls, AccountForEveryByte) {
  size_t before = 0, during = 0, after = 0, total = 0;
  ASSERT_CU(cuMemGetInfo_v2(&before, &total));
  CUdeviceptr memory = 0;
  ASSERT_CU(cuMemAlloc_v2(&memory, 3 << 20));
  ASSERT_CU(cuMemGetInfo_v2(&during, &total));
  EXPECT_EQ(before - during, size_t{3} << 20);
  ASSERT_CU(cuMemFree_v2(memory));
  ASSERT_CU(cuMemGetInfo_v2(&after, nullptr));
  EXPECT_EQ(before, after);
  size_t of_device = 0;
  ASSERT_CU(cuDeviceTotalMem_v2(&of_device, device_));
  EXPECT_EQ(total, of_device);
}

TEST_F(MemoryCalls, CopyInEveryDirection) {
  Buffer<uint8_t> a(256), b(256);
  const auto bytes = counted(256);
  std::vector<uint8_t> back(256);
  ASSERT_CU(cuMemcpyHtoD_v2(a.address(), bytes.data(), 256));
  ASSERT_CU(cuMemcpyDtoD_v2(b.address(), a.address(), 256));
  ASSERT_CU(cuMemcpyDtoH_v2(back.data(), b.address(), 256));
  EXPECT_EQ(back, bytes);
  // Any pointer on either side.
  std::vector<uint8_t> unified(256);
  ASSERT_CU(cuMemsetD8_v2(b.address(), 0, 256));
  ASSERT_CU(cuMemcpy(b.address(), reinterpret_cast<CUdeviceptr>(bytes.data()), 256));
  ASSERT_CU(cuMemcpy(reinterpret_cast<CUdeviceptr>(unified.data()), b.address(), 256));
  EXPECT_EQ(unified, bytes);
  // Overlapping halves of one allocation, as memmove.
  ASSERT_CU(cuMemcpyDtoD_v2(a.address() + 1, a.address(), 100));
  ASSERT_CU(cuCtxSynchronize());
  EXPECT_EQ(a.download()[100], 99);
  ASSERT_CU(cuMemcpyHtoD_v2(a.address(), bytes.data(), 0));
}

TEST_F(MemoryCalls, RefuseCopiesPastTheEnd) {
  Buffer<uint8_t> a(100), b(200);
  std::vector<uint8_t> host(200);
  EXPECT_CU(CUDA_ERROR_INVALID_VALUE, cuMemcpyHtoD_v2(a.address(), host.data(), 101));
  EXPECT_CU(CUDA_ERROR_INVALID_VALUE, cuMemcpyHtoD_v2(a.address() + 1, host.data(), 100));
  EXPECT_CU(CUDA_ERROR_INVALID_VALUE, cuMemcpyDtoH_v2(host.data(), a.address() + 50, 51));
  EXPECT_CU(CUDA_ERROR_INVALID_VALUE, cuMemcpyDtoD_v2(a.address(), b.address(), 101));
  EXPECT_CU(CUDA_ERROR_INVALID_VALUE, cuMemcpyDtoD_v2(b.address(), a.address(), 101));
  EXPECT_CU(CUDA_ERROR_INVALID_VALUE, cuMemcpyHtoDAsync_v2(a.address(), host.data(), 101, nullptr));
  EXPECT_CU(CUDA_ERROR_INVALID_VALUE, cuMemsetD8_v2(a.address(), 1, 101));
  EXPECT_CU(CUDA_ERROR_INVALID_VALUE, cuMemsetD32_v2(a.address(), 1, 26));
  EXPECT_CU(CUDA_ERROR_INVALID_VALUE, cuMemsetD32_v2(a.address() + 2, 1, 2));
  CUdeviceptr freed = 0;
  ASSERT_CU(cuMemAlloc_v2(&freed, 64));
  ASSERT_CU(cuMemFree_v2(freed));
  EXPECT_CU(CUDA_ERROR_INVALID_VALUE, cuMemcpyHtoD_v2(freed, host.data(), 8));
  EXPECT_CU(CUDA_ERROR_INVALID_VALUE, cuMemcpyHtoD_v2(0x1000, host.data(), 8));
  EXPECT_CU(CUDA_SUCCESS, cuCtxSynchronize());  // refused calls leave the context well
  if (driver().ours()) {
    EXPECT_CU(CUDA_ERROR_INVALID_VALUE, cuMemcpyHtoD_v2(a.address(), nullptr, 8));
    EXPECT_CU(CUDA_ERROR_INVALID_VALUE, cuMemcpy(a.address(), 0x1000, 8));
    EXPECT_CU(CUDA_ERROR_INVALID_VALUE, cuMemcpyHtoD_v2(a.address(), reinterpret_cast<void*>(b.address()), 8));
  }
}

TEST_F(MemoryCalls, SetBytesWordsAndInts) {
  Buffer<uint8_t> a(counted(64));
  ASSERT_CU(cuMemsetD8_v2(a.address() + 1, 0xab, 3));
  ASSERT_CU(cuMemsetD16_v2(a.address() + 8, 0x1234, 3));
  ASSERT_CU(cuMemsetD32Async(a.address() + 20, 0xdeadbeef, 2, nullptr));
  ASSERT_CU(cuMemsetD16Async(a.address() + 32, 0x5678, 1, nullptr));
  ASSERT_CU(cuMemsetD8Async(a.address() + 40, 0xcd, 1, nullptr));
  auto expected = counted(64);
  const auto put = [&](size_t at, std::initializer_list<int> bytes) {
    for (const int byte : bytes) expected[at++] = static_cast<uint8_t>(byte);
  };
  put(1, {0xab, 0xab, 0xab});
  put(8, {0x34, 0x12, 0x34, 0x12, 0x34, 0x12});
  put(20, {0xef, 0xbe, 0xad, 0xde, 0xef, 0xbe, 0xad, 0xde});
  put(32, {0x78, 0x56});
  put(40, {0xcd});
  EXPECT_EQ(a.download(), expected);
}

TEST_F(MemoryCalls, CopyRectangles) {
  const size_t host_pitch = 50, device_pitch = 64;
  const auto source = counted(host_pitch * 10);
  Buffer<uint8_t> device(device_pitch * 10);
  ASSERT_CU(cuMemsetD8_v2(device.address(), 0xee, device_pitch * 10));
  CUDA_MEMCPY2D in{};
  in.srcMemoryType = CU_MEMORYTYPE_HOST;
  in.srcHost = source.data();
  in.srcPitch = host_pitch;
  in.srcXInBytes = 5;
  in.srcY = 2;
  in.dstMemoryType = CU_MEMORYTYPE_DEVICE;
  in.dstDevice = device.address();
  in.dstPitch = device_pitch;
  in.dstXInBytes = 7;
  in.dstY = 1;
  in.WidthInBytes = 20;
  in.Height = 6;
  ASSERT_CU(cuMemcpy2D_v2(&in));
  std::vector<uint8_t> target(20 * 6);
  CUDA_MEMCPY2D out{};
  out.srcMemoryType = CU_MEMORYTYPE_DEVICE;
  out.srcDevice = device.address();
  out.srcPitch = device_pitch;
  out.srcXInBytes = 7;
  out.srcY = 1;
  out.dstMemoryType = CU_MEMORYTYPE_HOST;
  out.dstHost = target.data();
  out.dstPitch = 20;
  out.WidthInBytes = 20;
  out.Height = 6;
  ASSERT_CU(cuMemcpy2DAsync_v2(&out, nullptr));
  ASSERT_CU(cuCtxSynchronize());
  for (size_t row = 0; row < 6; ++row)
    for (size_t x = 0; x < 20; ++x) ASSERT_EQ(target[row * 20 + x], source[(row + 2) * host_pitch + x + 5]);
  EXPECT_EQ(device.download()[device_pitch + 6], 0xee);
  EXPECT_EQ(device.download()[device_pitch + 27], 0xee);
  in.Height = 10;  // one row too many
  EXPECT_CU(CUDA_ERROR_INVALID_VALUE, cuMemcpy2D_v2(&in));
}

TEST_F(MemoryCalls, RefuseExtentsThatWrap) {
  if (!driver().ours()) GTEST_SKIP() << "others may crash";
  Buffer<uint8_t> a(4096);
  const size_t half = size_t{1} << 63;
  EXPECT_CU(CUDA_ERROR_INVALID_VALUE, cuMemsetD32_v2(a.address(), 7, size_t{1} << 62));
  EXPECT_CU(CUDA_ERROR_INVALID_VALUE, cuMemsetD32_v2(a.address(), 7, (size_t{1} << 62) + 1));
  EXPECT_CU(CUDA_ERROR_INVALID_VALUE, cuMemsetD2D32_v2(a.address(), half, 7, 4, 3));
  CUDA_MEMCPY2D device{};
  device.srcMemoryType = device.dstMemoryType = CU_MEMORYTYPE_DEVICE;
  device.srcDevice = device.dstDevice = a.address();
  device.srcPitch = device.dstPitch = half;
  device.WidthInBytes = 16;
  device.Height = 3;
  EXPECT_CU(CUDA_ERROR_INVALID_VALUE, cuMemcpy2D_v2(&device));
  std::vector<uint8_t> host(4096);
  CUDA_MEMCPY2D before{};
  before.srcMemoryType = CU_MEMORYTYPE_HOST;
  before.srcHost = host.data() + 2048;
  before.srcXInBytes = static_cast<size_t>(-16);
  before.dstMemoryType = CU_MEMORYTYPE_DEVICE;
  before.dstDevice = a.address();
  before.srcPitch = before.dstPitch = before.WidthInBytes = 16;
  before.Height = 2;
  EXPECT_CU(CUDA_ERROR_INVALID_VALUE, cuMemcpy2D_v2(&before));
  EXPECT_CU(CUDA_SUCCESS, cuCtxSynchronize());
}

TEST_F(MemoryCalls, RefuseWildHostPointers) {
  if (!driver().ours()) GTEST_SKIP() << "others may crash";
  Buffer<uint8_t> a(4096);
  CUdeviceptr freed = 0;
  ASSERT_CU(cuMemAlloc_v2(&freed, 4096));
  ASSERT_CU(cuMemFree_v2(freed));
  for (const CUdeviceptr wild : {CUdeviceptr{0x1234}, freed, a.address() + (CUdeviceptr{1} << 38), ~CUdeviceptr{15}}) {
    void* const host = reinterpret_cast<void*>(wild);
    EXPECT_CU(CUDA_ERROR_INVALID_VALUE, cuMemcpyHtoD_v2(a.address(), host, 64));
    EXPECT_CU(CUDA_ERROR_INVALID_VALUE, cuMemcpyDtoH_v2(host, a.address(), 64));
    EXPECT_CU(CUDA_ERROR_INVALID_VALUE, cuMemcpy(a.address(), wild, 64));
  }
  // Memory that ends too early.
  const auto page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  void* const pages = mmap(nullptr, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(pages, MAP_FAILED);
  munmap(static_cast<uint8_t*>(pages) + page, page);
  uint8_t* const last = static_cast<uint8_t*>(pages) + page - 64;
  EXPECT_CU(CUDA_SUCCESS, cuMemcpyHtoD_v2(a.address(), last, 64));
  EXPECT_CU(CUDA_ERROR_INVALID_VALUE, cuMemcpyHtoD_v2(a.address(), last, 65));
  munmap(pages, page);
  EXPECT_CU(CUDA_SUCCESS, cuCtxSynchronize());
}

TEST_F(MemoryCalls, RegisterOnlyMappedMemoryOnce) {
  if (!driver().ours()) GTEST_SKIP() << "others may accept anything";
  const auto page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  void* const mapped = mmap(nullptr, 4 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(mapped, MAP_FAILED);
  uint8_t* const pages = static_cast<uint8_t*>(mapped);
  ASSERT_CU(cuMemHostRegister_v2(pages + page, page, 0));
  EXPECT_CU(CUDA_ERROR_HOST_MEMORY_ALREADY_REGISTERED, cuMemHostRegister_v2(pages, 3 * page, 0));
  EXPECT_CU(CUDA_ERROR_HOST_MEMORY_ALREADY_REGISTERED, cuMemHostRegister_v2(pages + page + 16, page, 0));
  ASSERT_CU(cuMemHostRegister_v2(pages, page, 0));  // side by side
  ASSERT_CU(cuMemHostUnregister(pages));
  ASSERT_CU(cuMemHostUnregister(pages + page));
  munmap(pages + 2 * page, page);  // a hole
  EXPECT_CU(CUDA_ERROR_INVALID_VALUE, cuMemHostRegister_v2(pages, 4 * page, 0));
  EXPECT_CU(CUDA_ERROR_INVALID_VALUE, cuMemHostRegister_v2(reinterpret_cast<void*>(0x10000), page, 0));
  EXPECT_CU(CUDA_ERROR_INVALID_VALUE, cuMemHostRegister_v2(pages, ~size_t{0}, 0));
  CUdeviceptr freed = 0;
  ASSERT_CU(cuMemAlloc_v2(&freed, page));
  ASSERT_CU(cuMemFree_v2(freed));
  EXPECT_CU(CUDA_ERROR_INVALID_VALUE, cuMemHostRegister_v2(reinterpret_cast<void*>(freed), page, 0));
  munmap(pages, 2 * page);
  munmap(pages + 3 * page, page);
}

TEST_F(MemoryCalls, TellWhatAPointerIs) {
  Buffer<uint8_t> device(1000);
  const CUdeviceptr inside = device.address() + 300;
  CUcontext context = nullptr;
  unsigned type = 0, managed = 9;
  int ordinal = -1;
  CUdeviceptr start = 0;
  size_t size = 0;
  unsigned long long id = 0, other_id = 0;
  EXPECT_CU(CUDA_SUCCESS, cuPointerGetAttribute(&context, CU_POINTER_ATTRIBUTE_CONTEXT, inside));
  EXPECT_EQ(context, context_);
  EXPECT_CU(CUDA_SUCCESS, cuPointerGetAttribute(&type, CU_POINTER_ATTRIBUTE_MEMORY_TYPE, inside));
  EXPECT_EQ(type, static_cast<unsigned>(CU_MEMORYTYPE_DEVICE));
  EXPECT_CU(CUDA_SUCCESS, cuPointerGetAttribute(&ordinal, CU_POINTER_ATTRIBUTE_DEVICE_ORDINAL, inside));
  EXPECT_EQ(ordinal, 0);
  EXPECT_CU(CUDA_SUCCESS, cuPointerGetAttribute(&managed, CU_POINTER_ATTRIBUTE_IS_MANAGED, inside));
  EXPECT_EQ(managed, 0u);
  EXPECT_CU(CUDA_SUCCESS, cuPointerGetAttribute(&start, CU_POINTER_ATTRIBUTE_RANGE_START_ADDR, inside));
  EXPECT_EQ(start, device.address());
  EXPECT_CU(CUDA_SUCCESS, cuPointerGetAttribute(&size, CU_POINTER_ATTRIBUTE_RANGE_SIZE, inside));
  EXPECT_EQ(size, 1000u);
  EXPECT_CU(CUDA_SUCCESS, cuMemGetAddressRange_v2(&start, &size, inside));
  EXPECT_EQ(start, device.address());
  EXPECT_EQ(size, 1000u);
  Buffer<uint8_t> second(16);
  EXPECT_CU(CUDA_SUCCESS, cuPointerGetAttribute(&id, CU_POINTER_ATTRIBUTE_BUFFER_ID, inside));
  EXPECT_CU(CUDA_SUCCESS, cuPointerGetAttribute(&other_id, CU_POINTER_ATTRIBUTE_BUFFER_ID, second.address()));
  EXPECT_NE(id, other_id);

  int local = 0;
  EXPECT_CU(CUDA_ERROR_INVALID_VALUE,
            cuPointerGetAttribute(&type, CU_POINTER_ATTRIBUTE_MEMORY_TYPE, reinterpret_cast<CUdeviceptr>(&local)));
  CUpointer_attribute attributes[] = {CU_POINTER_ATTRIBUTE_MEMORY_TYPE, CU_POINTER_ATTRIBUTE_DEVICE_POINTER};
  CUdeviceptr pointer = 1;
  void* data[] = {&type, &pointer};
  EXPECT_CU(CUDA_SUCCESS, cuPointerGetAttributes(2, attributes, data, reinterpret_cast<CUdeviceptr>(&local)));
  EXPECT_EQ(type, 0u);
  EXPECT_EQ(pointer, 0u);

  CUdeviceptr shared = 0;
  ASSERT_CU(cuMemAllocManaged(&shared, 64, CU_MEM_ATTACH_GLOBAL));
  EXPECT_CU(CUDA_SUCCESS, cuPointerGetAttribute(&managed, CU_POINTER_ATTRIBUTE_IS_MANAGED, shared));
  EXPECT_EQ(managed, 1u);
  EXPECT_CU(CUDA_SUCCESS, cuMemFree_v2(shared));
}

TEST_F(MemoryCalls, PinAndRegisterHostMemory) {
  void* pinned = nullptr;
  ASSERT_CU(cuMemHostAlloc(&pinned, 128, CU_MEMHOSTALLOC_PORTABLE | CU_MEMHOSTALLOC_DEVICEMAP));
  unsigned flags = 0, type = 0;
  EXPECT_CU(CUDA_SUCCESS, cuMemHostGetFlags(&flags, pinned));
  EXPECT_NE(flags & CU_MEMHOSTALLOC_PORTABLE, 0u);
  EXPECT_CU(CUDA_SUCCESS,
            cuPointerGetAttribute(&type, CU_POINTER_ATTRIBUTE_MEMORY_TYPE, reinterpret_cast<CUdeviceptr>(pinned)));
  EXPECT_EQ(type, static_cast<unsigned>(CU_MEMORYTYPE_HOST));
  CUdeviceptr mapped = 0;
  EXPECT_CU(CUDA_SUCCESS, cuMemHostGetDevicePointer_v2(&mapped, pinned, 0));
  EXPECT_NE(mapped, 0u);
  Buffer<uint8_t> device(counted(128));
  EXPECT_CU(CUDA_SUCCESS, cuMemcpyDtoHAsync_v2(pinned, device.address(), 128, nullptr));
  EXPECT_CU(CUDA_SUCCESS, cuCtxSynchronize());
  EXPECT_EQ(static_cast<uint8_t*>(pinned)[77], 77);
  EXPECT_CU(CUDA_SUCCESS, cuMemFreeHost(pinned));
  EXPECT_CU(CUDA_ERROR_INVALID_VALUE, cuMemFreeHost(pinned));

  std::vector<uint8_t> own(4096);
  EXPECT_CU(CUDA_ERROR_HOST_MEMORY_NOT_REGISTERED, cuMemHostUnregister(own.data()));
  EXPECT_CU(CUDA_SUCCESS, cuMemHostRegister_v2(own.data(), own.size(), 0));
  EXPECT_CU(CUDA_ERROR_HOST_MEMORY_ALREADY_REGISTERED, cuMemHostRegister_v2(own.data(), own.size(), 0));
  EXPECT_CU(CUDA_SUCCESS, cuMemHostUnregister(own.data()));
  EXPECT_CU(CUDA_ERROR_INVALID_VALUE, cuMemHostRegister_v2(own.data(), 0, 0));
}

TEST_F(MemoryCalls, FillFreshMemoryWithNan) {
  if (!driver().ours()) GTEST_SKIP() << "what fresh memory holds is our simulator's choice";
  Buffer<float> fresh(100);
  for (const float value : fresh.download()) EXPECT_NE(value, value);
}

TEST_F(MemoryCalls, RunOutOfMemory) {
  size_t free = 0, total = 0;
  ASSERT_CU(cuMemGetInfo_v2(&free, &total));
  CUdeviceptr memory = 0;
  EXPECT_CU(CUDA_ERROR_OUT_OF_MEMORY, cuMemAlloc_v2(&memory, total + 1));
  EXPECT_CU(CUDA_ERROR_OUT_OF_MEMORY, cuMemAlloc_v2(&memory, SIZE_MAX));
  EXPECT_CU(CUDA_ERROR_OUT_OF_MEMORY, cuMemAllocAsync(&memory, total + 1, nullptr));
  EXPECT_CU(CUDA_SUCCESS, cuMemAlloc_v2(&memory, 1024));  // and go on afterwards
  EXPECT_CU(CUDA_SUCCESS, cuMemFree_v2(memory));
}

}  // namespace
}  // namespace simulator::tests
