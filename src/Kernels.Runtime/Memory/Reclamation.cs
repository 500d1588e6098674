using System.Collections.Concurrent;
using Kernels.Native;

namespace Kernels.Runtime;

/// <summary>
/// The queue between finalizers, which must not call the driver, and the next allocation or synchronisation on any thread, which
/// releases what they left.
/// </summary>
internal static unsafe class Reclamation
{
    private static readonly ConcurrentQueue<(DeviceContext Context, ReleaseRecipe Recipe)> Queue = new();
    private static int _pending;

    /// <summary>Leaves a recipe and one reference to its context.</summary>
    public static void Enqueue(DeviceContext context, ReleaseRecipe recipe)
    {
        Queue.Enqueue((context, recipe));
        Interlocked.Increment(ref _pending);
    }

    /// <summary>Releases what finalizers left; a comparison where that is nothing.</summary>
    public static void Drain()
    {
        if (Volatile.Read(ref _pending) != 0)
            DrainQueue();
    }

    private static void DrainQueue()
    {
        // Freeing memory is forbidden to a thread while another stream is being captured in global mode, unless it says that
        // its calls have nothing to do with the capture.
        CUstreamCaptureMode mode = CUstreamCaptureMode.CU_STREAM_CAPTURE_MODE_RELAXED;
        bool exchanged = Driver.cuThreadExchangeStreamCaptureMode(&mode) == CUresult.CUDA_SUCCESS;
        while (Queue.TryDequeue(out (DeviceContext Context, ReleaseRecipe Recipe) entry))
        {
            Interlocked.Decrement(ref _pending);
            entry.Recipe.Execute(entry.Context);
            entry.Context.Release();
        }

        if (exchanged)
            _ = Driver.cuThreadExchangeStreamCaptureMode(&mode);
    }
}
