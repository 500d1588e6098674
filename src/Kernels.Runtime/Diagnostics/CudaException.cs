using System.Runtime.InteropServices;
using System.Text;
using Kernels.Native;

namespace Kernels.Runtime;

/// <summary>A driver call failed. The message names the call, the error, the device, the stream and the arguments that matter.</summary>
public class CudaException : Exception
{
    internal CudaException(CUresult result, string call, int? device, string? details, Stream? stream)
        : base(Compose(result, call, device, details, stream))
    {
        Result = result;
        Call = call;
        DeviceOrdinal = device;
        StreamHandle = stream?.Handle;
        Details = details;
    }

    /// <summary>Error code.</summary>
    public CUresult Result { get; }

    /// <summary>Name of the driver call that reported it. Errors of kernels are reported by a later call.</summary>
    public string Call { get; }

    /// <summary>Ordinal of the device, or null where no device was involved.</summary>
    public int? DeviceOrdinal { get; }

    /// <summary>Stream of the call, or null.</summary>
    public CUstream? StreamHandle { get; }

    /// <summary>Arguments that matter, or null.</summary>
    public string? Details { get; }

    /// <summary>Name of the error code as the driver gives it.</summary>
    public string ErrorName => NameOf(Result);

    /// <summary>
    /// Whether the context is lost: after an error of a kernel's own doing every later call in the context answers it too, and
    /// only a new process (or a reset of the primary context) goes on.
    /// </summary>
    public bool IsSticky => IsStickyResult(Result);

    internal static void ThrowIfFailed(CUresult result, string call, int? device, string? details = null)
    {
        if (result != CUresult.CUDA_SUCCESS)
            throw Create(result, call, device, details);
    }

    internal static CudaException Create(CUresult result, string call, int? device, string? details = null, Stream? stream = null) =>
        new(result, call, device, details, stream);

    internal static bool IsStickyResult(CUresult result) => result is
        CUresult.CUDA_ERROR_ILLEGAL_ADDRESS or CUresult.CUDA_ERROR_MISALIGNED_ADDRESS or CUresult.CUDA_ERROR_INVALID_ADDRESS_SPACE or
        CUresult.CUDA_ERROR_INVALID_PC or CUresult.CUDA_ERROR_ILLEGAL_INSTRUCTION or CUresult.CUDA_ERROR_HARDWARE_STACK_ERROR or
        CUresult.CUDA_ERROR_LAUNCH_FAILED or CUresult.CUDA_ERROR_LAUNCH_TIMEOUT or CUresult.CUDA_ERROR_ASSERT or
        CUresult.CUDA_ERROR_ECC_UNCORRECTABLE or CUresult.CUDA_ERROR_CONTEXT_IS_DESTROYED;

    /// <summary>Which launch an error that a kernel caused is most likely of; null for other errors.</summary>
    internal static string? Blame(CUresult result, string? lastLaunch, string where) =>
        lastLaunch is not null && IsStickyResult(result) ? $"the last launch on the {where} was {lastLaunch}" : null;

    internal static unsafe string NameOf(CUresult result)
    {
        byte* text;
        return DriverLibrary.IsLoaded && Driver.cuGetErrorName(result, &text) == CUresult.CUDA_SUCCESS && text is not null
            ? Marshal.PtrToStringUTF8((nint)text)!
            : Enum.IsDefined(result) ? result.ToString() : "an unknown error";
    }

    private static unsafe string? Describe(CUresult result)
    {
        byte* text;
        return DriverLibrary.IsLoaded && Driver.cuGetErrorString(result, &text) == CUresult.CUDA_SUCCESS && text is not null
            ? Marshal.PtrToStringUTF8((nint)text)
            : null;
    }

    private static string Compose(CUresult result, string call, int? device, string? details, Stream? stream)
    {
        var message = new StringBuilder();
        message.Append($"{call} failed with {NameOf(result)} ({(int)result}");
        if (Describe(result) is { } description)
            message.Append($": {description}");
        message.Append(')');
        if (device is not null)
            message.Append($" on device {device}");
        if (stream is not null)
            message.Append($", stream {stream.Handle}");
        if (details is not null)
            message.Append($": {details}");
        message.Append('.');
        if (stream?.LastLaunch is { } launch && details?.Contains(launch, StringComparison.Ordinal) != true &&
            Blame(result, launch, "stream") is { } blame)
            message.Append($" ({blame}.)");
        return message.ToString();
    }
}
