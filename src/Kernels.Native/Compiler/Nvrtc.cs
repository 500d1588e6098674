using System.Runtime.InteropServices;

namespace Kernels.Native;

/// <summary>
/// NVRTC, the run-time compiler for CUDA C++. Names and signatures are those of <c>nvrtc.h</c>.
/// The library is found by <see cref="NvrtcLibrary"/> at the first call.
/// </summary>
public static unsafe partial class Nvrtc
{
    private const string Library = LibraryResolver.Nvrtc;

    /// <summary>Version of the library.</summary>
    [LibraryImport(Library, EntryPoint = "nvrtcVersion")]
    public static partial nvrtcResult nvrtcVersion(int* major, int* minor);

    /// <summary>Number of architectures the library compiles for.</summary>
    [LibraryImport(Library, EntryPoint = "nvrtcGetNumSupportedArchs")]
    public static partial nvrtcResult nvrtcGetNumSupportedArchs(int* numArchs);

    /// <summary>Writes the architectures (75, 80, 90, ...), ascending.</summary>
    [LibraryImport(Library, EntryPoint = "nvrtcGetSupportedArchs")]
    public static partial nvrtcResult nvrtcGetSupportedArchs(int* supportedArchs);

    /// <summary>Text of a result code, static and zero-terminated.</summary>
    [LibraryImport(Library, EntryPoint = "nvrtcGetErrorString")]
    public static partial byte* nvrtcGetErrorString(nvrtcResult result);

    /// <summary>Creates a program from zero-terminated source text and headers by include name.</summary>
    [LibraryImport(Library, EntryPoint = "nvrtcCreateProgram")]
    public static partial nvrtcResult nvrtcCreateProgram(
        nvrtcProgram* prog, byte* src, byte* name, int numHeaders, byte** headers, byte** includeNames);

    /// <summary>Destroys a program and sets the handle to null.</summary>
    [LibraryImport(Library, EntryPoint = "nvrtcDestroyProgram")]
    public static partial nvrtcResult nvrtcDestroyProgram(nvrtcProgram* prog);

    /// <summary>Asks for the lowered name of a kernel or variable; before compilation.</summary>
    [LibraryImport(Library, EntryPoint = "nvrtcAddNameExpression")]
    public static partial nvrtcResult nvrtcAddNameExpression(nvrtcProgram prog, byte* name_expression);

    /// <summary>Compiles a program with zero-terminated options.</summary>
    [LibraryImport(Library, EntryPoint = "nvrtcCompileProgram")]
    public static partial nvrtcResult nvrtcCompileProgram(nvrtcProgram prog, int numOptions, byte** options);

    /// <summary>Lowered name of a name expression; lives as long as the program.</summary>
    [LibraryImport(Library, EntryPoint = "nvrtcGetLoweredName")]
    public static partial nvrtcResult nvrtcGetLoweredName(nvrtcProgram prog, byte* name_expression, byte** lowered_name);

    /// <summary>Bytes of the PTX text with its terminator.</summary>
    [LibraryImport(Library, EntryPoint = "nvrtcGetPTXSize")]
    public static partial nvrtcResult nvrtcGetPTXSize(nvrtcProgram prog, nuint* ptxSizeRet);

    /// <summary>Writes the PTX text.</summary>
    [LibraryImport(Library, EntryPoint = "nvrtcGetPTX")]
    public static partial nvrtcResult nvrtcGetPTX(nvrtcProgram prog, byte* ptx);

    /// <summary>Bytes of the cubin; 0 where a virtual architecture was compiled for.</summary>
    [LibraryImport(Library, EntryPoint = "nvrtcGetCUBINSize")]
    public static partial nvrtcResult nvrtcGetCUBINSize(nvrtcProgram prog, nuint* cubinSizeRet);

    /// <summary>Writes the cubin.</summary>
    [LibraryImport(Library, EntryPoint = "nvrtcGetCUBIN")]
    public static partial nvrtcResult nvrtcGetCUBIN(nvrtcProgram prog, byte* cubin);

    /// <summary>Bytes of the compilation log with its terminator.</summary>
    [LibraryImport(Library, EntryPoint = "nvrtcGetProgramLogSize")]
    public static partial nvrtcResult nvrtcGetProgramLogSize(nvrtcProgram prog, nuint* logSizeRet);

    /// <summary>Writes the compilation log.</summary>
    [LibraryImport(Library, EntryPoint = "nvrtcGetProgramLog")]
    public static partial nvrtcResult nvrtcGetProgramLog(nvrtcProgram prog, byte* log);
}
