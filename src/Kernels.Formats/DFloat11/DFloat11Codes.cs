namespace Kernels.Formats.DFloat11;

/// <summary>Limits of DF11's code tables.</summary>
internal static class DFloat11Codes
{
    /// <summary>Entries of a LUT row.</summary>
    internal const int RowLength = 256;

    /// <summary>LUT values from here on point to another row, 256 - value; so exponents from here on cannot be coded.</summary>
    internal const int FirstPointer = 240;

    /// <summary>Row 0 and the 16 rows that a pointer can name.</summary>
    internal const int MaxDecodeRows = 17;

    /// <summary>Longest code in bits.</summary>
    internal const int MaxCodeLength = 32;

    /// <summary>Levels of 8 bits that a code takes at most.</summary>
    internal const int MaxLevels = 4;
}
