using System.Runtime.InteropServices;

namespace Kernels.Native;

// Contexts and the calling thread's current context.
public static unsafe partial class Driver
{
    /// <summary>Creates a context and makes it current on the calling thread.</summary>
    [LibraryImport(Library, EntryPoint = "cuCtxCreate_v2")]
    public static partial CUresult cuCtxCreate_v2(CUcontext* pctx, uint flags, CUdevice dev);

    /// <summary>Destroys a context, whichever threads it is current on.</summary>
    [LibraryImport(Library, EntryPoint = "cuCtxDestroy_v2")]
    public static partial CUresult cuCtxDestroy_v2(CUcontext ctx);

    /// <summary>Replaces the top of the calling thread's context stack.</summary>
    [LibraryImport(Library, EntryPoint = "cuCtxSetCurrent")]
    public static partial CUresult cuCtxSetCurrent(CUcontext ctx);

    /// <summary>The calling thread's current context, or null.</summary>
    [LibraryImport(Library, EntryPoint = "cuCtxGetCurrent")]
    public static partial CUresult cuCtxGetCurrent(CUcontext* pctx);

    /// <summary>Pushes a context onto the calling thread's stack.</summary>
    [LibraryImport(Library, EntryPoint = "cuCtxPushCurrent_v2")]
    public static partial CUresult cuCtxPushCurrent_v2(CUcontext ctx);

    /// <summary>Pops the current context from the calling thread's stack.</summary>
    [LibraryImport(Library, EntryPoint = "cuCtxPopCurrent_v2")]
    public static partial CUresult cuCtxPopCurrent_v2(CUcontext* pctx);

    /// <summary>Device of the current context.</summary>
    [LibraryImport(Library, EntryPoint = "cuCtxGetDevice")]
    public static partial CUresult cuCtxGetDevice(CUdevice* device);

    /// <summary>Waits until all work of the current context is done.</summary>
    [LibraryImport(Library, EntryPoint = "cuCtxSynchronize")]
    public static partial CUresult cuCtxSynchronize();

    /// <summary>API version a context was created with.</summary>
    [LibraryImport(Library, EntryPoint = "cuCtxGetApiVersion")]
    public static partial CUresult cuCtxGetApiVersion(CUcontext ctx, uint* version);

    /// <summary>One resource limit of the current context.</summary>
    [LibraryImport(Library, EntryPoint = "cuCtxGetLimit")]
    public static partial CUresult cuCtxGetLimit(nuint* pvalue, CUlimit limit);

    /// <summary>Asks for a resource limit of the current context.</summary>
    [LibraryImport(Library, EntryPoint = "cuCtxSetLimit")]
    public static partial CUresult cuCtxSetLimit(CUlimit limit, nuint value);

    /// <summary>Least and greatest stream priority of the current context; greater is the smaller number.</summary>
    [LibraryImport(Library, EntryPoint = "cuCtxGetStreamPriorityRange")]
    public static partial CUresult cuCtxGetStreamPriorityRange(int* leastPriority, int* greatestPriority);

    /// <summary>Id of a context, unique for the life of the process.</summary>
    [LibraryImport(Library, EntryPoint = "cuCtxGetId")]
    public static partial CUresult cuCtxGetId(CUcontext ctx, ulong* ctxId);

    /// <summary>Flags of the current context.</summary>
    [LibraryImport(Library, EntryPoint = "cuCtxGetFlags")]
    public static partial CUresult cuCtxGetFlags(uint* flags);
}
