#include "device_test.h"

#include <stdexcept>

namespace simulator::tests {

void DeviceTest::SetUp() {
  ASSERT_CU(cuInit(0));
  ASSERT_CU(cuDeviceGet(&device_, 0));
  ASSERT_CU(cuCtxCreate_v2(&context_, 0, device_));
}

void DeviceTest::TearDown() {
  if (!context_) return;
  SimulatorLiveObjects live;
  const bool counts =
      driver().ours() && driver().cuCtxSynchronize() == CUDA_SUCCESS;  // a failed context frees nothing before it goes
  if (counts) {
    for (const CUmodule module : modules_) EXPECT_CU(CUDA_SUCCESS, cuModuleUnload(module));
    EXPECT_CU(CUDA_SUCCESS, simulatorLiveObjects(&live));
    EXPECT_EQ(live.device_bytes, 0u) << "the test left device memory behind";
    EXPECT_EQ(live.host_bytes, 0u) << "the test left pinned memory behind";
    EXPECT_EQ(live.streams, 0u) << "the test left streams behind";
    EXPECT_EQ(live.events, 0u) << "the test left events behind";
    EXPECT_EQ(live.modules, 0u) << "the test left modules behind";
    EXPECT_EQ(live.graphs, 0u) << "the test left graphs behind";
    EXPECT_EQ(live.executable_graphs, 0u) << "the test left executable graphs behind";
    EXPECT_EQ(live.registrations, 0u) << "the test left host memory registered";
  }
  EXPECT_CU(CUDA_SUCCESS, cuCtxDestroy_v2(context_));
  if (driver().ours()) {
    EXPECT_CU(CUDA_SUCCESS, simulatorLiveObjects(&live));
    EXPECT_EQ(live.device_bytes, 0u) << "memory outlived its context";
    EXPECT_EQ(live.contexts, 0u) << "the test left contexts behind";
  }
}

bool DeviceTest::cannot_compile_for(const std::string& architecture) {
  if (!nvrtc_missing().empty()) {
    [] { GTEST_SKIP() << nvrtc_missing(); }();
    return true;
  }
  const int needed = std::stoi(architecture.substr(architecture.find('_') + 1));
  if (needed > capability()) {
    [&] { GTEST_SKIP() << "the device is of capability " << capability() << ", the PTX needs " << needed; }();
    return true;
  }
  return false;
}

CUmodule DeviceTest::load(const std::string& ptx) {
  std::vector<char> log(8192);
  CUjit_option options[] = {CU_JIT_ERROR_LOG_BUFFER, CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES};
  void* values[] = {log.data(), reinterpret_cast<void*>(log.size())};
  CUmodule module = nullptr;
  const CUresult result = driver().cuModuleLoadDataEx(&module, ptx.c_str(), 2, options, values);
  if (result != CUDA_SUCCESS) throw std::runtime_error("loading answered " + describe(result) + "\n" + log.data());
  modules_.push_back(module);
  return module;
}

CUfunction DeviceTest::function(CUmodule module, const std::string& name) {
  CUfunction found = nullptr;
  const CUresult result = driver().cuModuleGetFunction(&found, module, name.c_str());
  if (result != CUDA_SUCCESS) throw std::runtime_error(name + ": " + describe(result));
  return found;
}

CUfunction DeviceTest::kernel(const std::string& architecture, const std::string& source, const std::string& name,
                              const std::vector<std::string>& options) {
  return function(load(compile({source, architecture, options, {}}).ptx), name);
}

int DeviceTest::attribute(CUdevice_attribute which) const {
  int value = 0;
  EXPECT_CU(CUDA_SUCCESS, cuDeviceGetAttribute(&value, which, device_));
  return value;
}

int DeviceTest::capability() const {
  return 10 * attribute(CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR) +
         attribute(CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR);
}

void KernelTest::SetUp() {
  DeviceTest::SetUp();
  if (!HasFatalFailure()) cannot_compile_for(GetParam());
}

}  // namespace simulator::tests
