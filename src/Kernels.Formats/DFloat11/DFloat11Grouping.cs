using System.Collections.Immutable;
using System.Text;
using Kernels.Formats.Safetensors;

namespace Kernels.Formats.DFloat11;

/// <summary>A group to be made: the matrices of a module.</summary>
/// <param name="Name">Name of the group.</param>
/// <param name="Block">Where the module is one of a list, such as <c>model.layers.3</c>: the list's name and the index.</param>
/// <param name="Matrices">Its matrices, in order.</param>
internal sealed record DFloat11GroupPlan(string Name, (string List, string Index)? Block, IReadOnlyList<TensorView> Matrices);

/// <summary>
/// Divides the matrices of a model into groups without knowing its class: the matrices of each numbered block (<c>model.layers.3</c>,
/// <c>transformer.h.3</c>, <c>blocks.3</c>) make a group, every other matrix one of its own.
/// </summary>
internal static class DFloat11Grouping
{
    private const string WeightSuffix = ".weight";

    /// <summary>
    /// Plans the groups, in the order of their first matrices. Each BF16 matrix is in one, or in <paramref name="fallbacks"/> with the reason
    /// why it cannot be. Tensors of other element types or of less than two dimensions are in neither.
    /// </summary>
    internal static List<DFloat11GroupPlan> Plan(SafetensorsModel model, List<DFloat11Fallback> fallbacks, long maxElements = DFloat11Encoder.MaxElements)
    {
        var names = new HashSet<string>(model.Tensors.Select(tensor => tensor.Name), StringComparer.Ordinal);
        var blocks = new Dictionary<string, List<TensorView>>(StringComparer.Ordinal);
        var order = new List<(string Name, (string, string)? Block)>();
        foreach (var tensor in model.Tensors.Where(IsMatrix))
        {
            (string List, string Index)? block = FindBlock(tensor.Name);
            string name = block is { } found ? $"{found.List}.{found.Index}" : ModuleName(tensor.Name);
            if (!blocks.TryGetValue(name, out var matrices))
            {
                blocks.Add(name, matrices = []);
                order.Add((name, block));
            }
            matrices.Add(tensor);
        }
        var plans = new List<DFloat11GroupPlan>();
        foreach (var (name, block) in order)
        {
            List<TensorView> matrices = blocks[name];
            if (TakenField(name) is { } field)
            {
                fallbacks.AddRange(matrices.Select(matrix => new DFloat11Fallback(matrix, $"the model has a tensor '{TensorName.Printable(field)}', which is the name of a field of its group")));
                continue;
            }
            if (matrices.Count > 1)
            {
                // A matrix that is the module itself cannot share a group: "x.3.weight" beside "x.3.up.weight", or "x" beside "x.weight".
                fallbacks.AddRange(matrices.Where(matrix => SubPath(name, matrix.Name).Length == 0)
                    .Select(matrix => new DFloat11Fallback(matrix, $"it is the module '{TensorName.Printable(name)}' itself, which has other matrices, and a group names matrices by their paths inside the module")));
                matrices = matrices.FindAll(matrix => SubPath(name, matrix.Name).Length > 0);
            }
            if (matrices.Count == 0)
                continue;
            if (matrices.Sum(matrix => matrix.ElementCount) <= maxElements)
            {
                plans.Add(new DFloat11GroupPlan(name, block, matrices));
                continue;
            }
            var modules = new HashSet<string>(StringComparer.Ordinal);
            foreach (var matrix in matrices)
            {
                string module = ModuleName(matrix.Name);
                if (matrix.ElementCount > maxElements)
                    fallbacks.Add(new DFloat11Fallback(matrix, $"it has {matrix.ElementCount} elements, above the limit of {maxElements} for a group"));
                else if (TakenField(module) is { } taken)
                    fallbacks.Add(new DFloat11Fallback(matrix, $"the model has a tensor '{TensorName.Printable(taken)}', which is the name of a field of its group"));
                else if (!modules.Add(module))
                    fallbacks.Add(new DFloat11Fallback(matrix, $"another matrix is the group '{TensorName.Printable(module)}' already"));
                else
                    plans.Add(new DFloat11GroupPlan(module, null, [matrix]));
            }
        }
        return plans;

        string? TakenField(string group) => DFloat11Fields.All.Select(field => $"{group}.{field}").FirstOrDefault(names.Contains);
    }

    /// <summary>The sub-path of a matrix inside its group; empty where the group is the matrix's own module.</summary>
    internal static string SubPath(string group, string matrix)
    {
        string module = ModuleName(matrix);
        return module.Length > group.Length ? module[(group.Length + 1)..] : "";
    }

    /// <summary>
    /// The patterns of the groups that were made. Blocks of a list that all hold the same sub-paths share a pattern with <c>\d+</c>; where
    /// they differ, each kind of block has a pattern that lists its indices.
    /// </summary>
    internal static List<DFloat11Pattern> Patterns(IEnumerable<(DFloat11GroupPlan Plan, ImmutableArray<string> SubPaths)> groups)
    {
        var patterns = new List<DFloat11Pattern>();
        foreach (var list in groups.GroupBy(group => group.Plan.Block?.List ?? "\0" + group.Plan.Name))
        {
            var kinds = list.GroupBy(group => string.Join('\0', group.SubPaths)).ToList();
            foreach (var kind in kinds)
            {
                var (plan, subPaths) = kind.First();
                string regex = plan.Block is not (string name, _)
                    ? Escape(plan.Name)
                    : kinds.Count == 1 ? $@"{Escape(name)}\.\d+" : $@"{Escape(name)}\.(?:{string.Join('|', kind.Select(group => group.Plan.Block!.Value.Index))})";
                patterns.Add(new DFloat11Pattern(regex, subPaths is [""] ? [] : subPaths));
            }
        }
        return patterns;
    }

    // The first number in a name is the block's: experts inside it have numbers too. What follows must be more than "weight":
    // "mlp.0.weight" is a matrix of its own and no block.
    private static (string List, string Index)? FindBlock(string tensor)
    {
        for (int dot = tensor.IndexOf('.', StringComparison.Ordinal); dot > 0;)
        {
            int next = tensor.IndexOf('.', dot + 1);
            if (next < 0)
                return null;
            ReadOnlySpan<char> part = tensor.AsSpan(dot + 1, next - dot - 1);
            if (part.Length > 0 && part.IndexOfAnyExceptInRange('0', '9') < 0)
                return tensor.AsSpan(next).SequenceEqual(WeightSuffix) || next + 1 == tensor.Length ? null : (tensor[..dot], part.ToString());
            dot = next;
        }
        return null;
    }

    private static bool IsMatrix(TensorView tensor) => tensor.Dtype == SafetensorsDtype.BF16 && tensor.Shape.Length >= 2;

    private static string ModuleName(string tensor) =>
        tensor.Length > WeightSuffix.Length && tensor.EndsWith(WeightSuffix, StringComparison.Ordinal) ? tensor[..^WeightSuffix.Length] : tensor;

    // As Python's re.escape does for ASCII, so that both engines read the same.
    private static string Escape(string text)
    {
        var escaped = new StringBuilder();
        foreach (char c in text)
        {
            if (char.IsAscii(c) && !char.IsAsciiLetterOrDigit(c) && c != '_')
                escaped.Append('\\');
            escaped.Append(c);
        }
        return escaped.ToString();
    }
}
