// Modules: names, templates, globals and constants, attributes, parameters, errors and logs of loading.
#include <algorithm>

#include "support/device_test.h"

namespace simulator::tests {
namespace {

class ModuleKernels : public KernelTest {};
FOR_EACH_ARCHITECTURE(ModuleKernels);

TEST_P(ModuleKernels, FindsTemplatesByTheirLoweredNames) {
  const Compiled& compiled = compile({R"(
template <typename T, int N> __global__ void scale(T* values) { values[threadIdx.x] = values[threadIdx.x] * N; }
namespace inner { template <class A, class B> __device__ A convert(B b) { return (A)(b + 1); }
__global__ void shift(int* values, char amount) { values[threadIdx.x] = convert<int>(values[threadIdx.x]) << amount; } }
)",
                                      GetParam(),
                                      {},
                                      {"scale<float, 3>", "scale<int, -2>", "inner::shift"}});
  const CUmodule module = load(compiled.ptx);
  Buffer<float> floats(std::vector<float>{1, 2, 3, 4});
  Buffer<int32_t> ints(std::vector<int32_t>{1, 2, 3, 4});
  launch(function(module, compiled.lowered_names[0]), grid(1, 4), floats);
  launch(function(module, compiled.lowered_names[1]), grid(1, 4), ints);
  launch(function(module, compiled.lowered_names[2]), grid(1, 4), ints, char{2});
  EXPECT_EQ(floats.download(), (std::vector<float>{3, 6, 9, 12}));
  EXPECT_EQ(ints.download(), (std::vector<int32_t>{-4, -12, -20, -28}));
}

constexpr const char* variables_source = R"(
extern "C" {
__constant__ int table[4] = {3, 1, 4, 1};
__constant__ float scale;
__device__ int counter = 41;
__device__ unsigned char bytes[5] = {1, 2, 3};
__device__ double* pointer;
__device__ int array[1000];
__device__ const char* text = "kernels";
struct Node { int value; const int* next; };
__device__ int target = 77;
__device__ Node node = {5, &target};
__global__ void use(int* out, float* scaled) {
  counter += table[2];
  out[0] = counter; out[1] = table[0]; out[2] = bytes[2] + bytes[4]; out[3] = pointer == nullptr; out[4] = array[999];
  out[5] = text[3]; out[6] = node.value + *node.next;
  scaled[0] = scale * 2;
}
})";

TEST_P(ModuleKernels, InitialisesAndSharesVariables) {
  const CUmodule module = load(compile({variables_source, GetParam(), {}, {}}).ptx);
  const CUfunction use = function(module, "use");
  CUdeviceptr counter = 0, scale = 0, table = 0;
  size_t bytes = 0;
  EXPECT_CU(CUDA_SUCCESS, cuModuleGetGlobal_v2(&table, &bytes, module, "table"));
  EXPECT_EQ(bytes, 16u);
  EXPECT_CU(CUDA_SUCCESS, cuModuleGetGlobal_v2(nullptr, &bytes, module, "array"));
  EXPECT_EQ(bytes, 4000u);
  ASSERT_CU(cuModuleGetGlobal_v2(&counter, &bytes, module, "counter"));
  EXPECT_EQ(bytes, 4u);
  ASSERT_CU(cuModuleGetGlobal_v2(&scale, nullptr, module, "scale"));
  const float factor = 1.25f;
  ASSERT_CU(cuMemcpyHtoD_v2(scale, &factor, 4));
  Buffer<int32_t> out(7);
  Buffer<float> scaled(1);
  launch(use, grid(1, 1), out, scaled);
  EXPECT_EQ(out.download(), (std::vector<int32_t>{45, 3, 3, 1, 0, 'n', 82}));
  EXPECT_EQ(scaled.download()[0], 2.5f);
  int now = 0;
  ASSERT_CU(cuMemcpyDtoH_v2(&now, counter, 4));
  EXPECT_EQ(now, 45);
  const int content[4] = {30, 10, 40, 10};
  ASSERT_CU(cuMemcpyHtoD_v2(table, content, 16));  // the host may write constants
  launch(use, grid(1, 1), out, scaled);
  EXPECT_EQ(out.download()[0], 85);
  EXPECT_CU(CUDA_ERROR_NOT_FOUND, cuModuleGetGlobal_v2(&counter, &bytes, module, "nothing"));
}

TEST_P(ModuleKernels, KeepsTwoLoadsApart) {
  const std::string& ptx = compile({variables_source, GetParam(), {}, {}}).ptx;
  const CUmodule first = load(ptx), second = load(ptx);
  Buffer<int32_t> out(7);
  Buffer<float> scaled(1);
  launch(function(first, "use"), grid(1, 1), out, scaled);
  launch(function(first, "use"), grid(1, 1), out, scaled);
  launch(function(second, "use"), grid(1, 1), out, scaled);
  EXPECT_EQ(out.download()[0], 45);
}

