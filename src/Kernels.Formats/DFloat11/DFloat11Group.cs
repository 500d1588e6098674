using System.Collections.Immutable;

namespace Kernels.Formats.DFloat11;

/// <summary>
/// One compressed group of a DF11 checkpoint: the matrices of one module, concatenated row-major, with their exponents in one Huffman
/// stream and their sign and mantissa bits beside it.
/// </summary>
/// <remarks>
/// Every field is validated on construction, so that a decoder only has to guard against what the stream itself may hold. The
/// irregularities of valid files are mended: <see cref="OutputPositions"/> always has <see cref="BlockCount"/> + 1 entries,
/// <see cref="PaddedGaps"/> may be read past its last entry, and every slot of <see cref="Luts"/> is safe to read. Immutable. The regions of a checkpoint's group are valid until the checkpoint is
/// disposed; the group that an encoder made owns its memory.
/// </remarks>
public sealed class DFloat11Group : IDisposable
{
    /// <summary>The number of bytes that <see cref="PaddedGaps"/> has beyond <see cref="Gaps"/>.</summary>
    public const int GapPadding = 8;

    private readonly byte[] _luts;
    private readonly byte[] _paddedGaps;
    private readonly int _gapBytes;
    private readonly uint[] _outputPositions;

    /// <summary>Takes the fields of a group and validates them.</summary>
    /// <param name="name">Name of the group, such as <c>model.layers.0</c>.</param>
    /// <param name="layout">Threads a block and bytes a thread.</param>
    /// <param name="encodedExponent">The Huffman stream.</param>
    /// <param name="signMantissa">One byte an element: sign in bit 7, mantissa below.</param>
    /// <param name="luts">Decode rows of 256 bytes, then one row of code lengths.</param>
    /// <param name="gaps">5-bit entries, one a thread.</param>
    /// <param name="outputPositions">Index of each block's first element, then the element count (which may be one entry short).</param>
    /// <param name="matrices">The matrices in order; they cover the group exactly.</param>
    /// <param name="file">Path of the file the group comes from, for messages.</param>
    /// <exception cref="InvalidModelException">A field is invalid; the message names group, field, index, value and limit.</exception>
    public DFloat11Group(
        string name,
        DFloat11Layout layout,
        ByteRegion encodedExponent,
        ByteRegion signMantissa,
        ReadOnlySpan<byte> luts,
        ReadOnlySpan<byte> gaps,
        ReadOnlySpan<uint> outputPositions,
        IEnumerable<DFloat11Matrix> matrices,
        string? file = null)
    {
        ArgumentNullException.ThrowIfNull(name);
        ArgumentNullException.ThrowIfNull(layout);
        ArgumentNullException.ThrowIfNull(matrices);
        Name = name;
        Layout = layout;
        File = file;
        EncodedExponent = encodedExponent;
        SignMantissa = signMantissa;
        Matrices = [.. matrices];
        BlockCount = layout.BlockCount(encodedExponent.Length);

        var validation = new DFloat11Validation(this);
        validation.CheckSizes();
        _luts = DFloat11LutValidation.Check(this, luts);
        validation.CheckGaps(gaps);
        _gapBytes = gaps.Length;
        _paddedGaps = new byte[gaps.Length + GapPadding];
        gaps.CopyTo(_paddedGaps);
        _outputPositions = validation.CompletePositions(outputPositions);
        MaxElementsPerBlock = validation.CheckPositions(_outputPositions);
        validation.CheckMatrices();
    }

    /// <summary>Name of the group: the module whose matrices it holds.</summary>
    public string Name { get; }

    /// <summary>Path of the file the group comes from, or null.</summary>
    public string? File { get; }

    /// <summary>Threads a block and bytes a thread.</summary>
    public DFloat11Layout Layout { get; }

    /// <summary>The matrices in the order of their elements.</summary>
    public ImmutableArray<DFloat11Matrix> Matrices { get; }

    /// <summary>Number of elements of all matrices; at most 2^32 - 1.</summary>
    public long ElementCount => SignMantissa.Length;

    /// <summary>Number of blocks of <see cref="DFloat11Layout.BytesPerBlock"/> bytes of the stream, the last one possibly partial.</summary>
    public long BlockCount { get; }

    /// <summary>The most elements that start in one block: what a decoder stages for a block.</summary>
    public int MaxElementsPerBlock { get; }

    /// <summary>Number of decode rows of <see cref="Luts"/>, 1 to 17; the row of code lengths comes on top.</summary>
    public int DecodeRowCount => (_luts.Length / 256) - 1;

    /// <summary>The Huffman stream of the exponents, most significant bit first.</summary>
    public ByteRegion EncodedExponent { get; }

    /// <summary>One byte an element: sign in bit 7, mantissa in bits 6 to 0.</summary>
    public ByteRegion SignMantissa { get; }

    /// <summary>Decode rows, then one row of code lengths; 256 bytes each.</summary>
    public ReadOnlySpan<byte> Luts => _luts;

    /// <summary>5-bit entries, most significant bit first, one a thread: the bit offset of the first code that starts in the thread's bytes.</summary>
    public ReadOnlySpan<byte> Gaps => _paddedGaps.AsSpan(0, _gapBytes);

    /// <summary><see cref="Gaps"/> with <see cref="GapPadding"/> zero bytes behind them, for readers that load whole words.</summary>
    public ReadOnlySpan<byte> PaddedGaps => _paddedGaps;

    /// <summary>Index of each block's first element, then <see cref="ElementCount"/>: <see cref="BlockCount"/> + 1 entries.</summary>
    public ReadOnlySpan<uint> OutputPositions => _outputPositions;

    /// <summary>Bytes of all fields as stored.</summary>
    public long StoredBytes => EncodedExponent.Length + SignMantissa.Length + _luts.Length + _gapBytes + (4L * _outputPositions.Length) + (8L * Math.Max(Matrices.Length - 1, 0));

    /// <summary>Bits an element, all fields included.</summary>
    public double BitsPerElement => 8.0 * StoredBytes / ElementCount;

    /// <summary>The gap of a thread: bit offset of the first code that starts in its bytes.</summary>
    public int Gap(long thread)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(thread);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(thread, BlockCount * Layout.ThreadsPerBlock);
        return DFloat11Gaps.Read(_paddedGaps, thread);
    }

    /// <summary>Memory that goes with the group.</summary>
    internal IReadOnlyList<NativeBuffer> Owned { get; init; } = [];

    /// <summary>Frees the memory of an encoder's group at once, where there is much of it; the finalizer would too. A checkpoint's group has none.</summary>
    public void Dispose()
    {
        foreach (var buffer in Owned)
            buffer.Dispose();
    }

    internal InvalidModelException Invalid(string field, string reason) => new(File, $"{Name}.{field}", reason);
}
