using System.Runtime.InteropServices;

namespace Kernels.Native;

// Events.
public static unsafe partial class Driver
{
    /// <summary>Creates an event with <see cref="CUevent_flags"/>.</summary>
    [LibraryImport(Library, EntryPoint = "cuEventCreate")]
    public static partial CUresult cuEventCreate(CUevent* phEvent, uint Flags);

    /// <summary>Captures in the event what the stream has been given so far.</summary>
    [LibraryImport(Library, EntryPoint = "cuEventRecord")]
    public static partial CUresult cuEventRecord(CUevent hEvent, CUstream hStream);

    /// <summary>As <see cref="cuEventRecord"/>, with <see cref="CUevent_record_flags"/>.</summary>
    [LibraryImport(Library, EntryPoint = "cuEventRecordWithFlags")]
    public static partial CUresult cuEventRecordWithFlags(CUevent hEvent, CUstream hStream, uint flags);

    /// <summary><c>CUDA_SUCCESS</c> when the captured work is done, <c>CUDA_ERROR_NOT_READY</c> when not.</summary>
    [LibraryImport(Library, EntryPoint = "cuEventQuery")]
    public static partial CUresult cuEventQuery(CUevent hEvent);

    /// <summary>Waits until the captured work is done.</summary>
    [LibraryImport(Library, EntryPoint = "cuEventSynchronize")]
    public static partial CUresult cuEventSynchronize(CUevent hEvent);

    /// <summary>Milliseconds between two completed events, to about half a microsecond.</summary>
    [LibraryImport(Library, EntryPoint = "cuEventElapsedTime")]
    public static partial CUresult cuEventElapsedTime(float* pMilliseconds, CUevent hStart, CUevent hEnd);

    /// <summary>Destroys an event.</summary>
    [LibraryImport(Library, EntryPoint = "cuEventDestroy_v2")]
    public static partial CUresult cuEventDestroy_v2(CUevent hEvent);
}
