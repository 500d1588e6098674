using System.Runtime.InteropServices;
using Kernels.Formats;
using Kernels.Formats.DFloat11;
using Kernels.Formats.Safetensors;

namespace Kernels.Lossless.Tests;

/// <summary>Groups to decode: of real models and of generated exponents.</summary>
internal static class Bfloat16Groups
{
    private static readonly ParallelOptions AllCores = new();

    /// <summary>A file or folder of the repository, from wherever the tests run.</summary>
    public static string RepositoryPath(string relative)
    {
        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (System.IO.File.Exists(Path.Combine(folder.FullName, "Kernels.sln")))
                return Path.Combine(folder.FullName, relative);
        }

        throw new DirectoryNotFoundException("No folder above the tests holds Kernels.sln.");
    }

    public static SafetensorsModel OpenModel() => SafetensorsModel.Open(RepositoryPath("samples/models/tiny-blockffn/model.safetensors"));

    public static ReadOnlySpan<ushort> Bits(TensorView tensor) => MemoryMarshal.Cast<byte, ushort>(tensor.Data.AsSpan());

    /// <summary>The bits of all matrices of a group, in order, from the model they were made of.</summary>
    public static ushort[] Original(SafetensorsModel model, DFloat11Group group)
    {
        var bits = new ushort[group.ElementCount];
        foreach (DFloat11Matrix matrix in group.Matrices)
            Bits(model[matrix.Name]).CopyTo(bits.AsSpan((int)matrix.Offset));
        return bits;
    }

    public static DFloat11Group Encode(string name, params TensorView[] matrices) => DFloat11Encoder.Encode(name, matrices, AllCores);

    public static DFloat11Group Encode(ReadOnlySpan<ushort> bits) => Encode("generated",
        new TensorView(new TensorInfo("generated.weight", SafetensorsDtype.BF16, bits.Length), ByteRegion.CopyOf(MemoryMarshal.AsBytes(bits))));

    /// <summary>Elements whose exponents are drawn with the given weights; signs and mantissas are random.</summary>
    public static ushort[] Draw(int count, int seed, params (byte Exponent, double Weight)[] distribution)
    {
        var random = new Random(seed);
        double total = distribution.Sum(d => d.Weight);
        var bits = new ushort[count];
        for (int i = 0; i < count; i++)
        {
            double at = random.NextDouble() * total;
            byte exponent = distribution[^1].Exponent;
            foreach ((byte candidate, double weight) in distribution)
            {
                at -= weight;
                if (at < 0)
                {
                    exponent = candidate;
                    break;
                }
            }

            bits[i] = (ushort)(random.Next(2) << 15 | exponent << 7 | random.Next(128));
        }

        return bits;
    }
}
