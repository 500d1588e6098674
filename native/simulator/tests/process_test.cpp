// What a process is told at its start and tells at its end: environment variables and leaks, each in a
// process of its own.
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>

#include "support/capture_stderr.h"
#include "support/driver.h"

namespace simulator::tests {
namespace {

class Process : public testing::Test {
 protected:
  void SetUp() override {
    if (!driver().ours()) GTEST_SKIP() << "the environment variables are our simulator's";
  }

  struct Ending {
    int status = -1;
    std::string errors;
  };
  // Runs one test of ProcessChild with a variable set.
  static Ending run(const char* test, const char* variable, const char* value) {
    CaptureStderr capture;
    const pid_t child = fork();
    if (child == 0) {
      setenv(variable, value, 1);
      setenv("KERNELS_PROCESS_CHILD", "1", 1);
      if (!std::freopen("/dev/null", "w", stdout)) _exit(126);
      execl("/proc/self/exe", "simulator-tests", (std::string("--gtest_filter=ProcessChild.") + test).c_str(), nullptr);
      _exit(127);
    }
    Ending ending;
    waitpid(child, &ending.status, 0);
    ending.errors = capture.text();
    return ending;
  }
};

class ProcessChild : public testing::Test {
 protected:
  void SetUp() override {
    if (!std::getenv("KERNELS_PROCESS_CHILD")) GTEST_SKIP() << "run by the suite Process in a process of its own";
  }
};

TEST_F(ProcessChild, RefusesToInitialise) {
  EXPECT_CU(CUDA_ERROR_INVALID_VALUE, cuInit(0));
  CUdevice device = 0;
  EXPECT_CU(CUDA_ERROR_NOT_INITIALIZED, cuDeviceGet(&device, 0));
}

TEST_F(ProcessChild, LeavesObjectsBehind) {
  ASSERT_CU(cuInit(0));
  CUcontext context = nullptr;
  CUdeviceptr memory = 0;
  CUstream stream = nullptr;
  ASSERT_CU(cuCtxCreate_v2(&context, 0, 0));
  ASSERT_CU(cuMemAlloc_v2(&memory, 12345));
  ASSERT_CU(cuStreamCreate(&stream, 0));
}

TEST_F(ProcessChild, LeavesNothingBehind) {
  ASSERT_CU(cuInit(0));
  CUcontext context = nullptr;
  CUdeviceptr memory = 0;
  ASSERT_CU(cuCtxCreate_v2(&context, 0, 0));
  ASSERT_CU(cuMemAlloc_v2(&memory, 12345));
  ASSERT_CU(cuCtxDestroy_v2(context));
}

TEST_F(ProcessChild, FailsACall) {
  ASSERT_CU(cuInit(0));
  int value = 0;
  EXPECT_CU(CUDA_ERROR_INVALID_DEVICE, cuDeviceGetAttribute(&value, CU_DEVICE_ATTRIBUTE_WARP_SIZE, 42));
}

TEST_F(ProcessChild, IsRefusedWithoutAddressSpace) {
  const rlimit limit{rlim_t{4} << 30, rlim_t{4} << 30};
  ASSERT_EQ(setrlimit(RLIMIT_AS, &limit), 0);
  EXPECT_CU(CUDA_ERROR_OUT_OF_MEMORY, cuInit(0));
  CUdevice device = 0;
  EXPECT_CU(CUDA_ERROR_NOT_INITIALIZED, cuDeviceGet(&device, 0));
}

// 64 GiB leave 16 GiB for device addresses, 12 of them for allocations.
TEST_F(ProcessChild, ReusesALimitedAddressSpace) {
  const rlimit limit{rlim_t{64} << 30, rlim_t{64} << 30};
  ASSERT_EQ(setrlimit(RLIMIT_AS, &limit), 0);
  ASSERT_CU(cuInit(0));
  CUcontext context = nullptr;
  ASSERT_CU(cuCtxCreate_v2(&context, 0, 0));
  constexpr size_t mib = size_t{1} << 20, block = 921 * mib;
  CUdeviceptr first = 0, memory = 0, filler = 0, live = 0;
  const auto use = [&](CUdeviceptr* address, size_t bytes) {
    ASSERT_CU(cuMemAlloc_v2(address, bytes));
    if (first == 0) first = *address;
    EXPECT_LE(*address + bytes - first, 12288 * mib);
    EXPECT_TRUE(live == 0 || *address + bytes <= live || live + 64 * mib <= *address);
    ASSERT_CU(cuMemsetD8_v2(*address + bytes - 16, 1, 16));
    ASSERT_CU(cuMemFree_v2(*address));
  };
  for (int i = 0; i < 12; ++i) use(&memory, block);
  use(&filler, 400 * mib);
  ASSERT_CU(cuMemAlloc_v2(&live, 64 * mib));
  // The thirteenth block of the second round would begin in front of the live one and be pushed past the end.
  for (int i = 0; i < 26; ++i) use(&memory, block);
  ASSERT_CU(cuCtxDestroy_v2(context));
}

TEST_F(Process, StartsInLittleAddressSpaceOrSaysSo) {
  EXPECT_EQ(run("IsRefusedWithoutAddressSpace", "KERNELS_SIM_THREADS", "1").status, 0);
  EXPECT_EQ(run("ReusesALimitedAddressSpace", "KERNELS_SIM_THREADS", "1").status, 0);
}

TEST_F(Process, RefusesValuesItDoesNotUnderstand) {
  EXPECT_EQ(run("RefusesToInitialise", "KERNELS_SIM_CC", "7.5").status, 0);
  EXPECT_EQ(run("RefusesToInitialise", "KERNELS_SIM_MEMORY", "plenty").status, 0);
  EXPECT_EQ(run("RefusesToInitialise", "KERNELS_SIM_DEVICES", "-3").status, 0);
}

TEST_F(Process, SaysAtItsEndWhatWasLeft) {
  const Ending leaky = run("LeavesObjectsBehind", "KERNELS_SIM_LEAKS", "1");
  EXPECT_EQ(leaky.status, 0);
  EXPECT_NE(leaky.errors.find("1 contexts"), std::string::npos) << leaky.errors;
  EXPECT_NE(leaky.errors.find("1 streams"), std::string::npos) << leaky.errors;
  EXPECT_NE(leaky.errors.find("12345 device bytes"), std::string::npos) << leaky.errors;
  const Ending clean = run("LeavesNothingBehind", "KERNELS_SIM_LEAKS", "1");
  EXPECT_EQ(clean.status, 0);
  EXPECT_EQ(clean.errors.find("leaked"), std::string::npos) << clean.errors;
}

TEST_F(Process, ExplainsFailingCallsWhenAsked) {
  const Ending verbose = run("FailsACall", "KERNELS_SIM_VERBOSE", "1");
  EXPECT_EQ(verbose.status, 0);
  EXPECT_NE(verbose.errors.find("cuDeviceGetAttribute: CUDA_ERROR_INVALID_DEVICE: device 42 of 1"), std::string::npos)
      << verbose.errors;
  EXPECT_EQ(run("FailsACall", "KERNELS_SIM_VERBOSE", "0").errors.find("cuDeviceGetAttribute"), std::string::npos);
}

}  // namespace
}  // namespace simulator::tests
