using System.CommandLine;
using System.Diagnostics;
using Kernels.Formats;
using Kernels.Formats.DFloat11;
using Kernels.Formats.Safetensors;
using Kernels.Native;
using Kernels.Runtime;
using Spectre.Console;

namespace Kernels.Cli.Commands;

/// <summary><c>kernels demo</c>: compress a model, decode every tensor on the device, compare all bits, show the figures.</summary>
internal static class DemoCommand
{
    public static Command Create()
    {
        var model = new Argument<string>("model") { Description = "A safetensors file, or a folder with an index." };
        var command = new Command("demo", "Compress a model, decode every tensor on the device, compare all bits, and show the figures.") { model };
        command.Runs((result, cancellation) => Run(result.GetValue(model)!, cancellation));
        return command;
    }

    private static int Run(string path, CancellationToken cancellation)
    {
        var options = new ParallelOptions { CancellationToken = cancellation };
        using Device device = Device.Open();
        using SafetensorsModel model = SafetensorsModel.Open(path);
        DirectoryInfo folder = Directory.CreateTempSubdirectory("kernels-demo-");
        try
        {
            string compressed = Path.Combine(folder.FullName, "df11");
            var watch = Stopwatch.StartNew();
            DFloat11CompressionReport report = LongWork.Run("compress", progress => DFloat11Compressor.Compress(model, compressed, options, progress));
            TimeSpan compressTime = watch.Elapsed;
            using DFloat11Checkpoint checkpoint = DFloat11Checkpoint.Open(compressed);
            return Show(device, model, checkpoint, report, compressTime, options);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static int Show(Device device, SafetensorsModel model, DFloat11Checkpoint checkpoint, DFloat11CompressionReport report, TimeSpan compressTime, ParallelOptions options)
    {
        var first = new KernelCompiler(KernelCompilerOptions.FromEnvironment());
        var watch = Stopwatch.StartNew();
        using (var cold = new DeviceGroupDecoder(device, first))
            cold.Prepare();
        TimeSpan coldTime = watch.Elapsed;
        watch.Restart();
        using var decoder = new DeviceGroupDecoder(device, new KernelCompiler(KernelCompilerOptions.FromEnvironment()));
        decoder.Prepare();
        TimeSpan warmTime = watch.Elapsed;

        var table = new Table().AddColumns(
            "group", "tensors", "weights", "BF16", "DF11", "bits/weight", "entropy bound", "codes", "longest", "decode", "bits");
        foreach (TableColumn column in table.Columns.Skip(1))
            column.RightAligned();
        int different = 0;
        TimeSpan decodeTime = default;
        long weights = 0;
        foreach (DFloat11Group group in checkpoint.Groups)
        {
            options.CancellationToken.ThrowIfCancellationRequested();
            using var output = new NativeBuffer(2 * group.ElementCount);
            decoder.Decode(group, output);
            int unequal = group.Matrices.Count(matrix => !SameBits(model, matrix, output));
            different += unequal;
            decodeTime += decoder.LastDecodeTime;
            weights += group.ElementCount;
            DFloat11Statistics statistics = DFloat11Statistics.Measure(group, options);
            table.AddRow(
                Markup.Escape(group.Name), $"{group.Matrices.Length}", Figures.Count(group.ElementCount), Figures.Bytes(2 * group.ElementCount), Figures.Bytes(group.StoredBytes),
                Figures.Fixed(statistics.BitsPerElement, 3), Figures.Fixed(statistics.BoundPerElement, 3), $"{statistics.DistinctExponents}", $"{statistics.LongestCode} bits",
                Figures.Time(decoder.LastDecodeTime), unequal == 0 ? "[green]equal[/]" : "[red]differ[/]");
        }

        int rawDifferent = checkpoint.RawTensors.Count(tensor => !model.TryGetTensor(tensor.Name, out TensorView expected) || ModelComparison.CompareTensor(expected, tensor) is not null);
        long rawBytes = checkpoint.RawTensors.Sum(tensor => tensor.ByteLength);
        table.AddRow("not compressed", $"{checkpoint.RawTensors.Count}", "", Figures.Bytes(rawBytes), Figures.Bytes(rawBytes), "", "", "", "", "", rawDifferent == 0 ? "[green]equal[/]" : "[red]differ[/]");
        different += rawDifferent;
        int tensors = checkpoint.Groups.Sum(group => group.Matrices.Length) + checkpoint.RawTensors.Count;
        table.AddRow("[bold]all[/]", $"{tensors}", Figures.Count(weights), Figures.Bytes(report.OriginalBytes), Figures.Bytes(report.StoredBytes),
            Figures.Fixed(16.0 * report.StoredBytes / report.OriginalBytes, 3), "", "", "", Figures.Time(decodeTime), different == 0 ? "[green]equal[/]" : "[red]differ[/]");
        WideTable.Write(table);

        string compiled = first.Compilations > 0 ? $"{first.Compilations} kernels compiled by NVRTC {NvrtcLibrary.Version} in {Figures.Time(coldTime)}"
            : first.HasNvrtc ? $"nothing compiled, all kernels from the cache in {Figures.Time(coldTime)}"
            : $"no NVRTC: all kernels from the pack in {Figures.Time(coldTime)}";
        Console.WriteLine($"compress  {Figures.Time(compressTime)} on {Environment.ProcessorCount} cores, {Figures.Rate(report.OriginalBytes, compressTime)}; {Figures.Percent(report.StoredBytes, report.OriginalBytes)} of the original");
        Console.WriteLine($"decode    {Figures.Time(decodeTime)} for {Figures.Bytes(2 * weights)} of BF16, {Figures.Rate(2 * weights, decodeTime)}");
        Console.WriteLine($"compile   {compiled}; loaded again in {Figures.Time(warmTime)}");
        Console.WriteLine($"executor  {device.Properties.Name}, compute capability {device.ComputeCapability} ({DriverLibrary.Path}); device memory peak {Figures.Bytes(decoder.Memory.PeakInUse)}");
        bool complete = tensors == model.Tensors.Count;
        Console.WriteLine(different == 0 && complete
            ? $"verdict   all {tensors} tensors equal, every bit"
            : $"verdict   {different} of {tensors} tensors differ{(complete ? "" : $", and the model has {model.Tensors.Count}")}");
        return different == 0 && complete ? ExitCode.Success : ExitCode.CheckFailed;
    }

    private static bool SameBits(SafetensorsModel model, DFloat11Matrix matrix, NativeBuffer output)
    {
        var decoded = new TensorView(new TensorInfo(matrix.Name, SafetensorsDtype.BF16, matrix.Shape.AsSpan()), output.AsRegion().Slice(2 * matrix.Offset, 2 * matrix.ElementCount));
        return model.TryGetTensor(matrix.Name, out TensorView expected) && ModelComparison.CompareTensor(expected, decoded) is null;
    }
}
