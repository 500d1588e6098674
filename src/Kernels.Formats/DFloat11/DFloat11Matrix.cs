using System.Collections.Immutable;

namespace Kernels.Formats.DFloat11;

/// <summary>One matrix of a group: which elements of the group's output it is, and what is known of its name and shape.</summary>
public sealed class DFloat11Matrix
{
    /// <summary>Describes a matrix.</summary>
    /// <param name="name">Full tensor name, such as <c>model.layers.0.self_attn.q_proj.weight</c>.</param>
    /// <param name="offset">Index of the matrix's first element in the group.</param>
    /// <param name="elementCount">Number of elements.</param>
    /// <param name="shape">The dimensions, or default where they are not known.</param>
    public DFloat11Matrix(string name, long offset, long elementCount, ImmutableArray<long> shape = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfNegative(elementCount);
        Name = name;
        Offset = offset;
        ElementCount = elementCount;
        HasShape = !shape.IsDefault;
        Shape = HasShape ? shape : [elementCount];
    }

    /// <summary>Full tensor name; where the checkpoint does not tell it, the group's name and a number.</summary>
    public string Name { get; }

    /// <summary>Index of the first element in the group.</summary>
    public long Offset { get; }

    /// <summary>Number of elements.</summary>
    public long ElementCount { get; }

    /// <summary>Whether the checkpoint tells the shape. DF11's own fields do not; our writer records it in the metadata.</summary>
    public bool HasShape { get; }

    /// <summary>The dimensions, outermost first; the flat length where the shape is not known.</summary>
    public ImmutableArray<long> Shape { get; }
}
