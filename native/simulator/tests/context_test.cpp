// Contexts: created, primary, current; what is left when they go.
#include <thread>

#include "support/device_test.h"

namespace simulator::tests {
namespace {

class ContextCalls : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_CU(cuInit(0));
    ASSERT_CU(cuCtxSetCurrent(nullptr));
  }
  static CUcontext current() {
    CUcontext context = nullptr;
    EXPECT_CU(CUDA_SUCCESS, cuCtxGetCurrent(&context));
    return context;
  }
};

TEST_F(ContextCalls, NeedACurrentContext) {
  CUdeviceptr memory = 0;
  CUdevice device = 0;
  CUstream stream = nullptr;
  EXPECT_EQ(current(), nullptr);
  EXPECT_CU(CUDA_ERROR_INVALID_CONTEXT, cuMemAlloc_v2(&memory, 16));
  EXPECT_CU(CUDA_ERROR_INVALID_CONTEXT, cuCtxSynchronize());
  EXPECT_CU(CUDA_ERROR_INVALID_CONTEXT, cuCtxGetDevice(&device));
  EXPECT_CU(CUDA_ERROR_INVALID_CONTEXT, cuStreamCreate(&stream, 0));
}

TEST_F(ContextCalls, StackContextsOnAThread) {
  CUcontext a = nullptr, b = nullptr, popped = nullptr;
  ASSERT_CU(cuCtxCreate_v2(&a, 0, 0));
  EXPECT_EQ(current(), a);
  ASSERT_CU(cuCtxCreate_v2(&b, CU_CTX_SCHED_SPIN, 0));
  EXPECT_EQ(current(), b);
  unsigned flags = 0;
  EXPECT_CU(CUDA_SUCCESS, cuCtxGetFlags(&flags));
  EXPECT_EQ(flags & CU_CTX_SCHED_MASK, static_cast<unsigned>(CU_CTX_SCHED_SPIN));
  EXPECT_CU(CUDA_SUCCESS, cuCtxPopCurrent_v2(&popped));
  EXPECT_EQ(popped, b);
  EXPECT_EQ(current(), a);
  EXPECT_CU(CUDA_SUCCESS, cuCtxPushCurrent_v2(b));
  EXPECT_EQ(current(), b);
  EXPECT_CU(CUDA_SUCCESS, cuCtxSetCurrent(a));  // replaces the top
  EXPECT_EQ(current(), a);
  EXPECT_CU(CUDA_SUCCESS, cuCtxPopCurrent_v2(&popped));
  EXPECT_EQ(current(), a);
  std::thread([&] {
    EXPECT_EQ(current(), nullptr);  // every thread has its own
    EXPECT_CU(CUDA_SUCCESS, cuCtxSetCurrent(b));
    CUdeviceptr memory = 0;
    EXPECT_CU(CUDA_SUCCESS, cuMemAlloc_v2(&memory, 16));
    EXPECT_CU(CUDA_SUCCESS, cuMemFree_v2(memory));
  }).join();
  unsigned long long id_a = 0, id_b = 0;
  EXPECT_CU(CUDA_SUCCESS, cuCtxGetId(a, &id_a));
  EXPECT_CU(CUDA_SUCCESS, cuCtxGetId(b, &id_b));
  EXPECT_NE(id_a, id_b);
  unsigned version = 0;
  EXPECT_CU(CUDA_SUCCESS, cuCtxGetApiVersion(a, &version));
  EXPECT_GE(version, 3010u);
  EXPECT_CU(CUDA_SUCCESS, cuCtxDestroy_v2(b));
  EXPECT_CU(CUDA_SUCCESS, cuCtxDestroy_v2(a));
  EXPECT_EQ(current(), nullptr);
  EXPECT_CU(CUDA_ERROR_INVALID_CONTEXT, cuCtxPopCurrent_v2(&popped));
}

