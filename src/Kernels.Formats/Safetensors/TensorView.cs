using System.Collections.Immutable;

namespace Kernels.Formats.Safetensors;

/// <summary>A tensor of an open file: what it is and where its bytes are. Valid until the file or model it came from is disposed.</summary>
public sealed class TensorView
{
    /// <summary>Describes a tensor and its bytes.</summary>
    /// <exception cref="ArgumentException">The data is not as long as element type and shape say.</exception>
    public TensorView(TensorInfo info, ByteRegion data, string? file = null)
    {
        ArgumentNullException.ThrowIfNull(info);
        if (data.Length != info.ByteLength)
            throw new ArgumentException($"'{info.Name}' of {info.Dtype.Name()} {info.ShapeText} takes {info.ByteLength} bytes, but {data.Length} were given.", nameof(data));
        Info = info;
        Data = data;
        File = file;
    }

    /// <summary>Name, element type and shape.</summary>
    public TensorInfo Info { get; }

    /// <summary>The tensor's name.</summary>
    public string Name => Info.Name;

    /// <summary>The element type.</summary>
    public SafetensorsDtype Dtype => Info.Dtype;

    /// <summary>The dimensions, outermost first; empty for a scalar.</summary>
    public ImmutableArray<long> Shape => Info.Shape;

    /// <summary>Number of elements.</summary>
    public long ElementCount => Info.ElementCount;

    /// <summary>Length of the data in bytes.</summary>
    public long ByteLength => Info.ByteLength;

    /// <summary>The elements, row-major, little-endian.</summary>
    public ByteRegion Data { get; }

    /// <summary>Path of the file the tensor lies in, or null.</summary>
    public string? File { get; }

    /// <inheritdoc/>
    public override string ToString() => Info.ToString();
}
