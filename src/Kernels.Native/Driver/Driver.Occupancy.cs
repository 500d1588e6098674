using System.Runtime.InteropServices;

namespace Kernels.Native;

// How many blocks fit.
public static unsafe partial class Driver
{
    /// <summary>Blocks of a kernel that fit on a multiprocessor at once.</summary>
    [LibraryImport(Library, EntryPoint = "cuOccupancyMaxActiveBlocksPerMultiprocessor")]
    public static partial CUresult cuOccupancyMaxActiveBlocksPerMultiprocessor(
        int* numBlocks, CUfunction func, int blockSize, nuint dynamicSMemSize);

    /// <summary>As <see cref="cuOccupancyMaxActiveBlocksPerMultiprocessor"/>, with <see cref="CUoccupancy_flags"/>.</summary>
    [LibraryImport(Library, EntryPoint = "cuOccupancyMaxActiveBlocksPerMultiprocessorWithFlags")]
    public static partial CUresult cuOccupancyMaxActiveBlocksPerMultiprocessorWithFlags(
        int* numBlocks, CUfunction func, int blockSize, nuint dynamicSMemSize, uint flags);

    /// <summary>Block size of the best occupancy and the smallest grid that reaches it.</summary>
    [LibraryImport(Library, EntryPoint = "cuOccupancyMaxPotentialBlockSize")]
    public static partial CUresult cuOccupancyMaxPotentialBlockSize(
        int* minGridSize, int* blockSize, CUfunction func, delegate* unmanaged<int, nuint> blockSizeToDynamicSMemSize,
        nuint dynamicSMemSize, int blockSizeLimit);

    /// <summary>Dynamic shared memory a block may have when this many run on a multiprocessor.</summary>
    [LibraryImport(Library, EntryPoint = "cuOccupancyAvailableDynamicSMemPerBlock")]
    public static partial CUresult cuOccupancyAvailableDynamicSMemPerBlock(
        nuint* dynamicSmemSize, CUfunction func, int numBlocks, int blockSize);
}
