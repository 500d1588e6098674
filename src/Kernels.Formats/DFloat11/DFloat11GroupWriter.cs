using System.Runtime.InteropServices;
using Kernels.Formats.Safetensors;

namespace Kernels.Formats.DFloat11;

/// <summary>The tensors that a group is stored as.</summary>
internal static class DFloat11GroupWriter
{
    internal static IReadOnlyList<(TensorInfo Info, ByteRegion Data)> Fields(DFloat11Group group)
    {
        long[] splits = [.. group.Matrices.Skip(1).Select(matrix => matrix.Offset)];
        // The wide ones first, so that in a shard of its own every field is aligned.
        return
        [
            (new TensorInfo($"{group.Name}.{DFloat11Fields.SplitPositions}", SafetensorsDtype.I64, splits.Length), ByteRegion.CopyOf(MemoryMarshal.AsBytes<long>(splits))),
            (new TensorInfo($"{group.Name}.{DFloat11Fields.Luts}", SafetensorsDtype.U8, group.DecodeRowCount + 1, DFloat11Codes.RowLength), ByteRegion.CopyOf(group.Luts)),
            Field(DFloat11Fields.OutputPositions, ByteRegion.CopyOf(MemoryMarshal.AsBytes(group.OutputPositions))),
            Field(DFloat11Fields.Gaps, ByteRegion.CopyOf(group.Gaps)),
            Field(DFloat11Fields.EncodedExponent, group.EncodedExponent),
            Field(DFloat11Fields.SignMantissa, group.SignMantissa),
        ];

        (TensorInfo Info, ByteRegion Data) Field(string field, ByteRegion data) => (new TensorInfo($"{group.Name}.{field}", SafetensorsDtype.U8, data.Length), data);
    }
}
