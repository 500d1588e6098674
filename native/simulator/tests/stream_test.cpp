// Streams, events and host functions: order, dependencies, time. Everything here holds whether streams run on
// threads of their own (KERNELS_SIM_ASYNC=1) or not.
#include <algorithm>
#include <atomic>
#include <set>
#include <stdexcept>
#include <thread>

#include "support/device_test.h"

namespace simulator::tests {
namespace {

class Streams : public DeviceTest {
 protected:
  void SetUp() override {
    DeviceTest::SetUp();
    if (HasFatalFailure() || cannot_compile_for("compute_80")) return;
    // Slow enough that order matters, and each step depends on the one before.
    step_ = kernel("compute_80", R"(
extern "C" __global__ void step(unsigned* cell, unsigned factor, unsigned addend, int spin) {
  unsigned v = *(volatile unsigned*)cell;
  for (int i = 0; i < spin; ++i) asm volatile("");
  *cell = v * factor + addend;
})",
                   "step");
  }
  CUstream stream(unsigned flags = CU_STREAM_DEFAULT) {
    CUstream created = nullptr;
    EXPECT_CU(CUDA_SUCCESS, cuStreamCreate(&created, flags));
    return created;
  }
  void step(CUstream in, const Buffer<uint32_t>& cell, uint32_t factor, uint32_t addend, int spin = 2000) {
    const CUresult result = try_launch(step_, grid(1, 1, 0, in), cell, factor, addend, spin);
    EXPECT_EQ(result, CUDA_SUCCESS) << describe(result);
  }
  CUfunction step_ = nullptr;
};

TEST_F(Streams, RunTheirWorkInOrder) {
  Buffer<uint32_t> cell(std::vector<uint32_t>{1});
  const CUstream s = stream(CU_STREAM_NON_BLOCKING);
  uint32_t expected = 1;
  for (uint32_t i = 0; i < 50; ++i) {
    step(s, cell, 3, i);
    expected = expected * 3 + i;
  }
  uint32_t result = 0;
  EXPECT_CU(CUDA_SUCCESS, cuMemcpyDtoHAsync_v2(&result, cell.address(), 4, s));
  EXPECT_CU(CUDA_SUCCESS, cuStreamSynchronize(s));
  EXPECT_EQ(result, expected);
  EXPECT_CU(CUDA_SUCCESS, cuStreamQuery(s));
  EXPECT_CU(CUDA_SUCCESS, cuStreamDestroy_v2(s));
}

TEST_F(Streams, WaitForEventsOfEachOther) {
  Buffer<uint32_t> cell(std::vector<uint32_t>{1});
  const CUstream a = stream(CU_STREAM_NON_BLOCKING), b = stream(CU_STREAM_NON_BLOCKING);
  CUevent event = nullptr;
  ASSERT_CU(cuEventCreate(&event, CU_EVENT_DISABLE_TIMING));
  uint32_t expected = 1;
  for (uint32_t i = 0; i < 20; ++i) {
    const CUstream from = i % 2 ? a : b, to = i % 2 ? b : a;
    step(from, cell, 5, i, 20000);
    expected = expected * 5 + i;
    EXPECT_CU(CUDA_SUCCESS, cuEventRecord(event, from));
    EXPECT_CU(CUDA_SUCCESS, cuStreamWaitEvent(to, event, 0));
  }
  step(b, cell, 1, 0);
  EXPECT_CU(CUDA_SUCCESS, cuCtxSynchronize());
  EXPECT_EQ(cell.download()[0], expected);
  EXPECT_CU(CUDA_SUCCESS, cuEventDestroy_v2(event));
  EXPECT_CU(CUDA_SUCCESS, cuStreamDestroy_v2(a));
  EXPECT_CU(CUDA_SUCCESS, cuStreamDestroy_v2(b));
}

TEST_F(Streams, OrderBlockingStreamsAroundTheLegacyStream) {
  Buffer<uint32_t> cell(std::vector<uint32_t>{1});
  const CUstream a = stream(), b = stream();
  step(a, cell, 2, 1, 50000);
  step(nullptr, cell, 3, 2, 50000);
  step(b, cell, 5, 3, 50000);
  step(CU_STREAM_LEGACY, cell, 7, 4);
  step(CU_STREAM_PER_THREAD, cell, 11, 5);
  uint32_t result = 0;
  EXPECT_CU(CUDA_SUCCESS, cuMemcpyDtoH_v2(&result, cell.address(), 4));  // in the legacy stream as well
  EXPECT_EQ(result, (((((1u * 2 + 1) * 3 + 2) * 5 + 3) * 7 + 4) * 11) + 5);
  EXPECT_CU(CUDA_SUCCESS, cuStreamDestroy_v2(a));
  EXPECT_CU(CUDA_SUCCESS, cuStreamDestroy_v2(b));
}

TEST_F(Streams, FinishTheirWorkAfterTheyAreDestroyed) {
  Buffer<uint32_t> cell(std::vector<uint32_t>{1});
  const CUstream s = stream();
  CUevent event = nullptr;
  ASSERT_CU(cuEventCreate(&event, 0));
  for (uint32_t i = 0; i < 10; ++i) step(s, cell, 2, 1, 20000);
  EXPECT_CU(CUDA_SUCCESS, cuEventRecord(event, s));
  EXPECT_CU(CUDA_SUCCESS, cuStreamDestroy_v2(s));
  EXPECT_CU(CUDA_SUCCESS, cuEventSynchronize(event));
  EXPECT_EQ(cell.download()[0], 2047u);
  EXPECT_CU(CUDA_SUCCESS, cuEventDestroy_v2(event));
  if (driver().ours()) {
    EXPECT_CU(CUDA_ERROR_INVALID_HANDLE, cuStreamSynchronize(s));
    EXPECT_CU(CUDA_ERROR_INVALID_HANDLE, cuStreamDestroy_v2(s));
    EXPECT_CU(CUDA_ERROR_INVALID_HANDLE, cuEventRecord(event, nullptr));
    EXPECT_CU(CUDA_ERROR_INVALID_HANDLE, cuEventDestroy_v2(event));
  }
}

TEST_F(Streams, HaveIdsThatAreNeverReused) {
  std::set<unsigned long long> ids;
  for (int i = 0; i < 20; ++i) {
    const CUstream s = stream();
    unsigned long long id = 0;
    EXPECT_CU(CUDA_SUCCESS, cuStreamGetId(s, &id));
    EXPECT_TRUE(ids.insert(id).second) << id;
    EXPECT_CU(CUDA_SUCCESS, cuStreamDestroy_v2(s));
  }
  unsigned long long legacy = 0, again = 0;
  EXPECT_CU(CUDA_SUCCESS, cuStreamGetId(nullptr, &legacy));
  EXPECT_CU(CUDA_SUCCESS, cuStreamGetId(CU_STREAM_LEGACY, &again));
  EXPECT_EQ(legacy, again);
  EXPECT_EQ(ids.count(legacy), 0u);
}

TEST_F(Streams, KeepFlagsPrioritiesAndContexts) {
  CUstream s = nullptr;
  ASSERT_CU(cuStreamCreateWithPriority(&s, CU_STREAM_NON_BLOCKING, -3));
  unsigned flags = 9;
  int priority = 9;
  CUcontext context = nullptr;
  EXPECT_CU(CUDA_SUCCESS, cuStreamGetFlags(s, &flags));
  EXPECT_EQ(flags, static_cast<unsigned>(CU_STREAM_NON_BLOCKING));
  EXPECT_CU(CUDA_SUCCESS, cuStreamGetPriority(s, &priority));
  EXPECT_EQ(priority, -3);
  EXPECT_CU(CUDA_SUCCESS, cuStreamGetCtx(s, &context));
  EXPECT_EQ(context, context_);
  EXPECT_CU(CUDA_SUCCESS, cuStreamDestroy_v2(s));
  EXPECT_CU(CUDA_ERROR_INVALID_VALUE, cuStreamCreate(&s, 0x70));
  EXPECT_CU(CUDA_ERROR_INVALID_VALUE, cuStreamCreate(nullptr, 0));
}

TEST_F(Streams, CallHostFunctionsInOrder) {
  struct State {
    std::vector<int> seen;
    uint32_t copied = 0;
  } state;
  Buffer<uint32_t> cell(std::vector<uint32_t>{4});
  const CUstream s = stream();
  step(s, cell, 10, 2);
  EXPECT_CU(CUDA_SUCCESS, cuMemcpyDtoHAsync_v2(&state.copied, cell.address(), 4, s));
  const auto note = [](void* argument) {
    auto* to = static_cast<State*>(argument);
    to->seen.push_back(static_cast<int>(to->copied));
  };
  EXPECT_CU(CUDA_SUCCESS, cuLaunchHostFunc(s, note, &state));
  step(s, cell, 10, 3);
  EXPECT_CU(CUDA_SUCCESS, cuMemcpyDtoHAsync_v2(&state.copied, cell.address(), 4, s));
  EXPECT_CU(CUDA_SUCCESS, cuLaunchHostFunc(s, note, &state));
  EXPECT_CU(CUDA_SUCCESS, cuStreamSynchronize(s));
  EXPECT_EQ(state.seen, (std::vector<int>{42, 423}));
  EXPECT_CU(CUDA_ERROR_INVALID_VALUE, cuLaunchHostFunc(s, nullptr, nullptr));
  EXPECT_CU(CUDA_SUCCESS, cuStreamDestroy_v2(s));
}

TEST_F(Streams, ForbidDriverCallsInHostFunctions) {
  if (!driver().ours()) GTEST_SKIP() << "CUDA leaves it open whether such calls are refused";
  CUresult inside = CUDA_SUCCESS;
  EXPECT_CU(CUDA_SUCCESS,
            cuLaunchHostFunc(
                nullptr, [](void* result) { *static_cast<CUresult*>(result) = driver().cuCtxSynchronize(); }, &inside));
  EXPECT_CU(CUDA_SUCCESS, cuCtxSynchronize());
  EXPECT_EQ(inside, CUDA_ERROR_NOT_PERMITTED);
}

// A host function that waits for the host: only streams on threads of their own return from the calls before
// it ends.
TEST_F(Streams, SurviveHostFunctionsThatThrow) {
  if (!driver().ours()) GTEST_SKIP() << "undefined by CUDA";
  const CUstream in = stream();
  const CUresult submitted = driver().cuLaunchHostFunc(
      in, [](void*) { throw std::runtime_error("thrown by a host function"); }, nullptr);
  EXPECT_TRUE(submitted == CUDA_SUCCESS || submitted == CUDA_ERROR_UNKNOWN) << describe(submitted);
  EXPECT_CU(CUDA_ERROR_UNKNOWN, cuStreamSynchronize(in));  // and does not wait for ever
  EXPECT_CU(CUDA_ERROR_UNKNOWN, cuCtxSynchronize());
}

TEST_F(Streams, RefuseWorkWhileTheirContextIsDestroyed) {
  if (!driver().ours()) GTEST_SKIP() << "undefined by CUDA";
  for (int round = 0; round < 20; ++round) {
    CUcontext context = nullptr;
    ASSERT_CU(cuCtxCreate_v2(&context, 0, device_));
    CUdeviceptr memory = 0;
    ASSERT_CU(cuMemAlloc_v2(&memory, 4096));
    const CUstream created = stream();
    std::atomic<int> at_work{0};
    std::vector<CUresult> last(3, CUDA_SUCCESS);
    std::vector<std::thread> threads;
    for (size_t i = 0; i < last.size(); ++i)
      threads.emplace_back([&, i] {
        const CUstream streams[] = {created, CU_STREAM_LEGACY, CU_STREAM_PER_THREAD};
        driver().cuCtxSetCurrent(context);
        for (int count = 1; last[i] == CUDA_SUCCESS; ++count) {
          last[i] = driver().cuMemsetD8Async(memory, 1, 4096, streams[i]);
          if (count == 5) ++at_work;
        }
      });
    while (at_work < 3) std::this_thread::yield();
    EXPECT_CU(CUDA_SUCCESS, cuCtxDestroy_v2(context));
    for (std::thread& thread : threads) thread.join();
    // The memory may be seen to go before the context is.
    for (const CUresult result : last)
      EXPECT_TRUE(result == CUDA_ERROR_CONTEXT_IS_DESTROYED || result == CUDA_ERROR_INVALID_VALUE) << describe(result);
  }
}

TEST_F(Streams, OfThreadsAreNewForEveryThread) {
  if (!driver().ours()) GTEST_SKIP() << "identifiers of per-thread streams are our simulator's";
  Buffer<uint8_t> memory(4096);
  std::set<unsigned long long> ids;
  for (int i = 0; i < 20; ++i)  // one after another, so that the threads' own identifiers are used again
    std::thread([&] {
      ASSERT_CU(cuCtxSetCurrent(context_));
      unsigned long long id = 0;
      EXPECT_CU(CUDA_SUCCESS, cuStreamGetId(CU_STREAM_PER_THREAD, &id));
      EXPECT_CU(CUDA_SUCCESS,
                cuMemsetD8Async(memory.address(), static_cast<unsigned char>(i), 4096, CU_STREAM_PER_THREAD));
      ids.insert(id);
    }).join();
  EXPECT_EQ(ids.size(), 20u);
  EXPECT_CU(CUDA_SUCCESS, cuCtxSynchronize());
}

TEST_F(Streams, ReturnBeforeTheWorkIsDoneWhenTheyHaveThreads) {
  const char* threads = std::getenv("KERNELS_SIM_ASYNC");
  if (!driver().ours() || !threads || std::string(threads) != "1")
    GTEST_SKIP() << "needs KERNELS_SIM_ASYNC=1, which the ctest entry streams-on-threads sets";
  std::atomic<bool> go{false};
  const CUstream s = stream(CU_STREAM_NON_BLOCKING), other = stream(CU_STREAM_NON_BLOCKING), blocking = stream();
  CUevent event = nullptr;
  ASSERT_CU(cuEventCreate(&event, 0));
  EXPECT_CU(CUDA_SUCCESS, cuLaunchHostFunc(
                              s,
                              [](void* flag) {
                                while (!*static_cast<std::atomic<bool>*>(flag)) std::this_thread::yield();
                              },
                              &go));
  EXPECT_CU(CUDA_SUCCESS, cuEventRecord(event, s));
  EXPECT_CU(CUDA_ERROR_NOT_READY, cuStreamQuery(s));
  EXPECT_CU(CUDA_ERROR_NOT_READY, cuEventQuery(event));
  float time = 0;
  EXPECT_CU(CUDA_ERROR_NOT_READY, cuEventElapsedTime(&time, event, event));
  EXPECT_CU(CUDA_SUCCESS, cuStreamSynchronize(other));     // not held up
  EXPECT_CU(CUDA_SUCCESS, cuStreamSynchronize(blocking));  // nor by a non-blocking stream
  Buffer<uint32_t> cell(std::vector<uint32_t>{1});         // the legacy stream does not wait for it either
  EXPECT_CU(CUDA_SUCCESS, cuStreamWaitEvent(other, event, 0));
  step(other, cell, 10, 5);
  EXPECT_CU(CUDA_ERROR_NOT_READY, cuStreamQuery(other));
  go = true;
  EXPECT_CU(CUDA_SUCCESS, cuStreamSynchronize(other));
  EXPECT_EQ(cell.download()[0], 15u);
  EXPECT_CU(CUDA_SUCCESS, cuEventDestroy_v2(event));
  for (const CUstream each : {s, other, blocking}) EXPECT_CU(CUDA_SUCCESS, cuStreamDestroy_v2(each));
}

// The bytes of a pageable source are taken at the call: the caller may change them at once.
TEST_F(Streams, TakePageableSourcesAtTheCall) {
  Buffer<uint32_t> cell(std::vector<uint32_t>{0, 0});
  const CUstream s = stream();
  step(s, cell, 1, 1, 200000);
  uint32_t value = 77;
  EXPECT_CU(CUDA_SUCCESS, cuMemcpyHtoDAsync_v2(cell.address() + 4, &value, 4, s));
  value = 1;
  EXPECT_CU(CUDA_SUCCESS, cuStreamSynchronize(s));
  EXPECT_EQ(cell.download()[1], 77u);
  EXPECT_CU(CUDA_SUCCESS, cuStreamDestroy_v2(s));
}

TEST_F(Streams, CanBeUsedByManyThreads) {
  Buffer<uint32_t> cells(std::vector<uint32_t>(8, 0));
  const CUfunction add =
      kernel("compute_80", "extern \"C\" __global__ void add(unsigned* c) { atomicAdd(c, threadIdx.x); }", "add");
  std::vector<std::thread> threads;
  const CUstream shared = stream();
  for (unsigned t = 0; t < 8; ++t)
    threads.emplace_back([&, t] {
      ASSERT_CU(cuCtxSetCurrent(context_));
      CUstream own = nullptr;
      ASSERT_CU(cuStreamCreate(&own, CU_STREAM_NON_BLOCKING));
      for (int i = 0; i < 20; ++i) {
        EXPECT_EQ(try_launch(add, grid(2, 32, 0, i % 2 ? own : shared), cells.address() + 4 * t), CUDA_SUCCESS);
        CUdeviceptr memory = 0;
        EXPECT_CU(CUDA_SUCCESS, cuMemAllocAsync(&memory, 256, own));
        EXPECT_CU(CUDA_SUCCESS, cuMemsetD8Async(memory, 1, 256, own));
        EXPECT_CU(CUDA_SUCCESS, cuMemFreeAsync(memory, own));
      }
      EXPECT_CU(CUDA_SUCCESS, cuStreamSynchronize(own));
      EXPECT_CU(CUDA_SUCCESS, cuStreamDestroy_v2(own));
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_CU(CUDA_SUCCESS, cuStreamSynchronize(shared));
  EXPECT_EQ(cells.download(), std::vector<uint32_t>(8, 20 * 2 * 31 * 32 / 2));
  EXPECT_CU(CUDA_SUCCESS, cuStreamDestroy_v2(shared));
}

class Events : public DeviceTest {};

TEST_F(Events, MeasureTimeBetweenRecordings) {
  CUevent start = nullptr, end = nullptr, untimed = nullptr;
  ASSERT_CU(cuEventCreate(&start, CU_EVENT_DEFAULT));
  ASSERT_CU(cuEventCreate(&end, CU_EVENT_BLOCKING_SYNC));
  ASSERT_CU(cuEventCreate(&untimed, CU_EVENT_DISABLE_TIMING));
  EXPECT_CU(CUDA_SUCCESS, cuEventQuery(start));  // never recorded counts as reached
  EXPECT_CU(CUDA_SUCCESS, cuEventSynchronize(start));
  float milliseconds = -1;
  EXPECT_CU(CUDA_ERROR_INVALID_HANDLE, cuEventElapsedTime(&milliseconds, start, end));
  EXPECT_CU(CUDA_SUCCESS, cuEventRecord(start, nullptr));
  EXPECT_CU(CUDA_SUCCESS, cuEventRecordWithFlags(end, nullptr, CU_EVENT_RECORD_DEFAULT));
  EXPECT_CU(CUDA_SUCCESS, cuEventRecord(untimed, nullptr));
  EXPECT_CU(CUDA_SUCCESS, cuEventSynchronize(end));
  EXPECT_CU(CUDA_SUCCESS, cuEventElapsedTime(&milliseconds, start, end));
  EXPECT_GE(milliseconds, 0.0f);
  EXPECT_CU(CUDA_ERROR_INVALID_HANDLE, cuEventElapsedTime(&milliseconds, start, untimed));
  for (const CUevent event : {start, end, untimed}) EXPECT_CU(CUDA_SUCCESS, cuEventDestroy_v2(event));
  EXPECT_CU(CUDA_ERROR_INVALID_VALUE, cuEventCreate(&start, 0x100));
}

TEST_F(Events, RefuseHandlesOfOtherKinds) {
  if (!driver().ours()) GTEST_SKIP() << "handles are validated by our simulator";
  CUstream stream = nullptr;
  CUevent event = nullptr;
  ASSERT_CU(cuStreamCreate(&stream, 0));
  ASSERT_CU(cuEventCreate(&event, 0));
  EXPECT_CU(CUDA_ERROR_INVALID_HANDLE, cuEventRecord(reinterpret_cast<CUevent>(stream), stream));
  EXPECT_CU(CUDA_ERROR_INVALID_HANDLE, cuEventRecord(event, reinterpret_cast<CUstream>(event)));
  EXPECT_CU(CUDA_ERROR_INVALID_HANDLE, cuEventQuery(nullptr));
  EXPECT_CU(CUDA_ERROR_INVALID_HANDLE, cuStreamSynchronize(reinterpret_cast<CUstream>(uintptr_t{0x7777})));
  EXPECT_CU(CUDA_SUCCESS, cuEventDestroy_v2(event));
  EXPECT_CU(CUDA_SUCCESS, cuStreamDestroy_v2(stream));
}

}  // namespace
}  // namespace simulator::tests
