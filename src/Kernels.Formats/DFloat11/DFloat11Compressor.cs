using System.Collections.Immutable;
using System.Text;
using System.Text.Json.Nodes;
using Kernels.Formats.Safetensors;

namespace Kernels.Formats.DFloat11;

/// <summary>What became of one group of a model.</summary>
/// <param name="Name">Name of the group.</param>
/// <param name="MatrixNames">Names of its matrices.</param>
/// <param name="ElementCount">Elements of all its matrices.</param>
/// <param name="StoredBytes">Bytes of its fields.</param>
public sealed record DFloat11GroupSummary(string Name, ImmutableArray<string> MatrixNames, long ElementCount, long StoredBytes);

/// <summary>What became of a model.</summary>
/// <param name="Groups">The compressed groups.</param>
/// <param name="Fallbacks">All BF16 matrices (two or more dimensions) that stay as they are, with the reasons. Other tensors that stay are not listed.</param>
/// <param name="TensorCount">Tensors of the model.</param>
/// <param name="OriginalBytes">Bytes of all tensors before.</param>
/// <param name="StoredBytes">Bytes of all tensors after.</param>
public sealed record DFloat11CompressionReport(
    ImmutableArray<DFloat11GroupSummary> Groups, ImmutableArray<DFloat11Fallback> Fallbacks, int TensorCount, long OriginalBytes, long StoredBytes);