TEST_F(ContextCalls, TakeEverythingAlongWhenAContextIsDestroyed) {
  CUcontext doomed = nullptr, other = nullptr;
  ASSERT_CU(cuCtxCreate_v2(&other, 0, 0));
  ASSERT_CU(cuCtxCreate_v2(&doomed, 0, 0));
  CUdeviceptr memory = 0;
  CUstream stream = nullptr;
  CUevent event = nullptr;
  ASSERT_CU(cuMemAlloc_v2(&memory, 1 << 20));
  ASSERT_CU(cuStreamCreate(&stream, 0));
  ASSERT_CU(cuEventCreate(&event, 0));
  ASSERT_CU(cuCtxDestroy_v2(doomed));
  EXPECT_EQ(current(), other);
  if (driver().ours()) {  // real drivers may crash here instead
    EXPECT_CU(CUDA_ERROR_CONTEXT_IS_DESTROYED, cuStreamSynchronize(stream));
    EXPECT_CU(CUDA_ERROR_CONTEXT_IS_DESTROYED, cuEventQuery(event));
    EXPECT_CU(CUDA_ERROR_CONTEXT_IS_DESTROYED, cuCtxSetCurrent(doomed));
    EXPECT_CU(CUDA_ERROR_CONTEXT_IS_DESTROYED, cuCtxDestroy_v2(doomed));
    EXPECT_CU(CUDA_ERROR_INVALID_VALUE, cuMemFree_v2(memory));
  }
  ASSERT_CU(cuCtxDestroy_v2(other));
}

TEST_F(ContextCalls, AnswerThatTheContextIsDestroyedOnThreadsThatStillHaveIt) {
  if (!driver().ours()) GTEST_SKIP() << "handles are validated by our simulator";
  CUcontext context = nullptr;
  ASSERT_CU(cuCtxCreate_v2(&context, 0, 0));
  std::thread([&] { EXPECT_CU(CUDA_SUCCESS, cuCtxDestroy_v2(context)); }).join();
  EXPECT_CU(CUDA_ERROR_CONTEXT_IS_DESTROYED, cuCtxSynchronize());
  EXPECT_CU(CUDA_SUCCESS, cuCtxSetCurrent(nullptr));
  EXPECT_CU(CUDA_ERROR_INVALID_CONTEXT, cuCtxSetCurrent(reinterpret_cast<CUcontext>(uintptr_t{0x1234})));
}

TEST_F(ContextCalls, CountRetainsOfThePrimaryContext) {
  unsigned flags = 9;
  int active = 9;
  EXPECT_CU(CUDA_SUCCESS, cuDevicePrimaryCtxGetState(0, &flags, &active));
  EXPECT_EQ(active, 0);
  EXPECT_CU(CUDA_SUCCESS, cuDevicePrimaryCtxSetFlags_v2(0, CU_CTX_SCHED_BLOCKING_SYNC));
  CUcontext first = nullptr, second = nullptr;
  ASSERT_CU(cuDevicePrimaryCtxRetain(&first, 0));
  ASSERT_CU(cuDevicePrimaryCtxRetain(&second, 0));
  EXPECT_EQ(first, second);
  EXPECT_EQ(current(), nullptr);  // retaining makes nothing current
  ASSERT_CU(cuCtxSetCurrent(first));
  EXPECT_CU(CUDA_SUCCESS, cuDevicePrimaryCtxGetState(0, &flags, &active));
  EXPECT_EQ(active, 1);
  EXPECT_EQ(flags & CU_CTX_SCHED_MASK, static_cast<unsigned>(CU_CTX_SCHED_BLOCKING_SYNC));
  EXPECT_CU(CUDA_ERROR_INVALID_CONTEXT, cuCtxDestroy_v2(first));
  EXPECT_CU(CUDA_SUCCESS, cuDevicePrimaryCtxRelease_v2(0));
  EXPECT_CU(CUDA_SUCCESS, cuCtxSynchronize());
  EXPECT_CU(CUDA_SUCCESS, cuDevicePrimaryCtxRelease_v2(0));
  EXPECT_CU(CUDA_SUCCESS, cuDevicePrimaryCtxGetState(0, &flags, &active));
  EXPECT_EQ(active, 0);
  if (driver().ours()) {
    EXPECT_CU(CUDA_ERROR_CONTEXT_IS_DESTROYED, cuCtxSynchronize());
    EXPECT_CU(CUDA_ERROR_INVALID_VALUE, cuDevicePrimaryCtxSetFlags_v2(0, 0x10000));
  }
  EXPECT_CU(CUDA_ERROR_INVALID_CONTEXT, cuDevicePrimaryCtxRelease_v2(0));
  // Retained again it is the same handle, alive again.
  ASSERT_CU(cuDevicePrimaryCtxRetain(&second, 0));
  EXPECT_EQ(first, second);
  EXPECT_CU(CUDA_SUCCESS, cuCtxSynchronize());
  EXPECT_CU(CUDA_SUCCESS, cuDevicePrimaryCtxRelease_v2(0));
  EXPECT_CU(CUDA_SUCCESS, cuDevicePrimaryCtxSetFlags_v2(0, 0));
  ASSERT_CU(cuCtxSetCurrent(nullptr));
}

