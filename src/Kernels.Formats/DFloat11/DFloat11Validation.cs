using System.Globalization;

namespace Kernels.Formats.DFloat11;

/// <summary>
/// Checks the fields of a group against each other. What passes here cannot lead a decoder outside its memory or into an endless loop;
/// whether the stream holds the promised codes shows when it is decoded.
/// </summary>
internal sealed class DFloat11Validation(DFloat11Group group)
{
    internal void CheckSizes()
    {
        long elements = group.ElementCount;
        long bytes = group.EncodedExponent.Length;
        if (elements == 0)
            throw group.Invalid("sign_mantissa", "the group has no elements");
        if (elements > uint.MaxValue)
            throw group.Invalid("sign_mantissa", $"the group has {elements} elements, above the {uint.MaxValue} that output_positions can count");
        if (bytes == 0)
            throw group.Invalid("encoded_exponent", $"the stream is empty, but the group has {elements} elements");
        // The shortest code has one bit.
        if (bytes < (elements + 7) / 8)
            throw group.Invalid("encoded_exponent", $"{bytes} bytes cannot hold the codes of {elements} elements (at least one bit each)");
    }

    internal void CheckGaps(ReadOnlySpan<byte> gaps)
    {
        long expected = group.Layout.GapBytes(group.BlockCount);
        if (gaps.Length != expected)
            throw group.Invalid("gaps", $"{gaps.Length} bytes; {group.BlockCount} blocks of {group.Layout.ThreadsPerBlock} threads have {expected}");
        // Gaps have 5 bits and threads at least 32, so only the last thread that has any bytes can point beyond the stream.
        long bytes = group.EncodedExponent.Length;
        long last = (bytes - 1) / group.Layout.BytesPerThread;
        long bits = 8 * (bytes - (last * group.Layout.BytesPerThread));
        int gap = DFloat11Gaps.Read(gaps, last);
        if (gap >= bits)
            throw group.Invalid("gaps", $"entry {last} is {gap}, but the stream ends {bits} bits after the start of thread {last}");
    }

    /// <summary>Adds the last entry where the last code's tail opened a block of its own: encoders count blocks by the codes that start there.</summary>
    internal uint[] CompletePositions(ReadOnlySpan<uint> positions)
    {
        long expected = group.BlockCount + 1;
        if (positions.Length != expected && positions.Length != expected - 1)
            throw group.Invalid("output_positions", $"{positions.Length} entries; {group.BlockCount} blocks have {expected} (or {expected - 1}, when no code starts in the last block)");
        if (positions.Length == expected)
            return positions.ToArray();
        var complete = new uint[expected];
        positions.CopyTo(complete);
        complete[^1] = (uint)group.ElementCount;
        return complete;
    }

    /// <summary>Checks the positions; returns the most elements that one block has.</summary>
    internal int CheckPositions(uint[] positions)
    {
        if (positions[0] != 0)
            throw group.Invalid("output_positions", $"entry 0 is {positions[0]} instead of 0");
        long limit = 8L * group.Layout.BytesPerBlock;
        long most = 0;
        for (int block = 0; block + 1 < positions.Length; block++)
        {
            long elements = (long)positions[block + 1] - positions[block];
            if (elements < 0)
                throw group.Invalid("output_positions", $"entry {block + 1} is {positions[block + 1]}, below entry {block}, which is {positions[block]}");
            if (elements > limit)
                throw group.Invalid("output_positions", $"entries {block} and {block + 1} give block {block} {elements} elements, above the {limit} bits it has");
            most = Math.Max(most, elements);
        }
        if (positions[^1] != group.ElementCount)
            throw group.Invalid("output_positions", $"the last entry is {positions[^1]}, but sign_mantissa has {group.ElementCount} elements");
        return (int)most;
    }

    internal void CheckMatrices()
    {
        if (group.Matrices.IsEmpty)
            throw group.Invalid("split_positions", "the group has no matrices");
        long next = 0;
        foreach (var matrix in group.Matrices)
        {
            if (matrix.Offset != next)
                throw group.Invalid("split_positions", string.Create(CultureInfo.InvariantCulture, $"matrix '{TensorName.Printable(matrix.Name)}' starts at element {matrix.Offset} instead of {next}"));
            if (matrix.ElementCount > group.ElementCount - next)
                throw group.Invalid("split_positions", $"matrix '{TensorName.Printable(matrix.Name)}' of {matrix.ElementCount} elements ends beyond the group's {group.ElementCount}");
            next += matrix.ElementCount;
        }
        if (next != group.ElementCount)
            throw group.Invalid("split_positions", $"the matrices have {next} elements together, but the group has {group.ElementCount}");
    }
}
