using System.Runtime.InteropServices;
using BenchmarkDotNet.Attributes;
using Kernels.Formats;
using Kernels.Formats.DFloat11;
using ZstdNet;

namespace Kernels.Bench;

/// <summary>
/// CPU codecs on the real weights of tiny-blockffn, one thread: DF11, and zstd level 1 on the planes that DF11 separates. The planes are
/// split before the measurement, so zstd is given that work; DF11 does it itself.
/// </summary>
[Config(typeof(CodecConfig))]
public unsafe class CodecBenchmarks : IDisposable
{
    private static readonly ParallelOptions OneThread = new() { MaxDegreeOfParallelism = 1 };

    private readonly List<DFloat11Group> _groups = [];
    private readonly List<(byte[] Plane, byte[] Compressed, int CompressedLength)> _planes = [];
    private readonly Compressor _compressor = new(new CompressionOptions(1));
    private readonly Decompressor _decompressor = new();
    private NativeBuffer? _output;

    /// <summary>Bytes of all DF11 fields.</summary>
    internal static long DFloat11Bytes()
    {
        long bytes = 0;
        foreach (var (name, matrices) in TinyBlockFfn.Groups)
        {
            using var group = DFloat11Encoder.Encode(name, matrices, OneThread);
            bytes += group.StoredBytes;
        }
        return bytes;
    }

    /// <summary>Bytes of all compressed planes.</summary>
    internal static long ZstdBytes()
    {
        using var benchmark = new CodecBenchmarks();
        benchmark.Setup();
        return benchmark._planes.Sum(plane => (long)plane.CompressedLength);
    }

    [GlobalSetup]
    public void Setup()
    {
        foreach (var (name, matrices) in TinyBlockFfn.Groups)
        {
            var group = DFloat11Encoder.Encode(name, matrices, OneThread);
            _groups.Add(group);
            var bits = new ushort[group.ElementCount];
            fixed (ushort* pointer = bits)
                DFloat11Decoder.Decode(group, pointer, bits.Length, OneThread);
            if (!MemoryMarshal.AsBytes<ushort>(bits).SequenceEqual([.. matrices.SelectMany(matrix => matrix.Data.AsSpan().ToArray())]))
                throw new InvalidOperationException($"DF11 does not give '{name}' back.");
            AddPlane(Array.ConvertAll(bits, element => (byte)(element >> 7)));
            AddPlane(group.SignMantissa.AsSpan().ToArray());
        }
        _output = new NativeBuffer(2 * _groups.Max(group => group.ElementCount));
    }

    [Benchmark]
    public long Encode_DF11()
    {
        long bytes = 0;
        foreach (var (name, matrices) in TinyBlockFfn.Groups)
        {
            using var group = DFloat11Encoder.Encode(name, matrices, OneThread);
            bytes += group.StoredBytes;
        }
        return bytes;
    }

    [Benchmark]
    public long Encode_Zstd1()
    {
        long bytes = 0;
        foreach (var (plane, compressed, _) in _planes)
            bytes += _compressor.Wrap(plane, compressed, 0);
        return bytes;
    }

    [Benchmark]
    public void Decode_DF11()
    {
        foreach (var group in _groups)
            DFloat11Decoder.Decode(group, (ushort*)_output!.Pointer, _output.Length / 2, OneThread);
    }

    [Benchmark]
    public int Decode_Zstd1()
    {
        int bytes = 0;
        var output = new Span<byte>(_output!.Pointer, (int)_output.Length);
        foreach (var (_, compressed, length) in _planes)
            bytes += _decompressor.Unwrap(compressed.AsSpan(0, length), output, bufferSizePrecheck: false);
        return bytes;
    }

    [GlobalCleanup]
    public void Dispose()
    {
        foreach (var group in _groups)
            group.Dispose();
        _output?.Dispose();
        _compressor.Dispose();
        _decompressor.Dispose();
        GC.SuppressFinalize(this);
    }

    private void AddPlane(byte[] plane)
    {
        byte[] compressed = new byte[Compressor.GetCompressBound(plane.Length)];
        int length = _compressor.Wrap(plane, compressed, 0);
        if (!_decompressor.Unwrap(compressed.AsSpan(0, length)).AsSpan().SequenceEqual(plane))
            throw new InvalidOperationException("zstd does not give the plane back.");
        _planes.Add((plane, compressed, length));
    }
}
