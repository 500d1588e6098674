using System.Runtime.InteropServices;

namespace Kernels.Native;

// Streams.
public static unsafe partial class Driver
{
    /// <summary>Creates a stream with <see cref="CUstream_flags"/>.</summary>
    [LibraryImport(Library, EntryPoint = "cuStreamCreate")]
    public static partial CUresult cuStreamCreate(CUstream* phStream, uint Flags);

    /// <summary>Creates a stream with a priority; smaller numbers go first.</summary>
    [LibraryImport(Library, EntryPoint = "cuStreamCreateWithPriority")]
    public static partial CUresult cuStreamCreateWithPriority(CUstream* phStream, uint flags, int priority);

    /// <summary>Destroys a stream; its resources go when its work is done.</summary>
    [LibraryImport(Library, EntryPoint = "cuStreamDestroy_v2")]
    public static partial CUresult cuStreamDestroy_v2(CUstream hStream);

    /// <summary>Waits until all work of the stream is done.</summary>
    [LibraryImport(Library, EntryPoint = "cuStreamSynchronize")]
    public static partial CUresult cuStreamSynchronize(CUstream hStream);

    /// <summary><c>CUDA_SUCCESS</c> when all work is done, <c>CUDA_ERROR_NOT_READY</c> when not.</summary>
    [LibraryImport(Library, EntryPoint = "cuStreamQuery")]
    public static partial CUresult cuStreamQuery(CUstream hStream);

    /// <summary>Makes later work of the stream wait for an event.</summary>
    [LibraryImport(Library, EntryPoint = "cuStreamWaitEvent")]
    public static partial CUresult cuStreamWaitEvent(CUstream hStream, CUevent hEvent, uint Flags);

    /// <summary>Id of a stream, unique for the life of the process (handles are reused).</summary>
    [LibraryImport(Library, EntryPoint = "cuStreamGetId")]
    public static partial CUresult cuStreamGetId(CUstream hStream, ulong* streamId);

    /// <summary>Context of a stream.</summary>
    [LibraryImport(Library, EntryPoint = "cuStreamGetCtx")]
    public static partial CUresult cuStreamGetCtx(CUstream hStream, CUcontext* pctx);

    /// <summary>Flags a stream was created with.</summary>
    [LibraryImport(Library, EntryPoint = "cuStreamGetFlags")]
    public static partial CUresult cuStreamGetFlags(CUstream hStream, uint* flags);

    /// <summary>Priority of a stream.</summary>
    [LibraryImport(Library, EntryPoint = "cuStreamGetPriority")]
    public static partial CUresult cuStreamGetPriority(CUstream hStream, int* priority);

    /// <summary>Runs a host function in stream order; it must not call CUDA.</summary>
    [LibraryImport(Library, EntryPoint = "cuLaunchHostFunc")]
    public static partial CUresult cuLaunchHostFunc(CUstream hStream, delegate* unmanaged<void*, void> fn, void* userData);
}
