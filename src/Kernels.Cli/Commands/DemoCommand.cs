using System.CommandLine;
using System.Diagnostics;
using Kernels.Formats;
using Kernels.Formats.DFloat11;
using Kernels.Formats.Safetensors;
using Kernels.Native;
using Kernels.Runtime;

namespace Kernels.Cli.Commands;

/// <summary><c>kernels demo</c>: compress a model, decode every tensor on the device, compare all bits, show the figures.</summary>
internal static class DemoCommand
{
    public static Command Create()
    {
        var model = new Argument<string>("model") { Description = "A safetensors file, or a folder with an index." };
        var command = new Command("demo", "Compress a model, decode every tensor on the device, compare all bits, and show the figures.") { model };
        command.Runs((result, cancellation) => Run(result.GetValue(model)!, new ParallelOptions { CancellationToken = cancellation }));
        return command;
    }

    private static int Run(string path, ParallelOptions options)
    {
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
            return Decode(device, model, checkpoint, report, compressTime, options);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static int Decode(Device device, SafetensorsModel model, DFloat11Checkpoint checkpoint, DFloat11CompressionReport report, TimeSpan compressTime, ParallelOptions options)
    {
        // A second compiler has nothing in memory: what it takes is what a warm start takes.
        var first = new KernelCompiler(KernelCompilerOptions.FromEnvironment());
        TimeSpan firstLoad = Prepare(device, first, out DeviceGroupDecoder used);
        used.Dispose();
        TimeSpan secondLoad = Prepare(device, new KernelCompiler(KernelCompilerOptions.FromEnvironment()), out DeviceGroupDecoder decoder);
        using (decoder)
        {
            var groups = new List<DecodedGroup>();
            ModelComparison comparison = ModelComparison.Compare(model, checkpoint, (group, output) =>
            {
                options.CancellationToken.ThrowIfCancellationRequested();
                decoder.Decode(group, output);
                groups.Add(new DecodedGroup(group, decoder.LastDecodeTime, DFloat11Statistics.Measure(group, options)));
            }, progress: null);

            DemoTable.Write(groups, checkpoint.RawTensors, report, comparison);
            TimeSpan decodeTime = groups.Aggregate(TimeSpan.Zero, (sum, group) => sum + group.Time);
            long decodedBytes = groups.Sum(group => 2 * group.Group.ElementCount);
            string compiled = first.Compilations > 0 ? $"{first.Compilations} compilations by NVRTC {NvrtcLibrary.Version} in {Figures.Time(firstLoad)}"
                : first.HasNvrtc ? $"nothing compiled, all kernels from the cache in {Figures.Time(firstLoad)}"
                : $"no NVRTC: all kernels from the pack in {Figures.Time(firstLoad)}";
            Console.WriteLine($"compress  {Figures.Time(compressTime)} on {Environment.ProcessorCount} cores, {Figures.Rate(report.OriginalBytes, compressTime)}; {Figures.Percent(report.StoredBytes, report.OriginalBytes)} of the original");
            Console.WriteLine($"decode    {Figures.Time(decodeTime)} for {Figures.Bytes(decodedBytes)} of BF16, {Figures.Rate(decodedBytes, decodeTime)}");
            Console.WriteLine($"compile   {compiled}; loaded again in {Figures.Time(secondLoad)}");
            Console.WriteLine($"executor  {device.Properties.Name}, compute capability {device.ComputeCapability} ({DriverLibrary.Path}); device memory peak {Figures.Bytes(decoder.Memory.PeakInUse)}");
            Console.WriteLine(comparison.AreEqual
                ? $"verdict   all {comparison.TensorCount} tensors equal, every bit"
                : $"verdict   {comparison.Differences.Length} of {comparison.TensorCount} tensors differ, first {Figures.Name(comparison.First!.Tensor)}: {comparison.First.Reason}");
            return comparison.AreEqual ? ExitCode.Success : ExitCode.CheckFailed;
        }
    }

    private static TimeSpan Prepare(Device device, KernelCompiler compiler, out DeviceGroupDecoder decoder)
    {
        var watch = Stopwatch.StartNew();
        decoder = new DeviceGroupDecoder(device, compiler);
        decoder.Prepare();
        return watch.Elapsed;
    }
}
