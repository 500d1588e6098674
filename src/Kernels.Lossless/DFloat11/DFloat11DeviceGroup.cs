using Kernels.Formats;
using Kernels.Formats.DFloat11;
using Kernels.Runtime;
using Stream = Kernels.Runtime.Stream;

namespace Kernels.Lossless;

/// <summary>
/// The fields of a DF11 group in device memory: one buffer that <see cref="Upload"/> fills and <see cref="Dispose"/> frees, or
/// memory of the caller's.
/// </summary>
public sealed unsafe class DFloat11DeviceGroup : IDisposable
{
    private readonly DeviceBuffer<byte>? _owned;
    private volatile bool _disposed;

    /// <summary>Takes fields that are in device memory already, as they stand in a checkpoint. The memory stays the caller's.</summary>
    /// <param name="description">The group they belong to, validated on the host.</param>
    /// <param name="encodedExponent">Huffman stream; 8-byte aligned.</param>
    /// <param name="signMantissa">Sign and mantissa bytes; 8-byte aligned.</param>
    /// <param name="luts">Decode rows and code lengths; 4-byte aligned.</param>
    /// <param name="gaps">5-bit gaps, for every thread of every chunk; 4-byte aligned.</param>
    /// <param name="outputPositions">First element of each chunk, then the element count.</param>
    /// <exception cref="ArgumentException">A field is too short or not aligned; the message names it, the value and the limit.</exception>
    /// <exception cref="NotSupportedException">The device decoder does not take the group's layout.</exception>
    public DFloat11DeviceGroup(
        DFloat11Group description,
        DeviceSpan<byte> encodedExponent,
        DeviceSpan<byte> signMantissa,
        DeviceSpan<byte> luts,
        DeviceSpan<byte> gaps,
        DeviceSpan<uint> outputPositions)
        : this(description, encodedExponent, signMantissa, luts, gaps, outputPositions, owned: null)
    {
    }

    private DFloat11DeviceGroup(
        DFloat11Group description,
        DeviceSpan<byte> encodedExponent,
        DeviceSpan<byte> signMantissa,
        DeviceSpan<byte> luts,
        DeviceSpan<byte> gaps,
        DeviceSpan<uint> outputPositions,
        DeviceBuffer<byte>? owned)
    {
        ArgumentNullException.ThrowIfNull(description);
        DFloat11Kernel.ThrowIfUnsupported(description);
        Check(nameof(encodedExponent), encodedExponent, description.EncodedExponent.Length, DFloat11Kernel.InputAlignment);
        Check(nameof(signMantissa), signMantissa, description.ElementCount, DFloat11Kernel.InputAlignment);
        Check(nameof(luts), luts, description.Luts.Length, sizeof(uint));
        Check(nameof(gaps), gaps, description.Gaps.Length, sizeof(uint));
        Check(nameof(outputPositions), outputPositions.Cast<byte>(), (description.BlockCount + 1) * sizeof(uint), sizeof(uint));
        Description = description;
        EncodedExponent = encodedExponent;
        SignMantissa = signMantissa;
        Luts = luts;
        Gaps = gaps;
        OutputPositions = outputPositions;
        _owned = owned;
    }

    /// <summary>The group on the host: names, shapes, counts.</summary>
    public DFloat11Group Description { get; }

    /// <summary>Huffman stream of the exponents.</summary>
    public DeviceSpan<byte> EncodedExponent { get; }

    /// <summary>One byte an element: sign and mantissa.</summary>
    public DeviceSpan<byte> SignMantissa { get; }

    /// <summary>Decode rows, then the code lengths; 256 bytes each.</summary>
    public DeviceSpan<byte> Luts { get; }

    /// <summary>5-bit gaps.</summary>
    public DeviceSpan<byte> Gaps { get; }

    /// <summary>First element of each chunk, then the element count.</summary>
    public DeviceSpan<uint> OutputPositions { get; }

    /// <summary>Copies a group to the device, in order of the stream; returns when the source may be closed.</summary>
    /// <param name="group">The group; its file must be open.</param>
    /// <param name="pool">Where the memory comes from.</param>
    /// <param name="stream">Stream of the copies, and the one the group is first used on.</param>
    /// <exception cref="NotSupportedException">The device decoder does not take the group's layout.</exception>
    /// <exception cref="CudaOutOfMemoryException">The group does not fit.</exception>
    public static DFloat11DeviceGroup Upload(DFloat11Group group, DevicePool pool, Stream stream)
    {
        ArgumentNullException.ThrowIfNull(group);
        ArgumentNullException.ThrowIfNull(pool);
        ArgumentNullException.ThrowIfNull(stream);
        DFloat11Kernel.ThrowIfUnsupported(group);
        long signMantissaAt = Aligned(group.EncodedExponent.Length);
        long lutsAt = signMantissaAt + Aligned(group.SignMantissa.Length);
        long gapsAt = lutsAt + Aligned(group.Luts.Length);
        long positionsAt = gapsAt + Aligned(group.Gaps.Length);
        long positionsBytes = (long)group.OutputPositions.Length * sizeof(uint);
        DeviceBuffer<byte> buffer = pool.Allocate<byte>(positionsAt + positionsBytes, stream);
        try
        {
            DeviceSpan<byte> encoded = buffer.Slice(0, group.EncodedExponent.Length);
            DeviceSpan<byte> signMantissa = buffer.Slice(signMantissaAt, group.SignMantissa.Length);
            DeviceSpan<byte> luts = buffer.Slice(lutsAt, group.Luts.Length);
            DeviceSpan<byte> gaps = buffer.Slice(gapsAt, group.Gaps.Length);
            DeviceSpan<uint> positions = buffer.Slice(positionsAt, positionsBytes).Cast<uint>();
            Copy(group.EncodedExponent, encoded, stream);
            Copy(group.SignMantissa, signMantissa, stream);
            luts.CopyFrom(group.Luts, stream);
            gaps.CopyFrom(group.Gaps, stream);
            positions.CopyFrom(group.OutputPositions, stream);
            return new DFloat11DeviceGroup(group, encoded, signMantissa, luts, gaps, positions, buffer);
        }
        catch
        {
            buffer.Dispose();
            throw;
        }
    }

    /// <summary>Frees the memory that <see cref="Upload"/> took, in order of its stream.</summary>
    public void Dispose()
    {
        _disposed = true;
        _owned?.Dispose();
    }

    internal void ThrowIfDisposed() => ObjectDisposedException.ThrowIf(_disposed, this);

    // What cuMemAlloc aligns to; sectors are not shared between fields.
    private static long Aligned(long bytes) => (bytes + 255) & ~255L;

    private static void Copy(ByteRegion source, DeviceSpan<byte> destination, Stream stream)
    {
        destination.CopyFromHost(source.Pointer, source.Length, stream);
        source.KeepAlive();
    }

    private static void Check(string field, DeviceSpan<byte> span, long bytes, int alignment)
    {
        if (span.ByteLength < bytes)
            throw new ArgumentException($"{field} has {span.ByteLength} bytes, and the group needs {bytes}.", field);
        if (span.Pointer.Value % (ulong)alignment != 0)
            throw new ArgumentException($"{field} is at 0x{span.Pointer.Value:x}, and the decoder needs it aligned to {alignment} bytes.", field);
    }
}
