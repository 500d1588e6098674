// Graphs: built node by node, and captured from streams.
#include <cstdio>
#include <fstream>
#include <sstream>
#include <thread>

#include "support/device_test.h"

namespace simulator::tests {
namespace {

class Graphs : public DeviceTest {
 protected:
  void SetUp() override {
    DeviceTest::SetUp();
    if (HasFatalFailure() || cannot_compile_for("compute_80")) return;
    const char* source = R"(
extern "C" __global__ void scale(unsigned* v, unsigned factor, unsigned addend) { v[threadIdx.x] = v[threadIdx.x] * factor + addend; }
extern "C" __global__ void sum(const unsigned* a, const unsigned* b, unsigned* out) { out[threadIdx.x] = a[threadIdx.x] + b[threadIdx.x]; }
)";
    const CUmodule module = load(compile({source, "compute_80", {}, {}}).ptx);
    scale_ = function(module, "scale");
    sum_ = function(module, "sum");
  }
  CUstream stream(unsigned flags = CU_STREAM_NON_BLOCKING) {
    CUstream created = nullptr;
    EXPECT_CU(CUDA_SUCCESS, cuStreamCreate(&created, flags));
    return created;
  }
  void scale(CUstream in, CUdeviceptr v, unsigned factor, unsigned addend) {
    const CUresult result = try_launch(scale_, grid(1, 32, 0, in), v, factor, addend);
    EXPECT_EQ(result, CUDA_SUCCESS) << describe(result);
  }
  // Launches the graph once and gives it back.
  void run_once(CUgraph graph, CUstream in) {
    CUgraphExec executable = nullptr;
    ASSERT_CU(cuGraphInstantiateWithFlags(&executable, graph, 0));
    EXPECT_CU(CUDA_SUCCESS, cuGraphLaunch(executable, in));
    EXPECT_CU(CUDA_SUCCESS, cuStreamSynchronize(in));
    EXPECT_CU(CUDA_SUCCESS, cuGraphExecDestroy(executable));
  }
  // A kernel node of scale_; the arguments live as long as the object.
  struct ScaleNode {
    CUdeviceptr v;
    unsigned factor, addend;
    void* pointers[3] = {&v, &factor, &addend};
    CUDA_KERNEL_NODE_PARAMS params{};
    ScaleNode(CUfunction f, CUdeviceptr v_, unsigned factor_, unsigned addend_)
        : v(v_), factor(factor_), addend(addend_) {
      params.func = f;
      params.gridDimX = params.gridDimY = params.gridDimZ = params.blockDimY = params.blockDimZ = 1;
      params.blockDimX = 32;
      params.kernelParams = pointers;
    }
    ScaleNode(const ScaleNode&) = delete;
  };
  CUfunction scale_ = nullptr, sum_ = nullptr;
};

TEST_F(Graphs, RunNodesInTheOrderOfTheirDependencies) {
  Buffer<uint32_t> cells(32);
  std::vector<uint32_t> host(32, 0);
  CUgraph graph = nullptr;
  ASSERT_CU(cuGraphCreate(&graph, 0));
  CUDA_MEMSET_NODE_PARAMS set{};
  set.dst = cells.address();
  set.value = 5;
  set.elementSize = 4;
  set.width = 32;
  set.height = 1;
  CUgraphNode first = nullptr, second = nullptr, third = nullptr, copy = nullptr, note = nullptr, join = nullptr;
  ASSERT_CU(cuGraphAddMemsetNode(&first, graph, nullptr, 0, &set, context_));
  ScaleNode twice(scale_, cells.address(), 2, 1), thrice(scale_, cells.address(), 3, 0);
  // Added against their order: only the edges say what comes first.
  ASSERT_CU(cuGraphAddKernelNode_v2(&second, graph, &first, 1, &twice.params));
  ASSERT_CU(cuGraphAddKernelNode_v2(&third, graph, &second, 1, &thrice.params));
  CUDA_MEMCPY3D back{};
  back.srcMemoryType = CU_MEMORYTYPE_DEVICE;
  back.srcDevice = cells.address();
  back.dstMemoryType = CU_MEMORYTYPE_HOST;
  back.dstHost = host.data();
  back.WidthInBytes = 128;
  back.Height = back.Depth = 1;
  ASSERT_CU(cuGraphAddMemcpyNode(&copy, graph, &third, 1, &back, context_));
  ASSERT_CU(cuGraphAddEmptyNode(&join, graph, &copy, 1));
  uint32_t noted = 0;
  struct Note {
    const std::vector<uint32_t>* from;
    uint32_t* to;
  } state{&host, &noted};
  CUDA_HOST_NODE_PARAMS call{[](void* p) { *static_cast<Note*>(p)->to = (*static_cast<Note*>(p)->from)[7]; }, &state};
  ASSERT_CU(cuGraphAddHostNode(&note, graph, &join, 1, &call));

  size_t count = 0;
  EXPECT_CU(CUDA_SUCCESS, cuGraphGetNodes(graph, nullptr, &count));
  EXPECT_EQ(count, 6u);
  CUgraphNodeType type = CU_GRAPH_NODE_TYPE_EMPTY;
  EXPECT_CU(CUDA_SUCCESS, cuGraphNodeGetType(copy, &type));
  EXPECT_EQ(type, CU_GRAPH_NODE_TYPE_MEMCPY);
  CUgraphNode before[2] = {};
  count = 2;
  EXPECT_CU(CUDA_SUCCESS, cuGraphNodeGetDependencies(third, before, &count));
  EXPECT_EQ(count, 1u);
  EXPECT_EQ(before[0], second);

  const CUstream s = stream();
  run_once(graph, s);
  EXPECT_EQ(host, std::vector<uint32_t>(32, 33));
  EXPECT_EQ(noted, 33u);
  EXPECT_CU(CUDA_SUCCESS, cuGraphDestroy(graph));
  EXPECT_CU(CUDA_SUCCESS, cuStreamDestroy_v2(s));
}

TEST_F(Graphs, KeepTheParametersThatNodesWereGiven) {
  Buffer<uint32_t> cells(std::vector<uint32_t>(32, 1));
  CUgraph graph = nullptr;
  ASSERT_CU(cuGraphCreate(&graph, 0));
  CUgraphNode node = nullptr;
  {
    ScaleNode params(scale_, cells.address(), 4, 2);
    ASSERT_CU(cuGraphAddKernelNode_v2(&node, graph, nullptr, 0, &params.params));
  }  // the caller's arguments are gone
  CUDA_KERNEL_NODE_PARAMS kept{};
  EXPECT_CU(CUDA_SUCCESS, cuGraphKernelNodeGetParams_v2(node, &kept));
  EXPECT_EQ(kept.func, scale_);
  EXPECT_EQ(kept.blockDimX, 32u);
  EXPECT_EQ(*static_cast<CUdeviceptr*>(kept.kernelParams[0]), cells.address());
  EXPECT_EQ(*static_cast<unsigned*>(kept.kernelParams[1]), 4u);
  CUgraphExec executable = nullptr;
  ASSERT_CU(cuGraphInstantiateWithFlags(&executable, graph, 0));
  const CUstream s = stream();
  EXPECT_CU(CUDA_SUCCESS, cuGraphUpload(executable, s));
  EXPECT_CU(CUDA_SUCCESS, cuGraphLaunch(executable, s));
  // The executable graph can be changed without its graph.
  ScaleNode other(scale_, cells.address(), 10, 7);
  EXPECT_CU(CUDA_SUCCESS, cuGraphExecKernelNodeSetParams_v2(executable, node, &other.params));
  EXPECT_CU(CUDA_SUCCESS, cuGraphLaunch(executable, s));
  EXPECT_CU(CUDA_SUCCESS, cuStreamSynchronize(s));
  EXPECT_EQ(cells.download(), std::vector<uint32_t>(32, 67));
  // Its graph may go before it.
  EXPECT_CU(CUDA_SUCCESS, cuGraphDestroy(graph));
  EXPECT_CU(CUDA_SUCCESS, cuGraphLaunch(executable, s));
  EXPECT_CU(CUDA_SUCCESS, cuStreamSynchronize(s));
  EXPECT_EQ(cells.download(), std::vector<uint32_t>(32, 677));
  EXPECT_CU(CUDA_SUCCESS, cuGraphExecDestroy(executable));
  EXPECT_CU(CUDA_SUCCESS, cuStreamDestroy_v2(s));
  if (driver().ours()) {
    EXPECT_CU(CUDA_ERROR_INVALID_HANDLE, cuGraphExecDestroy(executable));
    EXPECT_CU(CUDA_ERROR_INVALID_HANDLE, cuGraphDestroy(graph));
    EXPECT_CU(CUDA_ERROR_INVALID_HANDLE, cuGraphNodeGetDependencies(node, nullptr, nullptr));
  }
}

TEST_F(Graphs, PrintThemselvesForGraphviz) {
  if (!driver().ours()) GTEST_SKIP() << "the text is our simulator's";
  CUgraph graph = nullptr;
  ASSERT_CU(cuGraphCreate(&graph, 0));
  CUgraphNode a = nullptr, b = nullptr;
  Buffer<uint32_t> cells(32);
  ScaleNode params(scale_, cells.address(), 4, 2);
  ASSERT_CU(cuGraphAddKernelNode_v2(&a, graph, nullptr, 0, &params.params));
  ASSERT_CU(cuGraphAddEmptyNode(&b, graph, &a, 1));
  const std::string path = testing::TempDir() + "simulator-graph.dot";
  EXPECT_CU(CUDA_SUCCESS, cuGraphDebugDotPrint(graph, path.c_str(), CU_GRAPH_DEBUG_DOT_FLAGS_VERBOSE));
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  std::remove(path.c_str());
  EXPECT_NE(text.str().find("digraph"), std::string::npos);
  EXPECT_NE(text.str().find("scale"), std::string::npos);
  EXPECT_NE(text.str().find("->"), std::string::npos);
  EXPECT_CU(CUDA_SUCCESS, cuGraphDestroy(graph));
}

class Captures : public Graphs {
 protected:
  static CUstreamCaptureStatus status(CUstream s) {
    CUstreamCaptureStatus value = CU_STREAM_CAPTURE_STATUS_NONE;
    EXPECT_CU(CUDA_SUCCESS, cuStreamIsCapturing(s, &value));
    return value;
  }
};

TEST_F(Captures, RecordWorkInsteadOfDoingIt) {
  Buffer<uint32_t> cells(std::vector<uint32_t>(32, 1)), copy(32);
  const CUstream s = stream();
  ASSERT_CU(cuStreamBeginCapture_v2(s, CU_STREAM_CAPTURE_MODE_GLOBAL));
  EXPECT_EQ(status(s), CU_STREAM_CAPTURE_STATUS_ACTIVE);
  scale(s, cells.address(), 2, 3);
  EXPECT_CU(CUDA_SUCCESS, cuMemcpyDtoDAsync_v2(copy.address(), cells.address(), 128, s));
  EXPECT_CU(CUDA_SUCCESS, cuMemsetD32Async(cells.address(), 9, 16, s));
  int calls = 0;
  EXPECT_CU(CUDA_SUCCESS, cuLaunchHostFunc(
                              s, [](void* n) { ++*static_cast<int*>(n); }, &calls));
  CUstreamCaptureStatus captured = CU_STREAM_CAPTURE_STATUS_NONE;
  cuuint64_t id = 0;
  CUgraph open = nullptr;
  const CUgraphNode* tail = nullptr;
  size_t tails = 0;
  EXPECT_CU(CUDA_SUCCESS, cuStreamGetCaptureInfo_v2(s, &captured, &id, &open, &tail, &tails));
  EXPECT_EQ(captured, CU_STREAM_CAPTURE_STATUS_ACTIVE);
  EXPECT_NE(id, 0u);
  EXPECT_EQ(tails, 1u);
  CUgraph graph = nullptr;
  ASSERT_CU(cuStreamEndCapture(s, &graph));
  EXPECT_EQ(open, graph);
  EXPECT_EQ(status(s), CU_STREAM_CAPTURE_STATUS_NONE);
  EXPECT_EQ(calls, 0);
  EXPECT_EQ(cells.download(), std::vector<uint32_t>(32, 1));
  size_t count = 0;
  EXPECT_CU(CUDA_SUCCESS, cuGraphGetNodes(graph, nullptr, &count));
  EXPECT_EQ(count, 4u);
  CUgraphExec executable = nullptr;
  ASSERT_CU(cuGraphInstantiateWithFlags(&executable, graph, 0));
  for (int i = 0; i < 3; ++i) EXPECT_CU(CUDA_SUCCESS, cuGraphLaunch(executable, s));
  EXPECT_CU(CUDA_SUCCESS, cuStreamSynchronize(s));
  EXPECT_EQ(calls, 3);
  EXPECT_EQ(copy.download()[3], 9u * 2 + 3);
  EXPECT_EQ(copy.download()[20], ((1u * 2 + 3) * 2 + 3) * 2 + 3);
  EXPECT_CU(CUDA_SUCCESS, cuGraphExecDestroy(executable));
  EXPECT_CU(CUDA_SUCCESS, cuGraphDestroy(graph));
  EXPECT_CU(CUDA_SUCCESS, cuStreamDestroy_v2(s));
}

TEST_F(Captures, FollowEventsIntoOtherStreamsAndBack) {
  Buffer<uint32_t> a(std::vector<uint32_t>(32, 1)), b(std::vector<uint32_t>(32, 2)), out(32);
  const CUstream s = stream(), forked = stream();
  CUevent fork = nullptr, join = nullptr;
  ASSERT_CU(cuEventCreate(&fork, CU_EVENT_DISABLE_TIMING));
  ASSERT_CU(cuEventCreate(&join, CU_EVENT_DISABLE_TIMING));
  ASSERT_CU(cuStreamBeginCapture_v2(s, CU_STREAM_CAPTURE_MODE_THREAD_LOCAL));
  scale(s, a.address(), 3, 1);
  EXPECT_CU(CUDA_SUCCESS, cuEventRecord(fork, s));
  EXPECT_CU(CUDA_SUCCESS, cuStreamWaitEvent(forked, fork, 0));
  EXPECT_EQ(status(forked), CU_STREAM_CAPTURE_STATUS_ACTIVE);
  scale(forked, b.address(), 5, 1);
  scale(s, a.address(), 10, 0);
  EXPECT_CU(CUDA_ERROR_CAPTURED_EVENT, cuEventQuery(fork));
  EXPECT_CU(CUDA_SUCCESS, cuEventRecord(join, forked));
  EXPECT_CU(CUDA_SUCCESS, cuStreamWaitEvent(s, join, 0));
  const CUresult launched = try_launch(sum_, grid(1, 32, 0, s), a, b, out);
  EXPECT_EQ(launched, CUDA_SUCCESS);
  CUgraph graph = nullptr;
  ASSERT_CU(cuStreamEndCapture(s, &graph));
  EXPECT_EQ(status(forked), CU_STREAM_CAPTURE_STATUS_NONE);
  run_once(graph, s);
  EXPECT_EQ(out.download(), std::vector<uint32_t>(32, (3 + 1) * 10 + 11));
  EXPECT_CU(CUDA_SUCCESS, cuGraphDestroy(graph));
  for (const CUevent event : {fork, join}) EXPECT_CU(CUDA_SUCCESS, cuEventDestroy_v2(event));
  for (const CUstream each : {s, forked}) EXPECT_CU(CUDA_SUCCESS, cuStreamDestroy_v2(each));
}

TEST_F(Captures, AreSpoiltByCallsThatCannotBeCaptured) {
  Buffer<uint32_t> cells(32);
  const CUstream s = stream();
  const auto expect_spoilt = [&](CUresult expected, const char* what, auto&& call) {
    ASSERT_CU(cuStreamBeginCapture_v2(s, CU_STREAM_CAPTURE_MODE_GLOBAL));
    scale(s, cells.address(), 2, 0);
    const CUresult result = call();
    EXPECT_EQ(result, expected) << what << " answered " << describe(result);
    EXPECT_EQ(status(s), CU_STREAM_CAPTURE_STATUS_INVALIDATED) << what;
    EXPECT_EQ(try_launch(scale_, grid(1, 32, 0, s), cells, 1u, 1u), CUDA_ERROR_STREAM_CAPTURE_INVALIDATED) << what;
    CUgraph graph = reinterpret_cast<CUgraph>(uintptr_t{1});
    EXPECT_CU(CUDA_ERROR_STREAM_CAPTURE_INVALIDATED, cuStreamEndCapture(s, &graph));
    EXPECT_EQ(graph, nullptr);
    EXPECT_EQ(status(s), CU_STREAM_CAPTURE_STATUS_NONE) << what;
  };
  if (!driver().ours()) {
    EXPECT_CU(CUDA_SUCCESS, cuStreamDestroy_v2(s));
    GTEST_SKIP() << "which calls spoil a capture is checked on our simulator";
  }
  CUdeviceptr memory = 0;
  expect_spoilt(CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED, "cuStreamSynchronize",
                [&] { return driver().cuStreamSynchronize(s); });
  expect_spoilt(CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED, "cuStreamQuery", [&] { return driver().cuStreamQuery(s); });
  expect_spoilt(CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED, "cuCtxSynchronize", [&] { return driver().cuCtxSynchronize(); });
  expect_spoilt(CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED, "cuMemAlloc",
                [&] { return driver().cuMemAlloc_v2(&memory, 64); });
  expect_spoilt(CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED, "cuMemAllocAsync",
                [&] { return driver().cuMemAllocAsync(&memory, 64, s); });
  EXPECT_CU(CUDA_SUCCESS, cuStreamDestroy_v2(s));
  EXPECT_CU(CUDA_SUCCESS, cuCtxSynchronize());
}

TEST_F(Captures, LetRelaxedThreadsAllocate) {
  const CUstream s = stream();
  ASSERT_CU(cuStreamBeginCapture_v2(s, CU_STREAM_CAPTURE_MODE_GLOBAL));
  CUstreamCaptureMode mode = CU_STREAM_CAPTURE_MODE_RELAXED;
  EXPECT_CU(CUDA_SUCCESS, cuThreadExchangeStreamCaptureMode(&mode));
  EXPECT_EQ(mode, CU_STREAM_CAPTURE_MODE_GLOBAL);
  CUdeviceptr memory = 0;
  EXPECT_CU(CUDA_SUCCESS, cuMemAlloc_v2(&memory, 64));
  EXPECT_CU(CUDA_SUCCESS, cuThreadExchangeStreamCaptureMode(&mode));
  EXPECT_EQ(mode, CU_STREAM_CAPTURE_MODE_RELAXED);
  CUgraph graph = nullptr;
  EXPECT_CU(CUDA_SUCCESS, cuStreamEndCapture(s, &graph));
  EXPECT_CU(CUDA_SUCCESS, cuGraphDestroy(graph));
  EXPECT_CU(CUDA_SUCCESS, cuMemFree_v2(memory));
  EXPECT_CU(CUDA_SUCCESS, cuStreamDestroy_v2(s));
}

TEST_F(Captures, KeepTheLegacyStreamOut) {
  Buffer<uint32_t> cells(32);
  CUgraph graph = nullptr;
  EXPECT_CU(CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED, cuStreamBeginCapture_v2(nullptr, CU_STREAM_CAPTURE_MODE_GLOBAL));
  if (!driver().ours()) return;
  const CUstream blocking = stream(CU_STREAM_DEFAULT);
  ASSERT_CU(cuStreamBeginCapture_v2(blocking, CU_STREAM_CAPTURE_MODE_RELAXED));
  EXPECT_EQ(try_launch(scale_, grid(1, 32), cells, 1u, 1u), CUDA_ERROR_STREAM_CAPTURE_IMPLICIT);
  EXPECT_CU(CUDA_ERROR_STREAM_CAPTURE_INVALIDATED, cuStreamEndCapture(blocking, &graph));
  // A non-blocking stream's capture does not concern the legacy stream.
  const CUstream s = stream();
  ASSERT_CU(cuStreamBeginCapture_v2(s, CU_STREAM_CAPTURE_MODE_RELAXED));
  EXPECT_EQ(try_launch(scale_, grid(1, 32), cells, 1u, 1u), CUDA_SUCCESS);
  EXPECT_CU(CUDA_SUCCESS, cuStreamEndCapture(s, &graph));
  EXPECT_CU(CUDA_SUCCESS, cuGraphDestroy(graph));
  for (const CUstream each : {s, blocking}) EXPECT_CU(CUDA_SUCCESS, cuStreamDestroy_v2(each));
}

TEST_F(Captures, TellMisuseApart) {
  if (!driver().ours()) GTEST_SKIP() << "the codes are checked on our simulator";
  Buffer<uint32_t> cells(32);
  const CUstream a = stream(), b = stream();
  CUevent event = nullptr;
  CUgraph graph = nullptr;
  ASSERT_CU(cuEventCreate(&event, 0));
  EXPECT_CU(CUDA_ERROR_ILLEGAL_STATE, cuStreamEndCapture(a, &graph));

  // Capturing twice; ending in the forked stream; leaving forked work unjoined.
  ASSERT_CU(cuStreamBeginCapture_v2(a, CU_STREAM_CAPTURE_MODE_GLOBAL));
  EXPECT_CU(CUDA_ERROR_ILLEGAL_STATE, cuStreamBeginCapture_v2(a, CU_STREAM_CAPTURE_MODE_GLOBAL));
  EXPECT_CU(CUDA_SUCCESS, cuEventRecord(event, a));
  EXPECT_CU(CUDA_SUCCESS, cuStreamWaitEvent(b, event, 0));
  scale(b, cells.address(), 1, 1);
  EXPECT_CU(CUDA_ERROR_STREAM_CAPTURE_UNJOINED, cuStreamEndCapture(a, &graph));
  EXPECT_EQ(status(b), CU_STREAM_CAPTURE_STATUS_NONE);

  ASSERT_CU(cuStreamBeginCapture_v2(a, CU_STREAM_CAPTURE_MODE_GLOBAL));
  EXPECT_CU(CUDA_SUCCESS, cuEventRecord(event, a));
  EXPECT_CU(CUDA_SUCCESS, cuStreamWaitEvent(b, event, 0));
  EXPECT_CU(CUDA_ERROR_STREAM_CAPTURE_UNMATCHED, cuStreamEndCapture(b, &graph));
  EXPECT_CU(CUDA_ERROR_STREAM_CAPTURE_INVALIDATED, cuStreamEndCapture(a, &graph));

  // Another thread ends it.
  ASSERT_CU(cuStreamBeginCapture_v2(a, CU_STREAM_CAPTURE_MODE_THREAD_LOCAL));
  std::thread([&] {
    ASSERT_CU(cuCtxSetCurrent(context_));
    EXPECT_CU(CUDA_ERROR_STREAM_CAPTURE_WRONG_THREAD, cuStreamEndCapture(a, &graph));
  }).join();
  EXPECT_CU(CUDA_SUCCESS, cuStreamEndCapture(a, &graph));
  EXPECT_CU(CUDA_SUCCESS, cuGraphDestroy(graph));

  // Work outside of the capture, and two captures that would run into each other.
  EXPECT_CU(CUDA_SUCCESS, cuEventRecord(event, b));
  ASSERT_CU(cuStreamBeginCapture_v2(a, CU_STREAM_CAPTURE_MODE_GLOBAL));
  EXPECT_CU(CUDA_ERROR_STREAM_CAPTURE_ISOLATION, cuStreamWaitEvent(a, event, 0));
  EXPECT_CU(CUDA_ERROR_STREAM_CAPTURE_INVALIDATED, cuStreamEndCapture(a, &graph));
  ASSERT_CU(cuStreamBeginCapture_v2(a, CU_STREAM_CAPTURE_MODE_GLOBAL));
  ASSERT_CU(cuStreamBeginCapture_v2(b, CU_STREAM_CAPTURE_MODE_GLOBAL));
  EXPECT_CU(CUDA_SUCCESS, cuEventRecord(event, a));
  EXPECT_CU(CUDA_ERROR_STREAM_CAPTURE_MERGE, cuStreamWaitEvent(b, event, 0));
  EXPECT_CU(CUDA_ERROR_STREAM_CAPTURE_INVALIDATED, cuStreamEndCapture(a, &graph));
  EXPECT_CU(CUDA_ERROR_STREAM_CAPTURE_INVALIDATED, cuStreamEndCapture(b, &graph));

  // A stream that is destroyed while it captures takes its graph along.
  const CUstream doomed = stream();
  ASSERT_CU(cuStreamBeginCapture_v2(doomed, CU_STREAM_CAPTURE_MODE_GLOBAL));
  EXPECT_CU(CUDA_SUCCESS, cuStreamDestroy_v2(doomed));
  EXPECT_CU(CUDA_SUCCESS, cuEventDestroy_v2(event));
  for (const CUstream each : {a, b}) EXPECT_CU(CUDA_SUCCESS, cuStreamDestroy_v2(each));
}

TEST_F(Captures, UpdateExecutableGraphsOfTheSameShape) {
  Buffer<uint32_t> cells(std::vector<uint32_t>(32, 1));
  const CUstream s = stream();
  const auto capture = [&](std::initializer_list<unsigned> factors) {
    CUgraph graph = nullptr;
    EXPECT_CU(CUDA_SUCCESS, cuStreamBeginCapture_v2(s, CU_STREAM_CAPTURE_MODE_GLOBAL));
    for (const unsigned factor : factors) scale(s, cells.address(), factor, 0);
    EXPECT_CU(CUDA_SUCCESS, cuStreamEndCapture(s, &graph));
    return graph;
  };
  const CUgraph first = capture({2, 3}), second = capture({5, 7}), longer = capture({5, 7, 11});
  CUgraph memsets = nullptr;
  EXPECT_CU(CUDA_SUCCESS, cuStreamBeginCapture_v2(s, CU_STREAM_CAPTURE_MODE_GLOBAL));
  for (int i = 0; i < 2; ++i) EXPECT_CU(CUDA_SUCCESS, cuMemsetD8Async(cells.address(), 1, 128, s));
  EXPECT_CU(CUDA_SUCCESS, cuStreamEndCapture(s, &memsets));
  CUgraphExec executable = nullptr;
  ASSERT_CU(cuGraphInstantiateWithFlags(&executable, first, 0));
  CUgraphExecUpdateResultInfo info{};
  EXPECT_CU(CUDA_SUCCESS, cuGraphExecUpdate_v2(executable, second, &info));
  EXPECT_EQ(info.result, CU_GRAPH_EXEC_UPDATE_SUCCESS);
  EXPECT_CU(CUDA_SUCCESS, cuGraphLaunch(executable, s));
  EXPECT_CU(CUDA_SUCCESS, cuStreamSynchronize(s));
  EXPECT_EQ(cells.download()[0], 35u);
  EXPECT_CU(CUDA_ERROR_GRAPH_EXEC_UPDATE_FAILURE, cuGraphExecUpdate_v2(executable, longer, &info));
  EXPECT_EQ(info.result, CU_GRAPH_EXEC_UPDATE_ERROR_TOPOLOGY_CHANGED);
  EXPECT_CU(CUDA_ERROR_GRAPH_EXEC_UPDATE_FAILURE, cuGraphExecUpdate_v2(executable, memsets, &info));
  EXPECT_EQ(info.result, CU_GRAPH_EXEC_UPDATE_ERROR_NODE_TYPE_CHANGED);
  EXPECT_CU(CUDA_SUCCESS, cuGraphExecDestroy(executable));
  for (const CUgraph graph : {first, second, longer, memsets}) EXPECT_CU(CUDA_SUCCESS, cuGraphDestroy(graph));
  EXPECT_CU(CUDA_SUCCESS, cuStreamDestroy_v2(s));
}

}  // namespace
}  // namespace simulator::tests
