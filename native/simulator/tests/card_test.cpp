// Devices: what is simulated and how it presents itself.
#include <gtest/gtest.h>

#include <cstdlib>
#include <cstring>
#include <string>

#include "support/driver.h"

namespace simulator::tests {
namespace {

int attribute(CUdevice_attribute which, CUdevice device = 0) {
  int value = -1;
  EXPECT_CU(CUDA_SUCCESS, cuDeviceGetAttribute(&value, which, device));
  return value;
}

class Card : public testing::Test {
 protected:
  void SetUp() override { ASSERT_CU(cuInit(0)); }
};

TEST_F(Card, HasTheFiguresOfARealOne) {
  if (!driver().ours()) GTEST_SKIP() << "the models of cards are our simulator's";
  struct Model {
    int capability, multiprocessors, threads, blocks, shared, optin;
  };
  // CUDA C++ Programming Guide, technical specifications per compute capability; multiprocessors of the
  // product.
  const Model models[] = {{80, 108, 2048, 32, 167936, 166912},
                          {86, 84, 1536, 16, 102400, 101376},
                          {89, 142, 1536, 24, 102400, 101376},
                          {90, 132, 2048, 32, 233472, 232448}};
  const int capability = 10 * attribute(CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR) +
                         attribute(CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR);
  const char* asked = std::getenv("KERNELS_SIM_CC");
  const std::string version = asked && *asked ? asked : "9.0";
  EXPECT_EQ(capability, (version[0] - '0') * 10 + (version[2] - '0'));
  for (const Model& model : models) {
    if (model.capability != capability) continue;
    EXPECT_EQ(attribute(CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT), model.multiprocessors);
    EXPECT_EQ(attribute(CU_DEVICE_ATTRIBUTE_MAX_THREADS_PER_MULTIPROCESSOR), model.threads);
    EXPECT_EQ(attribute(CU_DEVICE_ATTRIBUTE_MAX_BLOCKS_PER_MULTIPROCESSOR), model.blocks);
    EXPECT_EQ(attribute(CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_MULTIPROCESSOR), model.shared);
    EXPECT_EQ(attribute(CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN), model.optin);
  }
  EXPECT_EQ(attribute(CU_DEVICE_ATTRIBUTE_RESERVED_SHARED_MEMORY_PER_BLOCK), 1024);
}

TEST_F(Card, AnswersWhatProgramsAsk) {
  EXPECT_EQ(attribute(CU_DEVICE_ATTRIBUTE_WARP_SIZE), 32);
  EXPECT_EQ(attribute(CU_DEVICE_ATTRIBUTE_MAX_THREADS_PER_BLOCK), 1024);
  EXPECT_EQ(attribute(CU_DEVICE_ATTRIBUTE_MAX_BLOCK_DIM_Z), 64);
  EXPECT_EQ(attribute(CU_DEVICE_ATTRIBUTE_MAX_GRID_DIM_X), 2147483647);
  EXPECT_EQ(attribute(CU_DEVICE_ATTRIBUTE_MAX_GRID_DIM_Y), 65535);
  EXPECT_EQ(attribute(CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK), 49152);
  EXPECT_EQ(attribute(CU_DEVICE_ATTRIBUTE_MAX_REGISTERS_PER_BLOCK), 65536);
  EXPECT_EQ(attribute(CU_DEVICE_ATTRIBUTE_UNIFIED_ADDRESSING), 1);
  EXPECT_EQ(attribute(CU_DEVICE_ATTRIBUTE_COOPERATIVE_LAUNCH), 1);
  EXPECT_EQ(attribute(CU_DEVICE_ATTRIBUTE_MEMORY_POOLS_SUPPORTED), 1);
  EXPECT_GT(attribute(CU_DEVICE_ATTRIBUTE_CLOCK_RATE), 0);
  EXPECT_GT(attribute(CU_DEVICE_ATTRIBUTE_L2_CACHE_SIZE), 0);
  int value = 0;
  EXPECT_CU(CUDA_ERROR_INVALID_VALUE, cuDeviceGetAttribute(&value, static_cast<CUdevice_attribute>(10000), 0));
  EXPECT_CU(CUDA_ERROR_INVALID_VALUE, cuDeviceGetAttribute(nullptr, CU_DEVICE_ATTRIBUTE_WARP_SIZE, 0));
  EXPECT_CU(CUDA_ERROR_INVALID_DEVICE, cuDeviceGetAttribute(&value, CU_DEVICE_ATTRIBUTE_WARP_SIZE, 99));
}

TEST_F(Card, HasANameAUuidAndABusId) {
  char name[64];
  EXPECT_CU(CUDA_SUCCESS, cuDeviceGetName(name, sizeof name, 0));
  EXPECT_GT(std::strlen(name), 3u);
  char cut[4] = "###";
  EXPECT_CU(CUDA_SUCCESS, cuDeviceGetName(cut, sizeof cut, 0));
  EXPECT_EQ(std::string(cut), std::string(name).substr(0, 3));
  CUuuid one{}, again{};
  EXPECT_CU(CUDA_SUCCESS, cuDeviceGetUuid_v2(&one, 0));
  EXPECT_CU(CUDA_SUCCESS, cuDeviceGetUuid_v2(&again, 0));
  EXPECT_EQ(std::memcmp(&one, &again, sizeof one), 0);
  char bus[32];
  EXPECT_CU(CUDA_SUCCESS, cuDeviceGetPCIBusId(bus, sizeof bus, 0));
  EXPECT_EQ(std::strlen(bus), 12u) << bus;
  size_t memory = 0;
  EXPECT_CU(CUDA_SUCCESS, cuDeviceTotalMem_v2(&memory, 0));
  EXPECT_GT(memory, 0u);
}

TEST_F(Card, ReportsTheDriversVersion) {
  int version = 0;
  EXPECT_CU(CUDA_SUCCESS, cuDriverGetVersion(&version));
  EXPECT_EQ(version, 12040);
  EXPECT_CU(CUDA_ERROR_INVALID_VALUE, cuDriverGetVersion(nullptr));
  EXPECT_CU(CUDA_ERROR_INVALID_VALUE, cuInit(1));
}

TEST_F(Card, RefusesOrdinalsThatAreNotThere) {
  int count = 0;
  ASSERT_CU(cuDeviceGetCount(&count));
  EXPECT_GE(count, 1);
  CUdevice device = -1;
  EXPECT_CU(CUDA_SUCCESS, cuDeviceGet(&device, count - 1));
  EXPECT_CU(CUDA_ERROR_INVALID_DEVICE, cuDeviceGet(&device, count));
  EXPECT_CU(CUDA_ERROR_INVALID_DEVICE, cuDeviceGet(&device, -1));
}

class TwoDevices : public Card {
 protected:
  void SetUp() override {
    Card::SetUp();
    int count = 0;
    ASSERT_CU(cuDeviceGetCount(&count));
    if (count != 2) GTEST_SKIP() << "needs KERNELS_SIM_DEVICES=2, which the ctest entry two-devices sets";
  }
};

TEST_F(TwoDevices, AreToldApart) {
  CUuuid first{}, second{};
  EXPECT_CU(CUDA_SUCCESS, cuDeviceGetUuid_v2(&first, 0));
  EXPECT_CU(CUDA_SUCCESS, cuDeviceGetUuid_v2(&second, 1));
  EXPECT_NE(std::memcmp(&first, &second, sizeof first), 0);
  EXPECT_NE(attribute(CU_DEVICE_ATTRIBUTE_PCI_BUS_ID, 0), attribute(CU_DEVICE_ATTRIBUTE_PCI_BUS_ID, 1));
}

TEST_F(TwoDevices, HaveMemoryAndContextsOfTheirOwn) {
  CUcontext contexts[2] = {};
  size_t before[2], total = 0;
  for (const int device : {0, 1}) {
    ASSERT_CU(cuDevicePrimaryCtxRetain(&contexts[device], device));
    ASSERT_CU(cuCtxSetCurrent(contexts[device]));
    ASSERT_CU(cuMemGetInfo_v2(&before[device], &total));
  }
  EXPECT_NE(contexts[0], contexts[1]);
  CUdeviceptr memory = 0;
  ASSERT_CU(cuMemAlloc_v2(&memory, 1 << 20));  // on device 1
  int ordinal = -1;
  EXPECT_CU(CUDA_SUCCESS, cuPointerGetAttribute(&ordinal, CU_POINTER_ATTRIBUTE_DEVICE_ORDINAL, memory));
  EXPECT_EQ(ordinal, 1);
  for (const int device : {0, 1}) {
    size_t now = 0;
    ASSERT_CU(cuCtxSetCurrent(contexts[device]));
    ASSERT_CU(cuMemGetInfo_v2(&now, &total));
    EXPECT_EQ(before[device] - now, device == 1 ? size_t{1} << 20 : 0u);
  }
  // Launches go to the context that is current, events are recorded in streams of their own context; waits
  // cross devices.
  CUstream stream = nullptr;
  CUevent event = nullptr;
  ASSERT_CU(cuStreamCreate(&stream, 0));  // on device 1
  ASSERT_CU(cuCtxSetCurrent(contexts[0]));
  ASSERT_CU(cuEventCreate(&event, 0));  // on device 0
  EXPECT_CU(CUDA_ERROR_INVALID_HANDLE, cuEventRecord(event, stream));
  EXPECT_CU(CUDA_SUCCESS, cuEventRecord(event, nullptr));
  EXPECT_CU(CUDA_SUCCESS, cuStreamWaitEvent(stream, event, 0));
  EXPECT_CU(CUDA_SUCCESS, cuEventDestroy_v2(event));
  ASSERT_CU(cuCtxSetCurrent(contexts[1]));
  EXPECT_CU(CUDA_SUCCESS, cuStreamDestroy_v2(stream));
  EXPECT_CU(CUDA_SUCCESS, cuMemFree_v2(memory));
  for (const int device : {0, 1}) EXPECT_CU(CUDA_SUCCESS, cuDevicePrimaryCtxRelease_v2(device));
  ASSERT_CU(cuCtxSetCurrent(nullptr));
}

TEST(NoDevice, IsWhatCuInitAnswers) {
  const char* devices = std::getenv("KERNELS_SIM_DEVICES");
  if (!devices || std::string(devices) != "0")
    GTEST_SKIP() << "needs KERNELS_SIM_DEVICES=0, which the ctest entry no-device sets";
  EXPECT_CU(CUDA_ERROR_NO_DEVICE, cuInit(0));
  int count = 0;
  EXPECT_CU(CUDA_ERROR_NOT_INITIALIZED, cuDeviceGetCount(&count));
  const char* name = nullptr;
  EXPECT_CU(CUDA_SUCCESS, cuGetErrorName(CUDA_ERROR_NO_DEVICE, &name));  // needs no initialisation
  EXPECT_STREQ(name, "CUDA_ERROR_NO_DEVICE");
}

}  // namespace
}  // namespace simulator::tests
