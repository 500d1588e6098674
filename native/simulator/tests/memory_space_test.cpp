// Loads and stores: every width, vectors, all state spaces, generic addresses.
#include <numeric>

#include "support/device_test.h"

namespace simulator::tests {
namespace {

class MemorySpace : public KernelTest {};
FOR_EACH_ARCHITECTURE(MemorySpace);

template <class T>
std::vector<T> counted(size_t n, T start = T(1)) {
  std::vector<T> values(n);
  std::iota(values.begin(), values.end(), start);
  return values;
}

TEST_P(MemorySpace, ExtendsNarrowLoadsAndTruncatesNarrowStores) {
  const CUfunction function = kernel(R"(
extern "C" __global__ void widths(const signed char* s8, const unsigned char* u8, const short* s16, const unsigned short* u16,
                                  long long* out, unsigned char* narrow8, unsigned short* narrow16) {
  const unsigned i = threadIdx.x;
  out[4 * i] = s8[i]; out[4 * i + 1] = u8[i]; out[4 * i + 2] = s16[i]; out[4 * i + 3] = u16[i];
  narrow8[i] = (unsigned char)(s16[i] * 3); narrow16[i] = (unsigned short)(u16[i] * 70000);
})",
                                     "widths");
  std::vector<int8_t> bytes(64);
  std::vector<int16_t> words(64);
  for (int i = 0; i < 64; ++i)
    bytes[i] = static_cast<int8_t>(i * 4 - 128), words[i] = static_cast<int16_t>(i * 1024 - 32768);
  Buffer<int8_t> s8(bytes);
  Buffer<int16_t> s16(words);
  Buffer<int64_t> out(256);
  Buffer<uint8_t> narrow8(64);
  Buffer<uint16_t> narrow16(64);
  launch(function, grid(1, 64), s8, s8, s16, s16, out, narrow8, narrow16);
  const auto wide = out.download();
  const auto n8 = narrow8.download();
  const auto n16 = narrow16.download();
  for (int i = 0; i < 64; ++i) {
    EXPECT_EQ(wide[4 * i], bytes[i]);
    EXPECT_EQ(wide[4 * i + 1], static_cast<uint8_t>(bytes[i]));
    EXPECT_EQ(wide[4 * i + 2], words[i]);
    EXPECT_EQ(wide[4 * i + 3], static_cast<uint16_t>(words[i]));
    EXPECT_EQ(n8[i], static_cast<uint8_t>(words[i] * 3));
    EXPECT_EQ(n16[i], static_cast<uint16_t>(static_cast<uint16_t>(words[i]) * 70000u));
  }
}

TEST_P(MemorySpace, MovesVectorsOfTwoAndFour) {
  const CUfunction function = kernel(R"(
extern "C" __global__ void vectors(const uint4* a, const uint2* b, const double2* c, const uchar4* d, const ushort4* e, uint4* oa, uint2* ob,
                                   double2* oc, uchar4* od, ushort4* oe) {
  const unsigned i = threadIdx.x;
  uint4 va = a[i]; oa[i] = make_uint4(va.w, va.z, va.y, va.x);
  uint2 vb = b[i]; ob[i] = make_uint2(vb.y, vb.x);
  double2 vc = c[i]; oc[i] = make_double2(vc.y, -vc.x);
  uchar4 vd = d[i]; od[i] = make_uchar4(vd.w, vd.x, vd.y, vd.z);
  ushort4 ve = e[i]; oe[i] = make_ushort4(ve.y, ve.z, ve.w, ve.x);
})",
                                     "vectors");
  const unsigned n = 33;
  Buffer<uint32_t> a(counted<uint32_t>(4 * n)), b(counted<uint32_t>(2 * n, 1000)), oa(4 * n), ob(2 * n);
  Buffer<double> c(counted<double>(2 * n, 0.5)), oc(2 * n);
  Buffer<uint8_t> d(counted<uint8_t>(4 * n)), od(4 * n);
  Buffer<uint16_t> e(counted<uint16_t>(4 * n)), oe(4 * n);
  launch(function, grid(1, n), a, b, c, d, e, oa, ob, oc, od, oe);
  const auto ra = oa.download(), rb = ob.download();
  const auto rc = oc.download();
  const auto rd = od.download();
  const auto re = oe.download();
  for (unsigned i = 0; i < n; ++i) {
    for (unsigned k = 0; k < 4; ++k) {
      EXPECT_EQ(ra[4 * i + k], 4 * i + 3 - k + 1);
      EXPECT_EQ(rd[4 * i + k], static_cast<uint8_t>(4 * i + (k + 3) % 4 + 1));
      EXPECT_EQ(re[4 * i + k], static_cast<uint16_t>(4 * i + (k + 1) % 4 + 1));
    }
    EXPECT_EQ(rb[2 * i], 2 * i + 1001);
    EXPECT_EQ(rb[2 * i + 1], 2 * i + 1000);
    EXPECT_EQ(rc[2 * i], 2 * i + 1.5);
    EXPECT_EQ(rc[2 * i + 1], -(2 * i + 0.5));
  }
}

