using static Kernels.Formats.DFloat11.DFloat11Codes;

namespace Kernels.Formats.DFloat11;

/// <summary>
/// Checks the code tables of a group, so that walking them ends within four rows and always takes at least one bit.
/// </summary>
/// <remarks>
/// Valid files have slots that fail this: those of the end-of-stream code, which is in no row of its own right. Writers fill them with
/// whatever came last, be it a pointer back to the same row or an exponent without a code. No stream reads them before its end. They are
/// told from damage by their weight: what the lengths of all exponents leave of the code space is the end code's share, and bad slots may
/// take no more than that. They are mended, so that a damaged stream that does read them is decoded safely.
/// </remarks>
internal sealed class DFloat11LutValidation
{
    private readonly DFloat11Group _group;
    private readonly byte[] _luts;
    private readonly int _rows;
    private readonly List<(int Row, int Slot)> _bad = [];
    private readonly List<int> _found = [0];
    private readonly int[] _levels;
    private long _share;

    private DFloat11LutValidation(DFloat11Group group, ReadOnlySpan<byte> luts)
    {
        _group = group;
        if (luts.Length % RowLength != 0)
            throw group.Invalid("luts", $"{luts.Length} bytes are no whole number of rows of {RowLength}");
        _rows = (luts.Length / RowLength) - 1;
        if (_rows is < 1 or > MaxDecodeRows)
            throw group.Invalid("luts", $"{_rows} decode rows and a row of lengths; 1 to {MaxDecodeRows} decode rows are possible");
        _luts = luts.ToArray();
        _levels = new int[_rows];
        Array.Fill(_levels, -1);
        _levels[0] = 0;
    }

    private ReadOnlySpan<byte> Lengths => _luts.AsSpan(_rows * RowLength);

    /// <summary>Returns a copy of the tables in which every slot is safe to read.</summary>
    internal static byte[] Check(DFloat11Group group, ReadOnlySpan<byte> luts)
    {
        var validation = new DFloat11LutValidation(group, luts);
        validation.CheckLengths();
        // Rows in the order in which they are found, so each at its least level.
        for (int i = 0; i < validation._found.Count; i++)
            validation.CheckRow(validation._found[i]);
        validation.Mend();
        return validation._luts;
    }

    private void CheckLengths()
    {
        long whole = 1L << MaxCodeLength;
        long taken = 0;
        for (int exponent = 0; exponent < RowLength; exponent++)
        {
            int length = Lengths[exponent];
            if (length > MaxCodeLength)
                throw _group.Invalid("luts", $"the code length of exponent {exponent} is {length}, above the limit of {MaxCodeLength}");
            if (length > 0 && exponent < FirstPointer)
                taken += whole >> length;
        }
        if (taken == 0)
            throw _group.Invalid("luts", "no exponent has a code");
        if (taken > whole)
            throw _group.Invalid("luts", $"the code lengths take {taken} of {whole} parts of the code space: no prefix code has them");
        _share = whole - taken;
    }

    private void CheckRow(int row)
    {
        int level = _levels[row];
        for (int slot = 0; slot < RowLength; slot++)
        {
            if (Problem(_luts[(row * RowLength) + slot], level) is not { } problem)
                continue;
            _share -= 1L << (MaxCodeLength - (8 * (level + 1)));
            if (_share < 0)
                throw _group.Invalid("luts", $"row {row}, slot {slot}: {problem}");
            _bad.Add((row, slot));
        }
    }

    private string? Problem(byte value, int level)
    {
        if (value < FirstPointer)
            return Lengths[value] == 0 ? $"exponent {value} has code length 0" : null;
        int target = RowLength - value;
        if (target >= _rows)
            return $"pointer {value} names row {target}, but there are {_rows} decode rows";
        if (level + 1 == MaxLevels)
            return $"pointer {value} goes deeper than {MaxLevels} levels";
        if (_levels[target] < 0)
        {
            _levels[target] = level + 1;
            _found.Add(target);
        }
        return _levels[target] == level + 1 ? null : $"pointer {value} names row {target}, which is at level {_levels[target]} and not {level + 1}";
    }

    private void Mend()
    {
        byte filler = (byte)Lengths[..FirstPointer].IndexOfAnyExcept((byte)0);
        foreach (var (row, slot) in _bad)
            _luts[(row * RowLength) + slot] = filler;
    }
}