TEST_F(ContextCalls, ResetThePrimaryContextWithItsMemory) {
  if (!driver().ours()) GTEST_SKIP() << "known difference of other implementations: a reset keeps the memory";
  CUcontext context = nullptr;
  ASSERT_CU(cuDevicePrimaryCtxRetain(&context, 0));
  ASSERT_CU(cuCtxSetCurrent(context));
  size_t before = 0, after = 0, total = 0;
  ASSERT_CU(cuMemGetInfo_v2(&before, &total));
  CUdeviceptr memory = 0;
  ASSERT_CU(cuMemAlloc_v2(&memory, 1 << 20));
  EXPECT_CU(CUDA_SUCCESS, cuDevicePrimaryCtxReset_v2(0));
  ASSERT_CU(cuDevicePrimaryCtxRetain(&context, 0));
  ASSERT_CU(cuCtxSetCurrent(context));
  ASSERT_CU(cuMemGetInfo_v2(&after, &total));
  EXPECT_EQ(before, after);
  EXPECT_CU(CUDA_SUCCESS, cuDevicePrimaryCtxRelease_v2(0));
  EXPECT_CU(CUDA_SUCCESS, cuDevicePrimaryCtxRelease_v2(0));  // a reset takes no retain away
  ASSERT_CU(cuCtxSetCurrent(nullptr));
}

TEST_F(ContextCalls, KeepLimitsAndTellPriorities) {
  CUcontext context = nullptr;
  ASSERT_CU(cuCtxCreate_v2(&context, 0, 0));
  size_t value = 0;
  EXPECT_CU(CUDA_SUCCESS, cuCtxGetLimit(&value, CU_LIMIT_STACK_SIZE));
  EXPECT_GT(value, 0u);
  EXPECT_CU(CUDA_SUCCESS, cuCtxSetLimit(CU_LIMIT_STACK_SIZE, 4096));
  EXPECT_CU(CUDA_SUCCESS, cuCtxGetLimit(&value, CU_LIMIT_STACK_SIZE));
  EXPECT_EQ(value, 4096u);
  EXPECT_CU(CUDA_ERROR_UNSUPPORTED_LIMIT, cuCtxGetLimit(&value, static_cast<CUlimit>(99)));
  int least = 9, greatest = 9;
  EXPECT_CU(CUDA_SUCCESS, cuCtxGetStreamPriorityRange(&least, &greatest));
  EXPECT_EQ(least, 0);
  EXPECT_LT(greatest, 0);
  ASSERT_CU(cuCtxDestroy_v2(context));
}

TEST_F(ContextCalls, NameErrors) {
  const char* text = nullptr;
  EXPECT_CU(CUDA_SUCCESS, cuGetErrorName(CUDA_ERROR_ILLEGAL_ADDRESS, &text));
  EXPECT_STREQ(text, "CUDA_ERROR_ILLEGAL_ADDRESS");
  EXPECT_CU(CUDA_SUCCESS, cuGetErrorString(CUDA_ERROR_ILLEGAL_ADDRESS, &text));
  EXPECT_STREQ(text, "an illegal memory access was encountered");
  EXPECT_CU(CUDA_ERROR_INVALID_VALUE, cuGetErrorName(static_cast<CUresult>(12345), &text));
  EXPECT_EQ(text, nullptr);
}

}  // namespace
}  // namespace simulator::tests