TEST_P(MemorySpace, SharesMemoryWithinABlockOnly) {
  const CUfunction function = kernel(R"(
extern "C" __global__ void reverse(const int* in, int* out) {
  __shared__ int tile[128];
  const unsigned base = blockIdx.x * 128;
  tile[threadIdx.x] = in[base + threadIdx.x];
  __syncthreads();
  out[base + threadIdx.x] = tile[127 - threadIdx.x];
})",
                                     "reverse");
  Buffer<int32_t> in(counted<int32_t>(128 * 7)), out(128 * 7);
  launch(function, grid(7, 128), in, out);
  const auto result = out.download();
  for (int b = 0; b < 7; ++b)
    for (int t = 0; t < 128; ++t) ASSERT_EQ(result[b * 128 + t], b * 128 + 127 - t + 1);
}

TEST_P(MemorySpace, GivesEveryThreadLocalMemoryOfItsOwn) {
  const CUfunction function = kernel(R"(
extern "C" __global__ void indexed(const int* order, int* out) {
  int values[32];
  for (int i = 0; i < 32; ++i) values[i] = i * (int)(threadIdx.x + 1);
  int sum = 0;
  for (int i = 0; i < 32; ++i) sum = sum * 3 + values[order[(i + threadIdx.x) & 31]];
  out[blockIdx.x * blockDim.x + threadIdx.x] = sum;
})",
                                     "indexed");
  std::vector<int32_t> order(32);
  for (int i = 0; i < 32; ++i) order[i] = (i * 13 + 5) % 32;
  Buffer<int32_t> in(order), out(2 * 96);
  launch(function, grid(2, 96), in, out);
  const auto result = out.download();
  for (int t = 0; t < 192; ++t) {
    const int thread = t % 96;
    uint32_t sum = 0;
    for (int i = 0; i < 32; ++i) sum = sum * 3 + static_cast<uint32_t>(order[(i + thread) & 31] * (thread + 1));
    ASSERT_EQ(static_cast<uint32_t>(result[t]), sum) << t;
  }
}

TEST_P(MemorySpace, FollowsGenericPointersIntoEverySpace) {
  const CUfunction function = kernel(R"(
__constant__ int constants[4] = {10, 20, 30, 40};
__device__ int variables[4] = {1, 2, 3, 4};
__device__ __noinline__ int sum(const int* p) { return p[0] + p[1] + p[2] + p[3]; }
extern "C" __global__ void generic(const int* global, int* out, int pick) {
  __shared__ int shared[4];
  int local[4];
  if (threadIdx.x < 4) shared[threadIdx.x] = 100 * (threadIdx.x + 1);
  for (int i = 0; i < 4; ++i) local[i] = pick * i + (int)threadIdx.x;
  __syncthreads();
  const int* p = threadIdx.x % 5 == 0 ? global : threadIdx.x % 5 == 1 ? shared : threadIdx.x % 5 == 2 ? local : threadIdx.x % 5 == 3 ? constants : variables;
  out[threadIdx.x] = sum(p);
  unsigned space = (__isGlobal(p) ? 1 : 0) | (__isShared(p) ? 2 : 0) | (__isLocal(p) ? 4 : 0);
  out[64 + threadIdx.x] = space;
})",
                                     "generic");
  Buffer<int32_t> in(std::vector<int32_t>{7, 8, 9, 10}), out(128);
  launch(function, grid(1, 64), in, out, 1000);
  const auto result = out.download();
  for (int t = 0; t < 64; ++t) {
    const int sums[] = {34, 1000, 6000 + 4 * t, 100, 10};
    EXPECT_EQ(result[t], sums[t % 5]) << t;
    if (t % 5 != 3) {
      EXPECT_EQ(result[64 + t], t % 5 == 1 ? 2 : t % 5 == 2 ? 4 : 1) << t;
    }
  }
}