constexpr const char* attributes_source = R"(
extern "C" __global__ void __launch_bounds__(192) bounded(char a, double b, int c) { if (c == 77) *(double*)0 = b + a; }
extern "C" __global__ void with_shared(int* p) { __shared__ int s[300]; s[threadIdx.x] = p[threadIdx.x]; __syncthreads(); p[threadIdx.x] = s[threadIdx.x ^ 1]; }
)";

TEST_P(ModuleKernels, TellsAttributesAndParameters) {
  const CUmodule module = load(compile({attributes_source, GetParam(), {}, {}}).ptx);
  const CUfunction bounded = function(module, "bounded"), shared = function(module, "with_shared");
  const auto get = [](CUfunction of, CUfunction_attribute which) {
    int value = -1;
    EXPECT_CU(CUDA_SUCCESS, cuFuncGetAttribute(&value, which, of));
    return value;
  };
  EXPECT_EQ(get(bounded, CU_FUNC_ATTRIBUTE_MAX_THREADS_PER_BLOCK), 192);
  EXPECT_EQ(get(shared, CU_FUNC_ATTRIBUTE_MAX_THREADS_PER_BLOCK), 1024);
  EXPECT_EQ(get(shared, CU_FUNC_ATTRIBUTE_SHARED_SIZE_BYTES), 1200);
  EXPECT_EQ(get(bounded, CU_FUNC_ATTRIBUTE_SHARED_SIZE_BYTES), 0);
  // The virtual architecture, as CUB's PtxVersion relies on; other implementations give the PTX language's
  // version.
  if (driver().ours()) {
    EXPECT_EQ(get(bounded, CU_FUNC_ATTRIBUTE_PTX_VERSION), target());
  }
  EXPECT_EQ(get(bounded, CU_FUNC_ATTRIBUTE_BINARY_VERSION), capability());
  EXPECT_GT(get(bounded, CU_FUNC_ATTRIBUTE_NUM_REGS), 0);
  int value = 0;
  EXPECT_CU(CUDA_ERROR_INVALID_VALUE, cuFuncGetAttribute(&value, CU_FUNC_ATTRIBUTE_MAX, bounded));

  const size_t offsets[] = {0, 8, 16}, sizes[] = {1, 8, 4};
  for (size_t i = 0; i < 3; ++i) {
    size_t offset = 99, size = 99;
    EXPECT_CU(CUDA_SUCCESS, cuFuncGetParamInfo(bounded, i, &offset, &size));
    EXPECT_EQ(offset, offsets[i]);
    EXPECT_EQ(size, sizes[i]);
  }
  size_t offset = 0;
  EXPECT_CU(CUDA_ERROR_INVALID_VALUE, cuFuncGetParamInfo(bounded, 3, &offset, nullptr));

  const char* name = nullptr;
  EXPECT_CU(CUDA_SUCCESS, cuFuncGetName(&name, bounded));
  EXPECT_STREQ(name, "bounded");
  CUmodule owner = nullptr;
  EXPECT_CU(CUDA_SUCCESS, cuFuncGetModule(&owner, bounded));
  EXPECT_EQ(owner, module);
  unsigned count = 0;
  EXPECT_CU(CUDA_SUCCESS, cuModuleGetFunctionCount(&count, module));
  EXPECT_EQ(count, 2u);
  std::vector<CUfunction> all(count);
  EXPECT_CU(CUDA_SUCCESS, cuModuleEnumerateFunctions(all.data(), count, module));
  EXPECT_NE(std::find(all.begin(), all.end(), shared), all.end());

  EXPECT_EQ(try_launch(bounded, grid(1, 193), char{1}, 2.0, 3), CUDA_ERROR_INVALID_VALUE);
  launch(bounded, grid(1, 192), char{1}, 2.0, 3);
}

TEST_P(ModuleKernels, PassesPackedParameters) {
  const CUfunction function = kernel(
      "extern \"C\" __global__ void store(int* to, char c, double d) { to[0] = c + (int)d; }", "store");
  Buffer<int32_t> out(std::vector<int32_t>{0});
  struct {
    CUdeviceptr to;
    char c;
    double d;
  } packed{out.address(), 5, 37.5};
  size_t size = sizeof packed;
  void* extra[] = {CU_LAUNCH_PARAM_BUFFER_POINTER, &packed, CU_LAUNCH_PARAM_BUFFER_SIZE, &size,
                   CU_LAUNCH_PARAM_END};
  ASSERT_CU(cuLaunchKernel(function, 1, 1, 1, 1, 1, 1, 0, nullptr, nullptr, extra));
  EXPECT_EQ(out.download()[0], 42);
  EXPECT_CU(CUDA_ERROR_INVALID_VALUE,
            cuLaunchKernel(function, 1, 1, 1, 1, 1, 1, 0, nullptr, nullptr, nullptr));
  void* pointers[] = {&packed.to, &packed.c, &packed.d};
  EXPECT_CU(CUDA_ERROR_INVALID_VALUE,
            cuLaunchKernel(function, 1, 1, 1, 1, 1, 1, 0, nullptr, pointers, extra));
}

