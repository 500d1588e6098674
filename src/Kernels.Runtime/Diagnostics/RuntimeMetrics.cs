using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace Kernels.Runtime;

/// <summary>The meter and activity source named <c>Kernels.Runtime</c>. An instrument nobody listens to costs a comparison.</summary>
public static class RuntimeMetrics
{
    /// <summary>Name of the meter and of the activity source.</summary>
    public const string Name = "Kernels.Runtime";

    internal static readonly ActivitySource Activities = new(Name);

    private static readonly Meter Meter = new(Name);

    internal static readonly Counter<long> Launches =
        Meter.CreateCounter<long>("kernels.launches", "{launch}", "Kernel launches.");

    internal static readonly Counter<long> Compilations =
        Meter.CreateCounter<long>("kernels.compilations", "{compilation}", "Compilations by NVRTC.");

    internal static readonly Histogram<double> CompilationTime =
        Meter.CreateHistogram<double>("kernels.compilation.time", "ms", "Time of a compilation by NVRTC.");

    internal static readonly Counter<long> CacheHits =
        Meter.CreateCounter<long>("kernels.cache.hits", "{lookup}", "Kernels found in the disk cache.");

    internal static readonly Counter<long> CacheMisses =
        Meter.CreateCounter<long>("kernels.cache.misses", "{lookup}", "Kernels not found in the disk cache.");

    internal static readonly Counter<long> PoolHits =
        Meter.CreateCounter<long>("kernels.pool.hits", "{allocation}", "Allocations served from reserved memory.");

    internal static readonly Counter<long> PoolMisses =
        Meter.CreateCounter<long>("kernels.pool.misses", "{allocation}", "Allocations for which the pool had to grow.");

    internal static readonly UpDownCounter<long> PoolReserved =
        Meter.CreateUpDownCounter<long>("kernels.pool.reserved", "By", "Bytes that pools hold from the driver.");

    internal static readonly UpDownCounter<long> PoolInUse =
        Meter.CreateUpDownCounter<long>("kernels.pool.in_use", "By", "Bytes of pools that are allocated.");

    internal static readonly Counter<long> Leaks =
        Meter.CreateCounter<long>("kernels.leaks", "{resource}", "Resources that were finalized and not disposed.");
}
