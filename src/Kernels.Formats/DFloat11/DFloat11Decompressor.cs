using System.Text.Json.Nodes;
using Kernels.Formats.Safetensors;

namespace Kernels.Formats.DFloat11;

/// <summary>Restores the original model of a DF11 checkpoint, one group in memory at a time.</summary>
public static class DFloat11Decompressor
{
    /// <summary>Decompresses a checkpoint. Tensors have their original names; shapes, order and metadata too, where the checkpoint tells them.</summary>
    /// <param name="checkpoint">The checkpoint.</param>
    /// <param name="output">
    /// A path that ends with <c>.safetensors</c>: one file. Any other: a folder, which must not exist or be empty. Either appears only when
    /// it is complete.
    /// </param>
    /// <param name="options">Number of threads, cancellation.</param>
    /// <param name="maxShardBytes">In a folder, shards take at most this much, unless a single tensor is larger; with several there is an index.</param>
    /// <param name="progress">Is told of each group and tensor that is done, or null.</param>
    /// <exception cref="InvalidModelException">A stream or <c>config.json</c> is corrupt; nothing is left under <paramref name="output"/>.</exception>
    /// <exception cref="IOException">The output cannot be written.</exception>
    /// <exception cref="OperationCanceledException">The work was cancelled; nothing is left under <paramref name="output"/>.</exception>
    public static void Decompress(DFloat11Checkpoint checkpoint, string output, ParallelOptions options, long maxShardBytes = long.MaxValue, IProgress<ModelProgress>? progress = null)
    {
        ArgumentNullException.ThrowIfNull(checkpoint);
        ArgumentException.ThrowIfNullOrEmpty(output);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(maxShardBytes);
        ModelFolder.CheckOutput(checkpoint.Container, output);
        List<TensorInfo> tensors = Tensors(checkpoint);
        if (ModelFolder.IsFile(output))
        {
            WriteShards(checkpoint, [(output, tensors)], options, progress);
            return;
        }
        string? from = checkpoint.Container.IsFolder ? checkpoint.Container.Folder : null;
        JsonObject config = ModelFolder.ReadConfig(from, without: DFloat11Config.PropertyName);
        using var folder = new AtomicFolder(output);
        folder.Fill(path =>
        {
            List<(string Path, List<TensorInfo> Tensors)> shards = Divide(tensors, path, maxShardBytes);
            WriteShards(checkpoint, shards, options, progress);
            if (shards.Count > 1)
            {
                var map = shards.SelectMany(shard => shard.Tensors.Select(tensor => KeyValuePair.Create(tensor.Name, Path.GetFileName(shard.Path))));
                SafetensorsIndex.Write(Path.Combine(path, SafetensorsIndex.FileName), map, tensors.Sum(tensor => tensor.ByteLength));
            }
            if (from is not null)
                ModelFolder.CopyOthers(from, path, options.CancellationToken);
            ModelFolder.WriteConfig(config, path);
        });
        folder.Commit();
    }

    private static List<TensorInfo> Tensors(DFloat11Checkpoint checkpoint)
    {
        List<TensorInfo> tensors =
        [
            .. checkpoint.Groups.SelectMany(group => group.Matrices).Select(matrix => new TensorInfo(matrix.Name, SafetensorsDtype.BF16, matrix.Shape.AsSpan())),
            .. checkpoint.RawTensors.Select(tensor => tensor.Info),
        ];
        if (checkpoint.OriginalOrder is null)
            return tensors;
        var byName = tensors.ToDictionary(tensor => tensor.Name, StringComparer.Ordinal);
        return [.. checkpoint.OriginalOrder.Select(name => byName[name])];
    }

    private static List<(string Path, List<TensorInfo> Tensors)> Divide(List<TensorInfo> tensors, string folder, long maxShardBytes)
    {
        var shards = new List<List<TensorInfo>> { new() };
        long bytes = 0;
        foreach (var tensor in tensors)
        {
            if (shards[^1].Count > 0 && tensor.ByteLength > maxShardBytes - bytes)
            {
                shards.Add([]);
                bytes = 0;
            }
            shards[^1].Add(tensor);
            bytes += tensor.ByteLength;
        }
        return [.. shards.Select((shard, i) => (Path.Combine(folder, shards.Count == 1 ? "model.safetensors" : $"model-{i + 1:D5}-of-{shards.Count:D5}.safetensors"), shard))];
    }

    private static unsafe void WriteShards(DFloat11Checkpoint checkpoint, List<(string Path, List<TensorInfo> Tensors)> shards, ParallelOptions options, IProgress<ModelProgress>? progress)
    {
        var writers = new List<SafetensorsWriter>();
        try
        {
            var writerOf = new Dictionary<string, SafetensorsWriter>(StringComparer.Ordinal);
            foreach (var (path, tensors) in shards)
            {
                writers.Add(new SafetensorsWriter(path, tensors, checkpoint.Metadata));
                foreach (var tensor in tensors)
                    writerOf.Add(tensor.Name, writers[^1]);
            }
            long total = shards.Sum(shard => shard.Tensors.Sum(tensor => tensor.ByteLength));
            long done = 0;
            foreach (var group in checkpoint.Groups)
            {
                using var output = new NativeBuffer(2 * group.ElementCount);
                DFloat11Decoder.Decode(group, (ushort*)output.Pointer, group.ElementCount, options);
                foreach (var matrix in group.Matrices)
                    writerOf[matrix.Name].Write(matrix.Name, output.AsRegion().Slice(2 * matrix.Offset, 2 * matrix.ElementCount), options.CancellationToken);
                progress?.Report(new ModelProgress(done += output.Length, total, group.Name));
            }
            foreach (var tensor in checkpoint.RawTensors)
            {
                writerOf[tensor.Name].Write(tensor.Name, tensor.Data, options.CancellationToken);
                progress?.Report(new ModelProgress(done += tensor.ByteLength, total, tensor.Name));
            }
            foreach (var writer in writers)
                writer.Commit();
        }
        finally
        {
            foreach (var writer in writers)
                writer.Dispose();
        }
    }
}