TEST_P(MemorySpace, TakesParametersOfEverySizeAndStructuresByValue) {
  const CUfunction function = kernel(R"(
struct Mixed { char c; double d; short s; int values[5]; };
extern "C" __global__ void parameters(char c, short s, int i, long long l, float f, double d, Mixed m, bool b, int which, double* out) {
  out[0] = c; out[1] = s; out[2] = i; out[3] = (double)l; out[4] = f; out[5] = d;
  out[6] = m.c; out[7] = m.d; out[8] = m.s; out[9] = m.values[which]; out[10] = b;
})",
                                     "parameters");
  struct Mixed {
    char c;
    double d;
    short s;
    int values[5];
  };
  Buffer<double> out(11);
  launch(function, grid(1, 1), char{-5}, short{-300}, int{123456}, static_cast<long long>(1) << 40, 1.5f, 2.25,
         Mixed{7, 8.5, -9, {1, 2, 3, 4, 5}}, true, 3, out);
  EXPECT_EQ(out.download(), (std::vector<double>{-5, -300, 123456, 1099511627776.0, 1.5, 2.25, 7, 8.5, -9, 4, 1}));
}

TEST_P(MemorySpace, ReadsThroughTheReadOnlyAndStreamingPaths) {
  const CUfunction function = kernel(R"(
extern "C" __global__ void cached(const int4* in, int4* out) {
  const unsigned i = threadIdx.x;
  int4 v = __ldg(in + i);
  int w = __ldcg((const int*)in + i) + __ldcs((const int*)in + i) + __ldlu((const int*)in + i) + __ldcv((const int*)in + i);
  v.x += w;
  __stcs(out + i, v);
  __stcg((int*)out + 4 * i + 1, v.y * 2);
  __stwt((int*)out + 4 * i + 2, v.z * 3);
})",
                                     "cached");
  Buffer<int32_t> in(counted<int32_t>(128)), out(128);
  launch(function, grid(1, 32), in, out);
  const auto result = out.download();
  for (int i = 0; i < 32; ++i) {
    EXPECT_EQ(result[4 * i], 4 * i + 1 + 4 * (i + 1));
    EXPECT_EQ(result[4 * i + 1], 2 * (4 * i + 2));
    EXPECT_EQ(result[4 * i + 2], 3 * (4 * i + 3));
    EXPECT_EQ(result[4 * i + 3], 4 * i + 4);
  }
}

TEST_P(MemorySpace, WritesPinnedAndManagedMemoryThatTheHostReads) {
  const CUfunction function = kernel(R"(
extern "C" __global__ void squares(const int* in, int* out, int n) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) out[i] = in[i] * in[i];
})",
                                     "squares");
  void* pinned = nullptr;
  CUdeviceptr managed = 0;
  std::vector<int32_t> registered(100, -1);
  ASSERT_CU(cuMemAllocHost_v2(&pinned, 400));
  ASSERT_CU(cuMemAllocManaged(&managed, 400, CU_MEM_ATTACH_GLOBAL));
  ASSERT_CU(cuMemHostRegister_v2(registered.data(), 400, 0));
  CUdeviceptr registered_device = 0;
  ASSERT_CU(cuMemHostGetDevicePointer_v2(&registered_device, registered.data(), 0));
  int32_t* const in = static_cast<int32_t*>(pinned);
  for (int i = 0; i < 100; ++i) in[i] = i;
  launch(function, grid(1, 128), in, managed, 100);
  launch(function, grid(1, 128), managed, registered_device, 100);
  for (int i = 0; i < 100; ++i) {
    ASSERT_EQ(reinterpret_cast<int32_t*>(managed)[i], i * i);
    ASSERT_EQ(registered[i], i * i * i * i);
  }
  ASSERT_CU(cuMemHostUnregister(registered.data()));
  ASSERT_CU(cuMemFree_v2(managed));
  ASSERT_CU(cuMemFreeHost(pinned));
}