class Loading : public DeviceTest {
 protected:
  struct Attempt {
    CUresult result;
    std::string error_log, info_log;
  };
  Attempt attempt(const std::string& image, size_t capacity = 4096) {
    std::vector<char> error(capacity, '#'), info(4096, '#');
    CUjit_option options[] = {CU_JIT_ERROR_LOG_BUFFER, CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES,
                              CU_JIT_INFO_LOG_BUFFER, CU_JIT_INFO_LOG_BUFFER_SIZE_BYTES};
    void* values[] = {error.data(), reinterpret_cast<void*>(error.size()), info.data(),
                      reinterpret_cast<void*>(info.size())};
    CUmodule module = nullptr;
    const CUresult result = driver().cuModuleLoadDataEx(&module, image.c_str(), 4, options, values);
    if (result == CUDA_SUCCESS) EXPECT_CU(CUDA_SUCCESS, cuModuleUnload(module));
    EXPECT_LE(reinterpret_cast<size_t>(values[1]), capacity);
    return {result, std::string(error.data(), strnlen(error.data(), error.size())),
            std::string(info.data(), strnlen(info.data(), info.size()))};
  }
  static std::string ptx(const std::string& body,
                         const std::string& head = ".version 8.4\n.target sm_80\n.address_size 64\n") {
    return head +
           ".visible .entry k(.param .u64 p)\n{\n.reg .b32 %r<9>;\n.reg .b64 %rd<9>;\n.reg .f32 %f<9>;\n.reg "
           ".pred %p<3>;\n" +
           body + "\nret;\n}\n";
  }
};

TEST_F(Loading, AcceptsWellFormedPtx) {
  EXPECT_EQ(attempt(ptx("ld.param.u64 %rd1, [p];")).result, CUDA_SUCCESS);
}

TEST_F(Loading, RefusesAnUnknownInstructionWithLineAndText) {
  const Attempt refused = attempt(ptx("frobnicate.u32 %r1, %r2;"));
  EXPECT_EQ(refused.result, CUDA_ERROR_INVALID_PTX);
  EXPECT_NE(refused.error_log.find("frobnicate"), std::string::npos) << refused.error_log;
  EXPECT_NE(refused.error_log.find("10"), std::string::npos) << "the line is missing: " << refused.error_log;
}

TEST_F(Loading, CutsTheLogToItsBuffer) {
  const Attempt refused = attempt(ptx("frobnicate.u32 %r1, %r2;"), 16);
  EXPECT_EQ(refused.result, CUDA_ERROR_INVALID_PTX);
  EXPECT_EQ(refused.error_log.size(), 15u);
}

TEST_F(Loading, RefusesOperandsThatDoNotFit) {
  if (driver().ours()) {  // ptxas: "Arguments mismatch for instruction"
    EXPECT_EQ(attempt(ptx("add.u32 %r1, %rd2, %r3;")).result, CUDA_ERROR_INVALID_PTX);
  }
  EXPECT_EQ(attempt(ptx("add.u32 %r1, %undeclared, %r3;")).result, CUDA_ERROR_INVALID_PTX);
  EXPECT_EQ(attempt(ptx("bra nowhere;")).result, CUDA_ERROR_INVALID_PTX);
  EXPECT_EQ(attempt(ptx("ld.param.u64 %rd1, [nothing];")).result, CUDA_ERROR_INVALID_PTX);
}

TEST_F(Loading, RefusesWhatIsNoImage) {
  for (const char* image : {"", "this is not PTX"}) {
    const CUresult result = attempt(image).result;
    EXPECT_TRUE(result == CUDA_ERROR_INVALID_IMAGE || result == CUDA_ERROR_INVALID_PTX) << describe(result);
  }
  CUmodule module = nullptr;
  EXPECT_CU(CUDA_ERROR_INVALID_VALUE, cuModuleLoadData(&module, nullptr));
  EXPECT_CU(CUDA_ERROR_INVALID_VALUE, cuModuleLoadData(nullptr, ""));
}

