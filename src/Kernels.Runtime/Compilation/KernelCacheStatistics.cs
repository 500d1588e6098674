namespace Kernels.Runtime;

/// <summary>Counters of a <see cref="KernelCache"/>.</summary>
/// <param name="Hits">Lookups that found a whole entry.</param>
/// <param name="Misses">Lookups that did not.</param>
/// <param name="Damaged">Misses whose entry was there and damaged.</param>
/// <param name="Writes">Entries written.</param>
/// <param name="FailedWrites">Entries that could not be written.</param>
public readonly record struct KernelCacheStatistics(long Hits, long Misses, long Damaged, long Writes, long FailedWrites);
