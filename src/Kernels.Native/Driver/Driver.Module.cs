using System.Runtime.InteropServices;

namespace Kernels.Native;

// Modules: loading PTX and cubins.
public static unsafe partial class Driver
{
    /// <summary>Loads a module from a cubin, fat binary or zero-terminated PTX text.</summary>
    [LibraryImport(Library, EntryPoint = "cuModuleLoadData")]
    public static partial CUresult cuModuleLoadData(CUmodule* module, void* image);

    /// <summary>As <see cref="cuModuleLoadData"/>, with options for the driver's compiler.</summary>
    [LibraryImport(Library, EntryPoint = "cuModuleLoadDataEx")]
    public static partial CUresult cuModuleLoadDataEx(
        CUmodule* module, void* image, uint numOptions, CUjit_option* options, void** optionValues);

    /// <summary>Unloads a module.</summary>
    [LibraryImport(Library, EntryPoint = "cuModuleUnload")]
    public static partial CUresult cuModuleUnload(CUmodule hmod);

    /// <summary>Kernel of a module by its (lowered) name.</summary>
    [LibraryImport(Library, EntryPoint = "cuModuleGetFunction")]
    public static partial CUresult cuModuleGetFunction(CUfunction* hfunc, CUmodule hmod, byte* name);

    /// <summary>Address and size of a module's global by name.</summary>
    [LibraryImport(Library, EntryPoint = "cuModuleGetGlobal_v2")]
    public static partial CUresult cuModuleGetGlobal_v2(CUdeviceptr* dptr, nuint* bytes, CUmodule hmod, byte* name);

    /// <summary>Number of kernels in a module.</summary>
    [LibraryImport(Library, EntryPoint = "cuModuleGetFunctionCount")]
    public static partial CUresult cuModuleGetFunctionCount(uint* count, CUmodule mod);

    /// <summary>Writes up to <paramref name="numFunctions"/> kernels of a module.</summary>
    [LibraryImport(Library, EntryPoint = "cuModuleEnumerateFunctions")]
    public static partial CUresult cuModuleEnumerateFunctions(CUfunction* functions, uint numFunctions, CUmodule mod);
}
