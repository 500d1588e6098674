namespace Kernels.Native;

/// <summary>
/// The CUDA Driver API. Names, parameters and symbols are those of <c>cuda.h</c> (12.4); versioned entry points carry
/// the version in their name. Nothing is marshalled and nothing is checked: results come back as <see cref="CUresult"/>.
/// The library is found by <see cref="DriverLibrary"/> at the first call.
/// </summary>
public static unsafe partial class Driver
{
    private const string Library = LibraryResolver.Driver;
}
