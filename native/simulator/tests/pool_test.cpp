// Stream-ordered pools and the limit of device memory.
#include "support/device_test.h"

namespace simulator::tests {
namespace {

class Pool : public DeviceTest {
 protected:
  static uint64_t get(CUmemoryPool pool, CUmemPool_attribute which) {
    cuuint64_t value = ~0ull;
    EXPECT_CU(CUDA_SUCCESS, cuMemPoolGetAttribute(pool, which, &value));
    return value;
  }
  CUmemoryPool create() {
    CUmemPoolProps properties{};
    properties.allocType = CU_MEM_ALLOCATION_TYPE_PINNED;
    properties.location = {CU_MEM_LOCATION_TYPE_DEVICE, 0};
    CUmemoryPool pool = nullptr;
    EXPECT_CU(CUDA_SUCCESS, cuMemPoolCreate(&pool, &properties));
    return pool;
  }
};

TEST_F(Pool, AllocatesAndFreesInStreamOrder) {
  CUstream stream = nullptr;
  ASSERT_CU(cuStreamCreate(&stream, CU_STREAM_NON_BLOCKING));
  CUdeviceptr memory = 0;
  ASSERT_CU(cuMemAllocAsync(&memory, 1000, stream));
  EXPECT_CU(CUDA_SUCCESS, cuMemsetD8Async(memory, 7, 1000, stream));
  std::vector<uint8_t> bytes(1000);
  EXPECT_CU(CUDA_SUCCESS, cuMemcpyDtoHAsync_v2(bytes.data(), memory, 1000, stream));
  EXPECT_CU(CUDA_SUCCESS, cuMemFreeAsync(memory, stream));
  if (driver().ours()) {
    EXPECT_CU(CUDA_ERROR_INVALID_VALUE, cuMemFreeAsync(memory, stream));
  }
  EXPECT_CU(CUDA_SUCCESS, cuStreamSynchronize(stream));
  EXPECT_EQ(bytes, std::vector<uint8_t>(1000, 7));
  EXPECT_CU(CUDA_ERROR_INVALID_VALUE, cuMemcpyDtoH_v2(bytes.data(), memory, 1));
  EXPECT_CU(CUDA_SUCCESS, cuStreamDestroy_v2(stream));
}

TEST_F(Pool, FreesPooledMemoryByEitherCall) {
  CUdeviceptr memory = 0;
  ASSERT_CU(cuMemAllocAsync(&memory, 64, nullptr));
  EXPECT_CU(CUDA_SUCCESS, cuMemFree_v2(memory));
  if (!driver().ours()) return;
  ASSERT_CU(cuMemAlloc_v2(&memory, 64));
  EXPECT_CU(CUDA_ERROR_INVALID_VALUE, cuMemFreeAsync(memory, nullptr));
  EXPECT_CU(CUDA_SUCCESS, cuMemFree_v2(memory));
}

TEST_F(Pool, KeepsAccountsOfUsedAndReserved) {
  if (!driver().ours()) GTEST_SKIP() << "other implementations keep no accounts";
  const CUmemoryPool pool = create();
  CUdeviceptr a = 0, b = 0;
  const size_t mega = 1 << 20;
  ASSERT_CU(cuMemAllocFromPoolAsync(&a, 3 * mega, pool, nullptr));
  ASSERT_CU(cuMemAllocFromPoolAsync(&b, mega, pool, nullptr));
  EXPECT_EQ(get(pool, CU_MEMPOOL_ATTR_USED_MEM_CURRENT), 4 * mega);
  EXPECT_GE(get(pool, CU_MEMPOOL_ATTR_RESERVED_MEM_CURRENT), 4 * mega);
  CUmemoryPool owner = nullptr;
  EXPECT_CU(CUDA_SUCCESS, cuPointerGetAttribute(&owner, CU_POINTER_ATTRIBUTE_MEMPOOL_HANDLE, a));
  EXPECT_EQ(owner, pool);
  // Without a threshold, memory goes back at the next synchronisation; with one it stays.
  cuuint64_t threshold = UINT64_MAX;
  EXPECT_CU(CUDA_SUCCESS, cuMemPoolSetAttribute(pool, CU_MEMPOOL_ATTR_RELEASE_THRESHOLD, &threshold));
  EXPECT_CU(CUDA_SUCCESS, cuMemFreeAsync(a, nullptr));
  EXPECT_CU(CUDA_SUCCESS, cuCtxSynchronize());
  EXPECT_EQ(get(pool, CU_MEMPOOL_ATTR_USED_MEM_CURRENT), mega);
  EXPECT_GE(get(pool, CU_MEMPOOL_ATTR_RESERVED_MEM_CURRENT), 4 * mega);
  size_t free = 0, total = 0;
  EXPECT_CU(CUDA_SUCCESS, cuMemGetInfo_v2(&free, &total));
  EXPECT_EQ(total - free, get(pool, CU_MEMPOOL_ATTR_RESERVED_MEM_CURRENT));
  EXPECT_CU(CUDA_SUCCESS, cuMemPoolTrimTo(pool, 0));
  EXPECT_EQ(get(pool, CU_MEMPOOL_ATTR_RESERVED_MEM_CURRENT), 2 * mega);
  threshold = 0;
  EXPECT_CU(CUDA_SUCCESS, cuMemPoolSetAttribute(pool, CU_MEMPOOL_ATTR_RELEASE_THRESHOLD, &threshold));
  EXPECT_CU(CUDA_SUCCESS, cuMemFreeAsync(b, nullptr));
  EXPECT_CU(CUDA_SUCCESS, cuStreamSynchronize(nullptr));
  EXPECT_EQ(get(pool, CU_MEMPOOL_ATTR_RESERVED_MEM_CURRENT), 0u);
  EXPECT_EQ(get(pool, CU_MEMPOOL_ATTR_USED_MEM_HIGH), 4 * mega);
  cuuint64_t zero = 0;
  EXPECT_CU(CUDA_SUCCESS, cuMemPoolSetAttribute(pool, CU_MEMPOOL_ATTR_USED_MEM_HIGH, &zero));
  EXPECT_EQ(get(pool, CU_MEMPOOL_ATTR_USED_MEM_HIGH), 0u);
  EXPECT_CU(CUDA_ERROR_INVALID_VALUE, cuMemPoolSetAttribute(pool, CU_MEMPOOL_ATTR_USED_MEM_CURRENT, &zero));
  EXPECT_CU(CUDA_SUCCESS, cuMemPoolDestroy(pool));
  EXPECT_CU(CUDA_ERROR_INVALID_HANDLE, cuMemPoolTrimTo(pool, 0));
}

TEST_F(Pool, BelongsToItsDevice) {
  CUmemoryPool standard = nullptr, current = nullptr;
  EXPECT_CU(CUDA_SUCCESS, cuDeviceGetDefaultMemPool(&standard, 0));
  EXPECT_CU(CUDA_SUCCESS, cuDeviceGetMemPool(&current, 0));
  EXPECT_EQ(standard, current);
  const CUmemoryPool own = create();
  EXPECT_CU(CUDA_SUCCESS, cuDeviceSetMemPool(0, own));
  EXPECT_CU(CUDA_SUCCESS, cuDeviceGetMemPool(&current, 0));
  EXPECT_EQ(current, own);
  EXPECT_CU(CUDA_SUCCESS, cuDeviceSetMemPool(0, standard));
  EXPECT_CU(CUDA_SUCCESS, cuMemPoolDestroy(own));
}

class MemoryLimit : public DeviceTest {
 protected:
  static constexpr size_t limit = size_t{64} << 20;
  void SetUp() override {
    DeviceTest::SetUp();
    size_t total = 0;
    ASSERT_CU(cuDeviceTotalMem_v2(&total, 0));
    if (total != limit) GTEST_SKIP() << "needs KERNELS_SIM_MEMORY=64M, which the ctest entry memory-limit sets";
  }
};

TEST_F(MemoryLimit, HoldsToTheByte) {
  CUdeviceptr most = 0, one = 0;
  ASSERT_CU(cuMemAlloc_v2(&most, limit));
  EXPECT_CU(CUDA_ERROR_OUT_OF_MEMORY, cuMemAlloc_v2(&one, 1));
  size_t free = 1, total = 0;
  EXPECT_CU(CUDA_SUCCESS, cuMemGetInfo_v2(&free, &total));
  EXPECT_EQ(free, 0u);
  EXPECT_CU(CUDA_SUCCESS, cuMemFree_v2(most));
  EXPECT_CU(CUDA_SUCCESS, cuMemAlloc_v2(&most, limit));
  EXPECT_CU(CUDA_SUCCESS, cuMemFree_v2(most));
}

TEST_F(MemoryLimit, CountsWhatPoolsHold) {
  CUmemoryPool pool = nullptr;
  ASSERT_CU(cuDeviceGetDefaultMemPool(&pool, 0));
  cuuint64_t threshold = UINT64_MAX;
  ASSERT_CU(cuMemPoolSetAttribute(pool, CU_MEMPOOL_ATTR_RELEASE_THRESHOLD, &threshold));
  CUdeviceptr pooled = 0, direct = 0;
  ASSERT_CU(cuMemAllocAsync(&pooled, 40 << 20, nullptr));
  ASSERT_CU(cuMemFreeAsync(pooled, nullptr));
  ASSERT_CU(cuCtxSynchronize());
  EXPECT_CU(CUDA_ERROR_OUT_OF_MEMORY, cuMemAlloc_v2(&direct, 40 << 20));
  EXPECT_CU(CUDA_SUCCESS, cuMemPoolTrimTo(pool, 0));
  EXPECT_CU(CUDA_SUCCESS, cuMemAlloc_v2(&direct, 40 << 20));
  EXPECT_CU(CUDA_ERROR_OUT_OF_MEMORY, cuMemAllocAsync(&pooled, 40 << 20, nullptr));
  EXPECT_CU(CUDA_SUCCESS, cuMemFree_v2(direct));
  threshold = 0;
  EXPECT_CU(CUDA_SUCCESS, cuMemPoolSetAttribute(pool, CU_MEMPOOL_ATTR_RELEASE_THRESHOLD, &threshold));
}

TEST_F(MemoryLimit, LeavesPinnedMemoryAlone) {
  void* pinned = nullptr;
  ASSERT_CU(cuMemAllocHost_v2(&pinned, 80 << 20));
  EXPECT_CU(CUDA_SUCCESS, cuMemFreeHost(pinned));
}

}  // namespace
}  // namespace simulator::tests
