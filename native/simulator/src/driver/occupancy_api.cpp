// cuOccupancy*.
#include <algorithm>

#include "api.h"
#include "occupancy.h"

using namespace simulator::driver;

namespace {

CUresult active_blocks(int* numBlocks, CUfunction func, int blockSize, size_t dynamicSMemSize) {
  require_pointer(numBlocks, "numBlocks");
  *numBlocks = resident_blocks(*function_of(func), blockSize, dynamicSMemSize);
  return CUDA_SUCCESS;
}

// The block size, in whole warps, with the most resident threads; the largest one where several have as many.
CUresult best_block(int* minGridSize, int* blockSize, CUfunction func, CUoccupancyB2DSize shared_of, size_t shared,
                    int limit) {
  require_pointer(minGridSize, "minGridSize");
  require_pointer(blockSize, "blockSize");
  const FunctionPointer function = function_of(func);
  int most = static_cast<int>(function->info().max_threads_per_block);
  if (limit < 0) fail(CUDA_ERROR_INVALID_VALUE, "blockSizeLimit = %d", limit);
  if (limit > 0) most = std::min(most, limit);
  int best_size = 0, best_threads = 0, best_blocks = 0;
  for (int size = (most + 31) / 32 * 32; size > 0; size -= 32) {
    const int threads = std::min(size, most);
    const int blocks = resident_blocks(*function, threads, shared_of ? shared_of(threads) : shared);
    if (blocks * threads > best_threads) best_size = threads, best_threads = blocks * threads, best_blocks = blocks;
  }
  *blockSize = best_size;
  *minGridSize = best_blocks * function->context->model().multiprocessors;
  return CUDA_SUCCESS;
}

void check_flags(unsigned flags) {
  if (flags & ~static_cast<unsigned>(CU_OCCUPANCY_DISABLE_CACHING_OVERRIDE))
    fail(CUDA_ERROR_INVALID_VALUE, "flags = 0x%x", flags);
}

}  // namespace

SIMULATOR_API cuOccupancyMaxActiveBlocksPerMultiprocessor(int* numBlocks, CUfunction func, int blockSize,
                                                          size_t dynamicSMemSize) {
  return api("cuOccupancyMaxActiveBlocksPerMultiprocessor",
             [&] { return active_blocks(numBlocks, func, blockSize, dynamicSMemSize); });
}

SIMULATOR_API cuOccupancyMaxActiveBlocksPerMultiprocessorWithFlags(int* numBlocks, CUfunction func, int blockSize,
                                                                   size_t dynamicSMemSize, unsigned int flags) {
  return api("cuOccupancyMaxActiveBlocksPerMultiprocessorWithFlags", [&] {
    check_flags(flags);
    return active_blocks(numBlocks, func, blockSize, dynamicSMemSize);
  });
}

SIMULATOR_API cuOccupancyMaxPotentialBlockSize(int* minGridSize, int* blockSize, CUfunction func,
                                               CUoccupancyB2DSize blockSizeToDynamicSMemSize, size_t dynamicSMemSize,
                                               int blockSizeLimit) {
  return api("cuOccupancyMaxPotentialBlockSize", [&] {
    return best_block(minGridSize, blockSize, func, blockSizeToDynamicSMemSize, dynamicSMemSize, blockSizeLimit);
  });
}

SIMULATOR_API cuOccupancyMaxPotentialBlockSizeWithFlags(int* minGridSize, int* blockSize, CUfunction func,
                                                        CUoccupancyB2DSize blockSizeToDynamicSMemSize,
                                                        size_t dynamicSMemSize, int blockSizeLimit,
                                                        unsigned int flags) {
  return api("cuOccupancyMaxPotentialBlockSizeWithFlags", [&] {
    check_flags(flags);
    return best_block(minGridSize, blockSize, func, blockSizeToDynamicSMemSize, dynamicSMemSize, blockSizeLimit);
  });
}

SIMULATOR_API cuOccupancyAvailableDynamicSMemPerBlock(size_t* dynamicSmemSize, CUfunction func, int numBlocks,
                                                      int blockSize) {
  return api("cuOccupancyAvailableDynamicSMemPerBlock", [&] {
    require_pointer(dynamicSmemSize, "dynamicSmemSize");
    *dynamicSmemSize = available_dynamic_shared(*function_of(func), numBlocks, blockSize);
    return CUDA_SUCCESS;
  });
}
