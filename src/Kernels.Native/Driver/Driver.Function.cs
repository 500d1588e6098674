using System.Runtime.InteropServices;

namespace Kernels.Native;

// Kernels: attributes and parameters.
public static unsafe partial class Driver
{
    /// <summary>One attribute of a kernel.</summary>
    [LibraryImport(Library, EntryPoint = "cuFuncGetAttribute")]
    public static partial CUresult cuFuncGetAttribute(int* pi, CUfunction_attribute attrib, CUfunction hfunc);

    /// <summary>Sets one attribute of a kernel.</summary>
    [LibraryImport(Library, EntryPoint = "cuFuncSetAttribute")]
    public static partial CUresult cuFuncSetAttribute(CUfunction hfunc, CUfunction_attribute attrib, int value);

    /// <summary>Prefers L1 cache or shared memory for a kernel.</summary>
    [LibraryImport(Library, EntryPoint = "cuFuncSetCacheConfig")]
    public static partial CUresult cuFuncSetCacheConfig(CUfunction hfunc, CUfunc_cache config);

    /// <summary>Name of a kernel as a zero-terminated string that lives as long as its module.</summary>
    [LibraryImport(Library, EntryPoint = "cuFuncGetName")]
    public static partial CUresult cuFuncGetName(byte** name, CUfunction hfunc);

    /// <summary>Module of a kernel.</summary>
    [LibraryImport(Library, EntryPoint = "cuFuncGetModule")]
    public static partial CUresult cuFuncGetModule(CUmodule* hmod, CUfunction hfunc);

    /// <summary>Offset and size of a kernel's parameter; <c>CUDA_ERROR_INVALID_VALUE</c> past the last.</summary>
    [LibraryImport(Library, EntryPoint = "cuFuncGetParamInfo")]
    public static partial CUresult cuFuncGetParamInfo(CUfunction func, nuint paramIndex, nuint* paramOffset, nuint* paramSize);
}
