namespace Kernels.Formats.DFloat11;

/// <summary>How a DF11 stream is divided among the threads of a decoder.</summary>
public sealed class DFloat11Layout
{
    /// <summary>Describes a division.</summary>
    /// <param name="threadsPerBlock">Threads a block, 1 to 1024.</param>
    /// <param name="bytesPerThread">Bytes of the stream that a thread owns, 4 to 64 (a code has up to 32 bits, so it never spans a whole thread).</param>
    public DFloat11Layout(int threadsPerBlock, int bytesPerThread)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(threadsPerBlock, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(threadsPerBlock, 1024);
        ArgumentOutOfRangeException.ThrowIfLessThan(bytesPerThread, 4);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(bytesPerThread, 64);
        ThreadsPerBlock = threadsPerBlock;
        BytesPerThread = bytesPerThread;
    }

    /// <summary>512 threads a block, 8 bytes a thread: what all known checkpoints use and what our writer makes.</summary>
    public static DFloat11Layout Default { get; } = new(512, 8);

    /// <summary>Threads a block.</summary>
    public int ThreadsPerBlock { get; }

    /// <summary>Bytes of the stream that a thread owns.</summary>
    public int BytesPerThread { get; }

    /// <summary>Bytes of the stream that a block owns.</summary>
    public int BytesPerBlock => ThreadsPerBlock * BytesPerThread;

    /// <summary>Blocks of a stream of <paramref name="streamBytes"/> bytes.</summary>
    public long BlockCount(long streamBytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(streamBytes);
        return (streamBytes / BytesPerBlock) + (streamBytes % BytesPerBlock != 0 ? 1 : 0);
    }

    /// <summary>Bytes of the packed gaps of <paramref name="blockCount"/> blocks.</summary>
    public long GapBytes(long blockCount) => ((blockCount * ThreadsPerBlock * DFloat11Gaps.Bits) + 7) / 8;
}
