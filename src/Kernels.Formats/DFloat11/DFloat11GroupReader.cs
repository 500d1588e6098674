using System.Buffers.Binary;
using System.Collections.Immutable;
using Kernels.Formats.Safetensors;

namespace Kernels.Formats.DFloat11;

/// <summary>Names of a group's tensors, <c>module.field</c>.</summary>
internal static class DFloat11Fields
{
    internal const string EncodedExponent = "encoded_exponent";
    internal const string SignMantissa = "sign_mantissa";
    internal const string Luts = "luts";
    internal const string Gaps = "gaps";
    internal const string OutputPositions = "output_positions";
    internal const string SplitPositions = "split_positions";

    internal static readonly ImmutableArray<string> All = [EncodedExponent, SignMantissa, Luts, Gaps, OutputPositions, SplitPositions];
}

/// <summary>Puts the tensors of one file that belong to a group together.</summary>
internal sealed class DFloat11GroupReader(SafetensorsFile file, string group, DFloat11Layout layout, DFloat11Patterns patterns)
{
    internal DFloat11Group Read()
    {
        ByteRegion encoded = Bytes(DFloat11Fields.EncodedExponent);
        ByteRegion signMantissa = Bytes(DFloat11Fields.SignMantissa);
        ByteRegion luts = Small(DFloat11Fields.Luts);
        ByteRegion gaps = Small(DFloat11Fields.Gaps);
        uint[] positions = ReadPositions();
        return new DFloat11Group(group, layout, encoded, signMantissa, luts.AsSpan(), gaps.AsSpan(), positions, ReadMatrices(signMantissa.Length), file.Path);
    }

    private InvalidModelException Invalid(string field, string reason) => new(file.Path, $"{group}.{field}", reason);

    private ByteRegion Bytes(string field)
    {
        if (!file.TryGetTensor($"{group}.{field}", out var tensor))
            throw Invalid(field, "the field is missing");
        if (tensor.Dtype != SafetensorsDtype.U8)
            throw Invalid(field, $"has element type {tensor.Dtype.Name()} instead of U8");
        return tensor.Data;
    }

    private ByteRegion Small(string field)
    {
        ByteRegion bytes = Bytes(field);
        return bytes.Length <= Array.MaxLength - 64 ? bytes : throw Invalid(field, $"has {bytes.Length} bytes, above the limit of {Array.MaxLength - 64}");
    }

    private uint[] ReadPositions()
    {
        ReadOnlySpan<byte> bytes = Small(DFloat11Fields.OutputPositions).AsSpan();
        if (bytes.Length % sizeof(uint) != 0)
            throw Invalid(DFloat11Fields.OutputPositions, $"{bytes.Length} bytes are no whole number of 32-bit entries");
        var positions = new uint[bytes.Length / sizeof(uint)];
        for (int i = 0; i < positions.Length; i++)
            positions[i] = BinaryPrimitives.ReadUInt32LittleEndian(bytes[(i * sizeof(uint))..]);
        return positions;
    }

    private List<DFloat11Matrix> ReadMatrices(long elementCount)
    {
        List<long> counts = ReadCounts(elementCount);
        var known = ReadRecorded(counts) ?? NamesByPattern(counts.Count) ?? [.. Enumerable.Range(0, counts.Count).Select(i => ($"{group}.{i}", default(ImmutableArray<long>)))];
        var matrices = new List<DFloat11Matrix>(counts.Count);
        long offset = 0;
        for (int i = 0; i < counts.Count; i++)
        {
            matrices.Add(new DFloat11Matrix(known[i].Name, offset, counts[i], known[i].Shape));
            offset += counts[i];
        }
        return matrices;
    }

    private List<long> ReadCounts(long elementCount)
    {
        var counts = new List<long>();
        long previous = 0;
        if (file.TryGetTensor($"{group}.{DFloat11Fields.SplitPositions}", out var tensor))
        {
            if (tensor.Dtype != SafetensorsDtype.I64)
                throw Invalid(DFloat11Fields.SplitPositions, $"has element type {tensor.Dtype.Name()} instead of I64");
            for (long i = 0; i < tensor.ElementCount; i++)
            {
                long position = BinaryPrimitives.ReadInt64LittleEndian(tensor.Data.Span(i * sizeof(long), sizeof(long)));
                if (position < previous || position > elementCount)
                    throw Invalid(DFloat11Fields.SplitPositions, $"entry {i} is {position}; {previous} to {elementCount} are possible");
                counts.Add(position - previous);
                previous = position;
            }
        }
        counts.Add(elementCount - previous);
        return counts;
    }

    private List<(string Name, ImmutableArray<long> Shape)>? ReadRecorded(List<long> counts)
    {
        string key = DFloat11Metadata.GroupKey(group);
        if (!file.Metadata.TryGetValue(key, out string? text))
            return null;
        var recorded = DFloat11Metadata.ReadMatrices(file.Path, key, text);
        if (recorded.Count != counts.Count)
            throw new InvalidModelException(file.Path, key, $"the metadata names {recorded.Count} matrices, but split_positions gives {counts.Count}");
        for (int i = 0; i < counts.Count; i++)
        {
            if (!TensorInfo.TryByteLength(SafetensorsDtype.BF16, recorded[i].Shape.AsSpan(), out long bytes, out string? problem))
                throw new InvalidModelException(file.Path, key, $"matrix {i}: {problem}");
            if (bytes / 2 != counts[i])
                throw new InvalidModelException(file.Path, key, $"matrix {i} has the shape [{string.Join(", ", recorded[i].Shape)}], but split_positions gives it {counts[i]} elements");
        }
        return recorded;
    }

    private List<(string Name, ImmutableArray<long> Shape)>? NamesByPattern(int count)
    {
        if (patterns.Find(group) is not { } pattern)
            return null;
        int expected = Math.Max(pattern.SubPaths.Length, 1);
        if (expected != count)
            throw Invalid(DFloat11Fields.SplitPositions, $"gives {count} matrices, but the pattern '{TensorName.Printable(pattern.Regex)}' lists {expected}");
        return pattern.SubPaths.IsEmpty
            ? [($"{group}.weight", default)]
            : [.. pattern.SubPaths.Select(subPath => ($"{group}.{subPath}.weight", default(ImmutableArray<long>)))];
    }
}
