using System.Diagnostics.CodeAnalysis;

namespace Kernels.Formats.Safetensors;

/// <summary>Element types of the safetensors format.</summary>
[SuppressMessage("Naming", "CA1720:Identifier contains type name", Justification = "The format's own names.")]
public enum SafetensorsDtype
{
    /// <summary>Boolean, one byte.</summary>
    Bool,

    /// <summary>Unsigned 8-bit integer.</summary>
    U8,

    /// <summary>Signed 8-bit integer.</summary>
    I8,

    /// <summary>Unsigned 16-bit integer.</summary>
    U16,

    /// <summary>Signed 16-bit integer.</summary>
    I16,

    /// <summary>Unsigned 32-bit integer.</summary>
    U32,

    /// <summary>Signed 32-bit integer.</summary>
    I32,

    /// <summary>Unsigned 64-bit integer.</summary>
    U64,

    /// <summary>Signed 64-bit integer.</summary>
    I64,

    /// <summary>8-bit float, 4 exponent and 3 mantissa bits.</summary>
    F8E4M3,

    /// <summary>8-bit float, 5 exponent and 2 mantissa bits.</summary>
    F8E5M2,

    /// <summary>8-bit power of two (block scale).</summary>
    F8E8M0,

    /// <summary>bfloat16.</summary>
    BF16,

    /// <summary>IEEE binary16.</summary>
    F16,

    /// <summary>IEEE binary32.</summary>
    F32,

    /// <summary>IEEE binary64.</summary>
    F64,

    /// <summary>Complex of two binary32.</summary>
    C64,
}

/// <summary>Names and sizes of <see cref="SafetensorsDtype"/>.</summary>
public static class SafetensorsDtypes
{
    private static readonly (SafetensorsDtype Dtype, string Name, int Size)[] Table =
    [
        (SafetensorsDtype.BF16, "BF16", 2), (SafetensorsDtype.F16, "F16", 2), (SafetensorsDtype.F32, "F32", 4), (SafetensorsDtype.F64, "F64", 8),
        (SafetensorsDtype.F8E4M3, "F8_E4M3", 1), (SafetensorsDtype.F8E5M2, "F8_E5M2", 1), (SafetensorsDtype.F8E8M0, "F8_E8M0", 1),
        (SafetensorsDtype.I8, "I8", 1), (SafetensorsDtype.I16, "I16", 2), (SafetensorsDtype.I32, "I32", 4), (SafetensorsDtype.I64, "I64", 8),
        (SafetensorsDtype.U8, "U8", 1), (SafetensorsDtype.U16, "U16", 2), (SafetensorsDtype.U32, "U32", 4), (SafetensorsDtype.U64, "U64", 8),
        (SafetensorsDtype.Bool, "BOOL", 1), (SafetensorsDtype.C64, "C64", 8),
    ];

    /// <summary>Bytes an element.</summary>
    public static int Size(this SafetensorsDtype dtype) => Find(dtype).Size;

    /// <summary>The name in a safetensors header, such as <c>BF16</c> or <c>F8_E4M3</c>.</summary>
    public static string Name(this SafetensorsDtype dtype) => Find(dtype).Name;

    /// <summary>Finds the type that a safetensors header calls <paramref name="name"/>.</summary>
    public static bool TryParse(string name, out SafetensorsDtype dtype)
    {
        foreach (var entry in Table)
        {
            if (entry.Name == name)
            {
                dtype = entry.Dtype;
                return true;
            }
        }
        dtype = default;
        return false;
    }

    internal static string KnownNames => string.Join(", ", Table.Select(entry => entry.Name));

    private static (SafetensorsDtype Dtype, string Name, int Size) Find(SafetensorsDtype dtype)
    {
        foreach (var entry in Table)
        {
            if (entry.Dtype == dtype)
                return entry;
        }
        throw new ArgumentOutOfRangeException(nameof(dtype), dtype, "Not a safetensors element type.");
    }
}
