using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Globalization;
using Kernels.Formats.DFloat11;
using Kernels.Formats.Safetensors;

namespace Kernels.Formats;

/// <summary>A difference between a tensor and its counterpart.</summary>
/// <param name="Tensor">Name of the tensor.</param>
/// <param name="Reason">What differs, as a sentence.</param>
/// <param name="Index">Index of the first element that differs, or -1 where something else does (absent, other type, other shape).</param>
/// <param name="Expected">Bits of that element in the first model, such as <c>0x3F80</c>.</param>
/// <param name="Actual">Bits of that element in the second model.</param>
public sealed record TensorDifference(string Tensor, string Reason, long Index = -1, string? Expected = null, string? Actual = null);

/// <summary>Result of comparing two models bit by bit.</summary>
/// <param name="TensorCount">Tensors of the first model.</param>
/// <param name="ByteCount">Bytes that were compared.</param>
/// <param name="Differences">At most one difference a tensor, in the order of the first model; those only in the second model last.</param>
public sealed record ModelComparison(int TensorCount, long ByteCount, ImmutableArray<TensorDifference> Differences)
{
    /// <summary>Whether both models hold the same tensors with the same bits.</summary>
    public bool AreEqual => Differences.IsEmpty;

    /// <summary>The first difference, or null.</summary>
    public TensorDifference? First => Differences.FirstOrDefault();

    /// <summary>Compares the tensors of two models: names, element types, shapes, and every bit. Files, order and metadata do not matter.</summary>
    public static ModelComparison Compare(SafetensorsModel expected, SafetensorsModel actual)
    {
        ArgumentNullException.ThrowIfNull(expected);
        ArgumentNullException.ThrowIfNull(actual);
        var run = new Run(expected);
        foreach (var tensor in actual.Tensors)
            run.Add(tensor.Info, tensor.Data, shapeKnown: true);
        return run.Finish();
    }

    /// <summary>
    /// Compares a model with what a checkpoint decodes to, one group in memory at a time. Shapes are compared where the checkpoint tells them,
    /// else numbers of elements.
    /// </summary>
    /// <exception cref="InvalidModelException">A stream of the checkpoint is corrupt.</exception>
    public static unsafe ModelComparison Compare(SafetensorsModel expected, DFloat11Checkpoint actual, ParallelOptions options, IProgress<ModelProgress>? progress)
    {
        ArgumentNullException.ThrowIfNull(options);
        return Compare(expected, actual, (group, output) => DFloat11Decoder.Decode(group, (ushort*)output.Pointer, group.ElementCount, options), progress);
    }

    /// <summary>As the other comparison with a checkpoint, with a decoder of the caller's, such as one on a device.</summary>
    /// <param name="expected">The original model.</param>
    /// <param name="actual">The checkpoint.</param>
    /// <param name="decode">Writes the BF16 bits of a group to the buffer, which has two bytes an element.</param>
    /// <param name="progress">Is told of each group and tensor that is done, or null.</param>
    public static ModelComparison Compare(SafetensorsModel expected, DFloat11Checkpoint actual, Action<DFloat11Group, NativeBuffer> decode, IProgress<ModelProgress>? progress)
    {
        ArgumentNullException.ThrowIfNull(expected);
        ArgumentNullException.ThrowIfNull(actual);
        ArgumentNullException.ThrowIfNull(decode);
        var run = new Run(expected);
        long total = expected.ByteLength;
        foreach (var group in actual.Groups)
        {
            using var output = new NativeBuffer(2 * group.ElementCount);
            decode(group, output);
            foreach (var matrix in group.Matrices)
                run.Add(new TensorInfo(matrix.Name, SafetensorsDtype.BF16, matrix.Shape.AsSpan()), output.AsRegion().Slice(2 * matrix.Offset, 2 * matrix.ElementCount), matrix.HasShape);
            progress?.Report(new ModelProgress(run.ByteCount, total, group.Name));
        }
        foreach (var tensor in actual.RawTensors)
        {
            run.Add(tensor.Info, tensor.Data, shapeKnown: true);
            progress?.Report(new ModelProgress(run.ByteCount, total, tensor.Name));
        }
        return run.Finish();
    }

    /// <summary>The first difference of two tensors, or null. Values are compared by their bits, so that NaN equals itself and 0 is not -0.</summary>
    public static TensorDifference? CompareTensor(TensorView expected, TensorView actual)
    {
        ArgumentNullException.ThrowIfNull(expected);
        ArgumentNullException.ThrowIfNull(actual);
        return Difference(expected, actual.Info, actual.Data, shapeKnown: true);
    }

    private static TensorDifference? Difference(TensorView expected, TensorInfo info, ByteRegion data, bool shapeKnown)
    {
        if (expected.Dtype != info.Dtype)
            return new TensorDifference(expected.Name, $"the element type is {info.Dtype.Name()} instead of {expected.Dtype.Name()}");
        if (shapeKnown ? !expected.Shape.SequenceEqual(info.Shape) : expected.ElementCount != info.ElementCount)
            return new TensorDifference(expected.Name, $"the shape is {info.ShapeText} instead of {expected.Info.ShapeText}");
        const int step = 1 << 24;
        for (long at = 0; at < data.Length; at += step)
        {
            int length = (int)Math.Min(step, data.Length - at);
            int same = expected.Data.Span(at, length).CommonPrefixLength(data.Span(at, length));
            if (same == length)
                continue;
            int size = info.Dtype.Size();
            long index = (at + same) / size;
            string first = Bits(expected.Data.Span(index * size, size));
            string second = Bits(data.Span(index * size, size));
            return new TensorDifference(expected.Name, string.Create(CultureInfo.InvariantCulture, $"element {index} of {info.ElementCount} is {second} instead of {first}"), index, first, second);
        }
        return null;
    }

    private static string Bits(ReadOnlySpan<byte> element)
    {
        Span<byte> padded = stackalloc byte[sizeof(ulong)];
        element.CopyTo(padded);
        return $"0x{BinaryPrimitives.ReadUInt64LittleEndian(padded).ToString($"X{2 * element.Length}", CultureInfo.InvariantCulture)}";
    }

    private sealed class Run(SafetensorsModel expected)
    {
        private readonly Dictionary<string, TensorDifference?> _seen = new(StringComparer.Ordinal);
        private readonly List<TensorDifference> _unexpected = [];

        internal long ByteCount { get; private set; }

        internal void Add(TensorInfo info, ByteRegion data, bool shapeKnown)
        {
            if (!expected.TryGetTensor(info.Name, out var tensor))
            {
                _unexpected.Add(new TensorDifference(info.Name, "the first model has no such tensor"));
                return;
            }
            _seen[info.Name] = Difference(tensor, info, data, shapeKnown);
            ByteCount += data.Length;
        }

        internal ModelComparison Finish()
        {
            var differences = new List<TensorDifference>();
            foreach (var tensor in expected.Tensors)
            {
                if (!_seen.TryGetValue(tensor.Name, out var difference))
                    differences.Add(new TensorDifference(tensor.Name, "the second model has no such tensor"));
                else if (difference is not null)
                    differences.Add(difference);
            }
            return new ModelComparison(expected.Tensors.Count, ByteCount, [.. differences, .. _unexpected]);
        }
    }
}
