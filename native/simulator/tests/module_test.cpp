// Modules: names, templates, globals and constants, attributes, parameters.
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
  const CUfunction function =
      kernel("extern \"C\" __global__ void store(int* to, char c, double d) { to[0] = c + (int)d; }", "store");
  Buffer<int32_t> out(std::vector<int32_t>{0});
  struct {
    CUdeviceptr to;
    char c;
    double d;
  } packed{out.address(), 5, 37.5};
  size_t size = sizeof packed;
  void* extra[] = {CU_LAUNCH_PARAM_BUFFER_POINTER, &packed, CU_LAUNCH_PARAM_BUFFER_SIZE, &size, CU_LAUNCH_PARAM_END};
  ASSERT_CU(cuLaunchKernel(function, 1, 1, 1, 1, 1, 1, 0, nullptr, nullptr, extra));
  EXPECT_EQ(out.download()[0], 42);
  EXPECT_CU(CUDA_ERROR_INVALID_VALUE, cuLaunchKernel(function, 1, 1, 1, 1, 1, 1, 0, nullptr, nullptr, nullptr));
  void* pointers[] = {&packed.to, &packed.c, &packed.d};
  EXPECT_CU(CUDA_ERROR_INVALID_VALUE, cuLaunchKernel(function, 1, 1, 1, 1, 1, 1, 0, nullptr, pointers, extra));
}

}  // namespace
}  // namespace simulator::tests