class DynamicShared : public KernelTest {};
FOR_EACH_ARCHITECTURE(DynamicShared);

constexpr const char* dynamic_source = R"(
extern __shared__ unsigned char dynamic[];
__shared__ int fixed[16];
extern "C" __global__ void fill(int* out, unsigned bytes) {
  int* ints = (int*)dynamic;
  const unsigned n = bytes / 4;
  for (unsigned i = threadIdx.x; i < n; i += blockDim.x) ints[i] = i * 7;
  if (threadIdx.x < 16) fixed[threadIdx.x] = -(int)threadIdx.x;
  __syncthreads();
  int sum = 0;
  for (unsigned i = threadIdx.x; i < n; i += blockDim.x) sum += ints[n - 1 - i] & 15;
  out[threadIdx.x] = sum + fixed[threadIdx.x & 15];
})";

TEST_P(DynamicShared, HasTheSizeTheLaunchAsksFor) {
  const CUfunction fill = kernel(dynamic_source, "fill");
  for (const unsigned bytes : {0u, 4u, 1000u, 40000u}) {
    Buffer<int32_t> out(64);
    launch(fill, grid(1, 64, bytes), out, bytes);
    const auto result = out.download();
    for (unsigned t = 0; t < 64; ++t) {
      int sum = -static_cast<int>(t & 15);
      for (unsigned i = t; i < bytes / 4; i += 64) sum += static_cast<int>((bytes / 4 - 1 - i) * 7) & 15;
      ASSERT_EQ(result[t], sum) << bytes << " bytes, thread " << t;
    }
  }
}

TEST_P(DynamicShared, NeedsTheAttributeAbove48KiBAndEndsAtTheDevicesLimit) {
  const CUfunction fill = kernel(dynamic_source, "fill");
  int fixed = 0;
  EXPECT_CU(CUDA_SUCCESS, cuFuncGetAttribute(&fixed, CU_FUNC_ATTRIBUTE_SHARED_SIZE_BYTES, fill));
  EXPECT_EQ(fixed, 64);
  const int most = attribute(CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN) - fixed;
  Buffer<int32_t> out(64);
  EXPECT_EQ(try_launch(fill, grid(1, 64, 60000), out, 60000u), CUDA_ERROR_INVALID_VALUE);
  EXPECT_CU(CUDA_ERROR_INVALID_VALUE,
            cuFuncSetAttribute(fill, CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES, most + 1));
  EXPECT_CU(CUDA_SUCCESS, cuFuncSetAttribute(fill, CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES, most));
  int granted = 0;
  EXPECT_CU(CUDA_SUCCESS, cuFuncGetAttribute(&granted, CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES, fill));
  EXPECT_EQ(granted, most);
  launch(fill, grid(1, 64, static_cast<unsigned>(most)), out, static_cast<unsigned>(most));
  EXPECT_EQ(try_launch(fill, grid(1, 64, static_cast<unsigned>(most) + 1), out, 0u), CUDA_ERROR_INVALID_VALUE);
}

TEST_P(DynamicShared, StartsPastTheReservedKibibyte) {
  const CUfunction where = kernel(R"(
extern "C" __global__ void where(unsigned long long* out) {
  __shared__ int value[4];
  value[threadIdx.x] = 1;
  out[threadIdx.x] = __cvta_generic_to_shared(&value[threadIdx.x]);
})",
                                  "where");
  Buffer<uint64_t> out(4);
  launch(where, grid(1, 4), out);
  EXPECT_GE(out.download()[0], 1024u);
}

}  // namespace
}  // namespace simulator::tests