/// <summary>Compresses whole models to DF11 checkpoints, one group in memory at a time.</summary>
public static class DFloat11Compressor
{
    /// <summary>Compresses a model.</summary>
    /// <param name="model">The model. Other element types than BF16, and tensors of less than two dimensions, stay as they are.</param>
    /// <param name="output">
    /// A path that ends with <c>.safetensors</c>: one file. Any other: a folder with a shard a group, <c>model.safetensors</c> for the rest,
    /// and <c>config.json</c>, as the reference implementation has it; it must not exist or be empty. Either appears only when it is complete.
    /// </param>
    /// <param name="options">Number of threads, cancellation.</param>
    /// <param name="progress">Is told of each group and tensor that is done, or null.</param>
    /// <exception cref="ArgumentException">The model is compressed already.</exception>
    /// <exception cref="InvalidModelException">The model's <c>config.json</c> is invalid; nothing is encoded before it is checked.</exception>
    /// <exception cref="IOException">The output cannot be written.</exception>
    /// <exception cref="OperationCanceledException">The work was cancelled; nothing is left under <paramref name="output"/>.</exception>
    public static DFloat11CompressionReport Compress(SafetensorsModel model, string output, ParallelOptions options, IProgress<ModelProgress>? progress = null)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentException.ThrowIfNullOrEmpty(output);
        ArgumentNullException.ThrowIfNull(options);
        if (DFloat11Checkpoint.IsCheckpoint(model))
            throw new ArgumentException($"'{model.Path}' is a DF11 checkpoint already.", nameof(model));
        ModelFolder.CheckOutput(model, output);
        var run = new Run(model, options, progress, []);
        if (ModelFolder.IsFile(output))
            run.ToFile(output);
        else
            run.ToFolder(output);
        return run.Report();
    }

    private sealed class Run(SafetensorsModel model, ParallelOptions options, IProgress<ModelProgress>? progress, List<DFloat11Fallback> fallbacks)
    {
        private readonly List<DFloat11GroupPlan> _plans = DFloat11Grouping.Plan(model, fallbacks);
        private readonly List<(DFloat11GroupPlan Plan, ImmutableArray<string> SubPaths)> _made = [];
        private readonly List<DFloat11GroupSummary> _groups = [];
        private readonly HashSet<string> _compressed = new(StringComparer.Ordinal);
        private readonly long _total = model.ByteLength;
        private long _done;
        private long _stored;

        internal DFloat11CompressionReport Report() => new([.. _groups], [.. fallbacks], model.Tensors.Count, _total, _stored);

        internal void ToFile(string output)
        {
            var metadata = OwnMetadata();
            metadata[DFloat11Metadata.OrderKey] = Order();
            using var writer = SafetensorsWriter.CreateAppending(output, Capacity(metadata), metadata);
            foreach (var plan in _plans)
            {
                using var group = Encode(plan);
                if (group is null)
                    continue;
                foreach (var (info, data) in DFloat11GroupWriter.Fields(group))
                    writer.Append(info, data, options.CancellationToken);
                metadata[DFloat11Metadata.GroupKey(group.Name)] = DFloat11Metadata.WriteMatrices(group.Matrices);
                Finish(group);
            }
            foreach (var tensor in RawTensors())
            {
                writer.Append(tensor.Info, tensor.Data, options.CancellationToken);
                Finish(tensor);
            }
            metadata[DFloat11Metadata.ConfigKey] = DFloat11Metadata.WriteConfig(Config());
            writer.Commit();
        }

        internal void ToFolder(string output)
        {
            // Before the work: a configuration that cannot be written again must not cost it.
            JsonObject config = ModelFolder.ReadConfig(model.IsFolder ? model.Folder : null, without: DFloat11Config.PropertyName);
            using var folder = new AtomicFolder(output);
            folder.Fill(path => Fill(path, config));
            folder.Commit();
        }

        private void Fill(string folder, JsonObject config)
        {
            var fileNames = new HashSet<string>(StringComparer.OrdinalIgnoreCase) { "model" };
            foreach (var plan in _plans)
            {
                using var group = Encode(plan);
                if (group is null)
                    continue;
                var metadata = new Dictionary<string, string> { [DFloat11Metadata.GroupKey(group.Name)] = DFloat11Metadata.WriteMatrices(group.Matrices) };
                var fields = DFloat11GroupWriter.Fields(group);
                using var writer = new SafetensorsWriter(Path.Combine(folder, FileName(group.Name, fileNames)), fields.Select(field => field.Info), metadata);
                foreach (var (info, data) in fields)
                    writer.Write(info.Name, data, options.CancellationToken);
                writer.Commit();
                Finish(group);
            }
            var rest = OwnMetadata();
            rest[DFloat11Metadata.OrderKey] = Order();
            List<TensorView> raw = [.. RawTensors()];
            using (var writer = new SafetensorsWriter(Path.Combine(folder, "model.safetensors"), raw.Select(tensor => tensor.Info), rest))
            {
                foreach (var tensor in raw)
                {
                    writer.Write(tensor.Name, tensor.Data, options.CancellationToken);
                    Finish(tensor);
                }
                writer.Commit();
            }
            if (model.IsFolder)
                ModelFolder.CopyOthers(model.Folder, folder, options.CancellationToken);
            config[DFloat11Config.PropertyName] = JsonNode.Parse(DFloat11Metadata.WriteConfig(Config()));
            ModelFolder.WriteConfig(config, folder);
        }

        private DFloat11Group? Encode(DFloat11GroupPlan plan)
        {
            var encoding = DFloat11Encoder.EncodeWhereSmaller(plan.Name, plan.Matrices, options);
            fallbacks.AddRange(encoding.Fallbacks);
            if (encoding.Group is { } group)
            {
                _made.Add((plan, [.. group.Matrices.Select(matrix => DFloat11Grouping.SubPath(plan.Name, matrix.Name))]));
                _compressed.UnionWith(group.Matrices.Select(matrix => matrix.Name));
            }
            return encoding.Group;
        }

        private void Finish(DFloat11Group group)
        {
            _groups.Add(new DFloat11GroupSummary(group.Name, [.. group.Matrices.Select(matrix => matrix.Name)], group.ElementCount, group.StoredBytes));
            _stored += group.StoredBytes;
            Tell(2 * group.ElementCount, group.Name);
        }

        private void Finish(TensorView tensor)
        {
            _stored += tensor.ByteLength;
            Tell(tensor.ByteLength, tensor.Name);
        }

        private void Tell(long bytes, string item)
        {
            _done += bytes;
            progress?.Report(new ModelProgress(_done, _total, item));
        }

        private IEnumerable<TensorView> RawTensors() => model.Tensors.Where(tensor => !_compressed.Contains(tensor.Name));

        private DFloat11Config Config() => new(DFloat11Config.WrittenVersion, DFloat11Layout.Default, DFloat11Grouping.Patterns(_made));

        private string Order() => DFloat11Metadata.WriteOrder(model.Tensors.Select(tensor => tensor.Name));

        private Dictionary<string, string> OwnMetadata() => model.Metadata
            .Where(entry => !entry.Key.StartsWith(DFloat11Metadata.Prefix, StringComparison.Ordinal))
            .ToDictionary(StringComparer.Ordinal);

        // As if every matrix were compressed and, on top, stayed as it is, and every group had a pattern of its own: never too little.
        private long Capacity(Dictionary<string, string> metadata)
        {
            long largest = 4 * Math.Max(_total, 1 << 20);
            long capacity = metadata.Sum(entry => SafetensorsWriter.MetadataCapacity(entry.Key, entry.Value))
                + model.Tensors.Sum(tensor => SafetensorsWriter.HeaderCapacity(tensor.Name, tensor.Shape.Length, largest));
            foreach (var plan in _plans)
            {
                IEnumerable<DFloat11Matrix> matrices = plan.Matrices.Select(matrix => new DFloat11Matrix(matrix.Name, 0, matrix.ElementCount, matrix.Shape));
                capacity += SafetensorsWriter.MetadataCapacity(DFloat11Metadata.GroupKey(plan.Name), DFloat11Metadata.WriteMatrices(matrices))
                    + DFloat11Fields.All.Sum(field => SafetensorsWriter.HeaderCapacity($"{plan.Name}.{field}", 2, largest));
            }
            var single = _plans.Select(plan => (plan with { Block = null }, plan.Matrices.Select(matrix => DFloat11Grouping.SubPath(plan.Name, matrix.Name)).ToImmutableArray()));
            var config = new DFloat11Config(DFloat11Config.WrittenVersion, DFloat11Layout.Default, DFloat11Grouping.Patterns(single));
            return capacity + SafetensorsWriter.MetadataCapacity(DFloat11Metadata.ConfigKey, DFloat11Metadata.WriteConfig(config)) + 64;
        }

        private static string FileName(string group, HashSet<string> used)
        {
            // Group names come from the model: nothing but letters, digits and dashes goes into a file name.
            var text = new StringBuilder(group.Length);
            foreach (char c in group.Length > 120 ? group[..120] : group)
                text.Append(char.IsAsciiLetterOrDigit(c) || c == '-' ? c : '_');
            string name = text.ToString();
            for (int number = 2; !used.Add(name); number++)
                name = $"{text}_{number}";
            return name + ".safetensors";
        }
    }
}
