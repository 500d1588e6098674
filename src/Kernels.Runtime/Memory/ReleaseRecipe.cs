using Kernels.Native;

namespace Kernels.Runtime;

/// <summary>What a <see cref="ReleaseRecipe"/> releases.</summary>
internal enum ReleaseKind
{
    None,
    DeviceMemory,
    PinnedMemory,
    Pool,
    PoolBlock,
    PinnedPool,
    PinnedPoolBlock,
    Stream,
    Event,
    Module,
    Graph,
    GraphExec,
}

/// <summary>
/// Everything needed to release a resource without the object that owned it: run by Dispose at once, or later from the queue that
/// finalizers fill.
/// </summary>
internal readonly record struct ReleaseRecipe(ReleaseKind Kind, ulong Handle, object? Owner = null, object? Block = null)
{
    public ReleaseRecipe(ReleaseKind kind, nint handle)
        : this(kind, (ulong)handle)
    {
    }

    /// <summary>Releases; false where the driver refused.</summary>
    public unsafe bool Execute(DeviceContext context)
    {
        if (Kind == ReleaseKind.None)
            return true;
        try
        {
            context.MakeCurrent();
        }
        catch (CudaException)
        {
            return false; // the context is gone, and everything in it
        }

        // Freeing memory is forbidden to a thread while it captures a stream, or another thread captures one in global mode, unless
        // the thread says that its calls have nothing to do with the capture.
        CUstreamCaptureMode mode = CUstreamCaptureMode.CU_STREAM_CAPTURE_MODE_RELAXED;
        bool exchanged = Driver.cuThreadExchangeStreamCaptureMode(&mode) == CUresult.CUDA_SUCCESS;
        CUresult result = Release();
        if (exchanged)
            _ = Driver.cuThreadExchangeStreamCaptureMode(&mode);
        return result == CUresult.CUDA_SUCCESS;
    }

    private unsafe CUresult Release()
    {
        CUresult result = CUresult.CUDA_SUCCESS;
        switch (Kind)
        {
            case ReleaseKind.DeviceMemory:
                result = Driver.cuMemFree_v2(new CUdeviceptr(Handle));
                break;
            case ReleaseKind.PinnedMemory:
                result = Driver.cuMemFreeHost((void*)Handle);
                break;
            case ReleaseKind.Pool:
                ((PoolStore)Owner!).Close();
                break;
            case ReleaseKind.PoolBlock:
                ((PoolStore)Owner!).Return((PoolBlock)Block!);
                break;
            case ReleaseKind.PinnedPool:
                ((PinnedStore)Owner!).Close();
                break;
            case ReleaseKind.PinnedPoolBlock:
                ((PinnedStore)Owner!).Return((PinnedBlock)Block!);
                break;
            case ReleaseKind.Stream:
                foreach (PoolStream pool in (PoolStream[]?)Owner ?? [])
                    pool.Closing();
                result = Driver.cuStreamDestroy_v2(new CUstream((nint)Handle));
                break;
            case ReleaseKind.Event:
                result = Driver.cuEventDestroy_v2(new CUevent((nint)Handle));
                break;
            case ReleaseKind.Module:
                result = Driver.cuModuleUnload(new CUmodule((nint)Handle));
                break;
            case ReleaseKind.Graph:
                result = Driver.cuGraphDestroy(new CUgraph((nint)Handle));
                break;
            case ReleaseKind.GraphExec:
                result = Driver.cuGraphExecDestroy(new CUgraphExec((nint)Handle));
                break;
        }

        return result;
    }
}
