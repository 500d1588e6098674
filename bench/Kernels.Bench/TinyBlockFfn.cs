using Kernels.Formats.Safetensors;

namespace Kernels.Bench;

/// <summary>The trained weights of samples/models/tiny-blockffn.</summary>
internal static class TinyBlockFfn
{
    private static readonly Lazy<SafetensorsModel> Opened = new(() => SafetensorsModel.Open(FindFolder()));

    internal static SafetensorsModel Model => Opened.Value;

    /// <summary>The matrices, in groups as the model compressor makes them: a decoder layer, or a matrix outside the layers.</summary>
    internal static IReadOnlyList<(string Name, TensorView[] Matrices)> Groups =>
        [.. Model.Tensors.Where(tensor => tensor.Shape.Length > 1).GroupBy(tensor => GroupName(tensor.Name)).Select(group => (group.Key, group.ToArray()))];

    internal static long Bf16Bytes => Groups.Sum(group => group.Matrices.Sum(matrix => matrix.ByteLength));

    private static string GroupName(string tensor)
    {
        string[] parts = tensor.Split('.');
        return parts is ["model", "layers", var layer, ..] ? $"model.layers.{layer}" : tensor.Replace(".weight", "", StringComparison.Ordinal);
    }

    private static string FindFolder()
    {
        for (string? folder = AppContext.BaseDirectory; folder is not null; folder = Path.GetDirectoryName(folder))
        {
            string candidate = Path.Combine(folder, "samples", "models", "tiny-blockffn");
            if (Directory.Exists(candidate))
                return candidate;
        }
        throw new DirectoryNotFoundException($"No folder above {AppContext.BaseDirectory} holds samples/models/tiny-blockffn.");
    }
}
