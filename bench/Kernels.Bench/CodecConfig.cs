using System.Globalization;
using BenchmarkDotNet.Columns;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Reports;
using BenchmarkDotNet.Running;

namespace Kernels.Bench;

/// <summary>A job of about a minute, and columns for throughput and size.</summary>
internal sealed class CodecConfig : ManualConfig
{
    public CodecConfig()
    {
        AddJob(Job.ShortRun.WithWarmupCount(3).WithIterationCount(7));
        ArtifactsPath = Path.Combine(AppContext.BaseDirectory, "results");
        AddColumn(new ThroughputColumn(), new BitsColumn());
    }

    private sealed class ThroughputColumn : CodecColumn
    {
        public override string ColumnName => "MB/s of BF16";

        public override string Legend => "BF16 bytes (10^6) a second of one thread, from the mean";

        public override string GetValue(Summary summary, BenchmarkCase benchmarkCase)
        {
            double? mean = summary[benchmarkCase]?.ResultStatistics?.Mean;
            return mean is null ? "?" : (TinyBlockFfn.Bf16Bytes / mean.Value * 1000).ToString("F0", CultureInfo.InvariantCulture);
        }
    }

    private sealed class BitsColumn : CodecColumn
    {
        public override string ColumnName => "bits a weight";

        public override string Legend => "Compressed bits a weight, all fields included";

        public override string GetValue(Summary summary, BenchmarkCase benchmarkCase)
        {
            bool isZstd = benchmarkCase.Descriptor.WorkloadMethod.Name.Contains("Zstd", StringComparison.Ordinal);
            long bytes = isZstd ? CodecBenchmarks.ZstdBytes() : CodecBenchmarks.DFloat11Bytes();
            return (bytes * 16.0 / TinyBlockFfn.Bf16Bytes).ToString("F3", CultureInfo.InvariantCulture);
        }
    }

    private abstract class CodecColumn : IColumn
    {
        public string Id => ColumnName;

        public abstract string ColumnName { get; }

        public abstract string Legend { get; }

        public bool AlwaysShow => true;

        public ColumnCategory Category => ColumnCategory.Custom;

        public int PriorityInCategory => 0;

        public bool IsNumeric => true;

        public UnitType UnitType => UnitType.Dimensionless;

        public abstract string GetValue(Summary summary, BenchmarkCase benchmarkCase);

        public string GetValue(Summary summary, BenchmarkCase benchmarkCase, SummaryStyle style) => GetValue(summary, benchmarkCase);

        public bool IsAvailable(Summary summary) => true;

        public bool IsDefault(Summary summary, BenchmarkCase benchmarkCase) => false;
    }
}
