#pragma once
#include "nested/more.cuh"

__device__ inline int shift(int value) { return value << 2; }
