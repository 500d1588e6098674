using System.Collections.Immutable;

namespace Kernels.Formats.Safetensors;

/// <summary>Name, element type and shape of a tensor.</summary>
public sealed class TensorInfo
{
    /// <summary>Describes a tensor.</summary>
    /// <exception cref="ArgumentException">A dimension is negative or the size in bytes does not fit 63 bits.</exception>
    public TensorInfo(string name, SafetensorsDtype dtype, params ReadOnlySpan<long> shape)
    {
        ArgumentNullException.ThrowIfNull(name);
        if (!TryByteLength(dtype, shape, out long length, out string? problem))
            throw new ArgumentException($"'{name}': {problem}", nameof(shape));
        Name = name;
        Dtype = dtype;
        Shape = [.. shape];
        ByteLength = length;
    }

    /// <summary>The tensor's name.</summary>
    public string Name { get; }

    /// <summary>The element type.</summary>
    public SafetensorsDtype Dtype { get; }

    /// <summary>The dimensions, outermost first; empty for a scalar.</summary>
    public ImmutableArray<long> Shape { get; }

    /// <summary>Length of the data in bytes.</summary>
    public long ByteLength { get; }

    /// <summary>Number of elements.</summary>
    public long ElementCount => ByteLength / Dtype.Size();

    /// <summary>The shape as it is usually written, such as <c>[1024, 256]</c>.</summary>
    public string ShapeText => $"[{string.Join(", ", Shape)}]";

    /// <inheritdoc/>
    public override string ToString() => $"{Name} {Dtype.Name()} {ShapeText}";

    internal static bool TryByteLength(SafetensorsDtype dtype, ReadOnlySpan<long> shape, out long length, out string? problem)
    {
        // Checked in full even where a later dimension is 0, as the format's own reader does: a product that overflows is never honest.
        UInt128 product = (UInt128)dtype.Size();
        length = 0;
        problem = null;
        bool empty = false;
        foreach (long dimension in shape)
        {
            if (dimension < 0)
            {
                problem = $"dimension {dimension} is negative";
                return false;
            }
            empty |= dimension == 0;
            product *= (UInt128)Math.Max(dimension, 1);
            if (product > long.MaxValue)
            {
                problem = $"the shape [{string.Join(", ", shape.ToArray())}] of {dtype.Name()} takes more than 2^63 bytes";
                return false;
            }
        }
        length = empty ? 0 : (long)product;
        return true;
    }
}
