namespace Kernels.Runtime;

/// <summary>Extent of a grid in blocks or of a block in threads.</summary>
/// <param name="X">Fastest direction.</param>
/// <param name="Y">Second direction.</param>
/// <param name="Z">Slowest direction.</param>
public readonly record struct Dim3(uint X, uint Y = 1, uint Z = 1)
{
    /// <summary>Product of the three.</summary>
    public ulong Count => (ulong)X * Y * Z;

    /// <summary>One-dimensional extent.</summary>
    public static implicit operator Dim3(uint x) => new(x);

    /// <summary>One-dimensional extent.</summary>
    /// <exception cref="OverflowException"><paramref name="x"/> is negative.</exception>
    public static implicit operator Dim3(int x) => new(checked((uint)x));

    /// <summary>As <c>implicit operator</c>.</summary>
    public static Dim3 FromUInt32(uint x) => new(x);

    /// <summary>As <c>implicit operator</c>.</summary>
    public static Dim3 FromInt32(int x) => x;

    /// <summary><c>(x, y, z)</c>.</summary>
    public override string ToString() => $"({X}, {Y}, {Z})";
}
