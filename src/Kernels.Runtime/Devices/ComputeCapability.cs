using System.Globalization;

namespace Kernels.Runtime;

/// <summary>Compute capability of a device, which is also the name of the architecture that code is made for.</summary>
/// <param name="Major">Major version: 8 for Ampere and Ada, 9 for Hopper.</param>
/// <param name="Minor">Minor version.</param>
public readonly record struct ComputeCapability(int Major, int Minor) : IComparable<ComputeCapability>
{
    /// <summary>8.0 (A100), the lowest that this project's kernels are written for.</summary>
    public static ComputeCapability Ampere => new(8, 0);

    /// <summary>9.0 (H100).</summary>
    public static ComputeCapability Hopper => new(9, 0);

    /// <summary>10 x major + minor, as NVRTC counts: 80, 86, 90, 120.</summary>
    public int Value => Major * 10 + Minor;

    /// <summary>Name for machine code: <c>sm_90</c>.</summary>
    public string RealName => string.Create(CultureInfo.InvariantCulture, $"sm_{Value}");

    /// <summary>Name for PTX: <c>compute_90</c>.</summary>
    public string VirtualName => string.Create(CultureInfo.InvariantCulture, $"compute_{Value}");

    /// <summary>From 10 x major + minor: 80, 86, 90, 120.</summary>
    public static ComputeCapability FromValue(int value) => new(value / 10, value % 10);

    /// <summary>Reads <c>sm_90</c>, <c>compute_90</c>, <c>9.0</c> or <c>90</c>.</summary>
    /// <exception cref="FormatException">The text is none of these.</exception>
    public static ComputeCapability Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        ReadOnlySpan<char> digits = text;
        foreach (string prefix in (ReadOnlySpan<string>)["sm_", "compute_"])
        {
            if (digits.StartsWith(prefix, StringComparison.Ordinal))
                digits = digits[prefix.Length..];
        }

        int dot = digits.IndexOf('.');
        if (dot > 0 && int.TryParse(digits[..dot], NumberStyles.None, CultureInfo.InvariantCulture, out int major) &&
            int.TryParse(digits[(dot + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out int minor) && minor < 10)
            return new ComputeCapability(major, minor);
        if (dot < 0 && int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out int value) && value >= 10)
            return FromValue(value);
        throw new FormatException($"'{text}' is no architecture; expected a form such as sm_90, compute_90, 9.0 or 90.");
    }

    /// <inheritdoc/>
    public int CompareTo(ComputeCapability other) => Value.CompareTo(other.Value);

    /// <summary>Older than.</summary>
    public static bool operator <(ComputeCapability left, ComputeCapability right) => left.Value < right.Value;

    /// <summary>Newer than.</summary>
    public static bool operator >(ComputeCapability left, ComputeCapability right) => left.Value > right.Value;

    /// <summary>Not newer than.</summary>
    public static bool operator <=(ComputeCapability left, ComputeCapability right) => left.Value <= right.Value;

    /// <summary>Not older than.</summary>
    public static bool operator >=(ComputeCapability left, ComputeCapability right) => left.Value >= right.Value;

    /// <summary><c>9.0</c>.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Major}.{Minor}");
}