TEST_F(Loading, AnswersThatThereIsNoBinaryForCubins) {
  const unsigned char elf[64] = {0x7f, 'E', 'L', 'F', 2, 1, 1};
  const unsigned char fat_binary[64] = {0x50, 0xed, 0x55, 0xba, 1, 0, 16, 0};
  CUmodule module = nullptr;
  EXPECT_CU(CUDA_ERROR_NO_BINARY_FOR_GPU, cuModuleLoadData(&module, elf));
  EXPECT_CU(CUDA_ERROR_NO_BINARY_FOR_GPU, cuModuleLoadData(&module, fat_binary));
}

TEST_F(Loading, RefusesPtxVersionsItDoesNotKnow) {
  EXPECT_EQ(attempt(ptx("", ".version 99.0\n.target sm_80\n.address_size 64\n")).result,
            CUDA_ERROR_UNSUPPORTED_PTX_VERSION);
}

TEST_F(Loading, DoesNotFindKernelsThatAreNotThere) {
  CUmodule module = nullptr;
  ASSERT_CU(cuModuleLoadData(&module, ptx("").c_str()));
  CUfunction function = nullptr;
  EXPECT_CU(CUDA_ERROR_NOT_FOUND, cuModuleGetFunction(&function, module, "other"));
  EXPECT_CU(CUDA_ERROR_INVALID_VALUE, cuModuleGetFunction(&function, module, nullptr));
  EXPECT_CU(CUDA_SUCCESS, cuModuleGetFunction(&function, module, "k"));
  EXPECT_CU(CUDA_SUCCESS, cuModuleUnload(module));
}

// The suite "Refusal": what an architecture does not have is refused when it is loaded, as ptxas would refuse
// it.
class Refusal : public Loading {};

TEST_F(Refusal, OfPtxForANewerDevice) {
  const std::string head = ".version 8.4\n.target sm_90\n.address_size 64\n";
  EXPECT_EQ(attempt(ptx("", head)).result, capability() >= 90 ? CUDA_SUCCESS : CUDA_ERROR_NO_BINARY_FOR_GPU);
}

TEST_F(Refusal, OfInstructionsAboveTheModulesTarget) {
  if (!driver().ours()) GTEST_SKIP() << "only our simulator holds instructions against .target";
  const auto with_target = [](const char* target, const char* body) {
    return ptx(body, std::string(".version 8.4\n.target ") + target + "\n.address_size 64\n");
  };
  struct Case {
    const char* body;
    int needed;
  };
  // What ptxas 12.4 says of each.
  const Case cases[] = {
      {"cvt.rn.satfinite.e4m3x2.f32 %rs1, %f1, %f2;", 89},
      {"cvt.rn.bf16.f32 %rs1, %f1;", 80},
      {"add.bf16 %rs1, %rs1, %rs2;", 90},
      {"min.f16 %rs1, %rs1, %rs2;", 80},
      {"min.NaN.f32 %f1, %f2, %f3;", 80},
      {"cp.async.commit_group;", 80},
      {"redux.sync.add.s32 %r1, %r2, 0xffffffff;", 80},
      {"elect.sync %r1|%p1, 0xffffffff;", 90},
      {"stmatrix.sync.aligned.m8n8.x1.shared.b16 [%r1], {%r2};", 90},
      {"barrier.cluster.arrive;", 90},
      {"atom.global.add.noftz.bf16 %rs1, [%rd1], %rs2;", 90},
      {"fence.proxy.async;", 90},
      {"setmaxnreg.inc.sync.aligned.u32 96;", 900},
  };
  for (const Case& each : cases) {
    const std::string body = std::string(".reg .b16 %rs<4>;\n") + each.body;
    for (const auto& [target, level] :
         {std::pair{"sm_75", 75}, std::pair{"sm_80", 80}, std::pair{"sm_89", 89}}) {
      if (level > capability() || level >= each.needed) continue;
      const Attempt refused = attempt(with_target(target, body.c_str()));
      EXPECT_EQ(refused.result, CUDA_ERROR_INVALID_PTX) << each.body << " for " << target;
      EXPECT_NE(refused.error_log.find(std::string(each.body).substr(0, 5)), std::string::npos)
          << refused.error_log;
    }
  }
}

TEST_F(Refusal, OfInstructionsAboveTheModulesVersion) {
  if (!driver().ours()) GTEST_SKIP() << "only our simulator holds instructions against .version";
  EXPECT_EQ(attempt(ptx("cp.async.commit_group;", ".version 6.5\n.target sm_75\n.address_size 64\n")).result,
            CUDA_ERROR_INVALID_PTX);
  EXPECT_EQ(attempt(ptx("redux.sync.add.s32 %r1, %r2, 0xffffffff;",
                        ".version 6.5\n.target sm_75\n.address_size 64\n"))
                .result,
            CUDA_ERROR_INVALID_PTX);
}

}  // namespace
}  // namespace simulator::tests
