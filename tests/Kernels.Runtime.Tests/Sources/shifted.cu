#include "shift.cuh"
  # include "nested/more.cuh"

extern "C" __global__ void shifted(int* values)
{
  values[threadIdx.x] = shift(values[threadIdx.x]) + MORE;
}
