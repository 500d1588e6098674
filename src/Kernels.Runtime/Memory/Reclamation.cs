using System.Collections.Concurrent;

namespace Kernels.Runtime;

/// <summary>
/// The queue between finalizers, which must not call the driver, and the next allocation or synchronisation on any thread, which
/// releases what they left.
/// </summary>
internal static class Reclamation
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
        while (Queue.TryDequeue(out (DeviceContext Context, ReleaseRecipe Recipe) entry))
        {
            Interlocked.Decrement(ref _pending);
            entry.Recipe.Execute(entry.Context);
            entry.Context.Release();
        }
    }
}
