namespace Kernels.Runtime.Tests;

/// <summary>Small kernels that several tests launch.</summary>
internal static class TestKernels
{
    public static KernelSource VectorAdd { get; } = new("vector_add.cu", """
        extern "C" __global__ void vector_add(const float* a, const float* b, float* sum, int n)
        {
          int i = blockIdx.x * blockDim.x + threadIdx.x;
          if (i < n) sum[i] = a[i] + b[i];
        }
        """);

    public static KernelSource Increment { get; } = new("increment.cu", """
        extern "C" __global__ void increment(int* values, int n, int by)
        {
          int i = blockIdx.x * blockDim.x + threadIdx.x;
          if (i < n) values[i] += by;
        }
        """);

    public static KernelSource Templates { get; } = new("scale.cu", """
        #ifndef OFFSET
        #define OFFSET 0
        #endif
        namespace ops {
        __constant__ int bias = 7;
        template <typename T, int Factor>
        __global__ void scale(const T* in, T* out, int n)
        {
          int i = blockIdx.x * blockDim.x + threadIdx.x;
          if (i < n) out[i] = in[i] * T(Factor) + T(OFFSET);
        }
        }
        """);
}
