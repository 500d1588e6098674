namespace Kernels.Formats;

/// <summary>How far long work on a model has come.</summary>
/// <param name="Done">Bytes of uncompressed tensors that are done.</param>
/// <param name="Total">Bytes of all uncompressed tensors.</param>
/// <param name="Item">The tensor or group that was finished last.</param>
public readonly record struct ModelProgress(long Done, long Total, string Item);
