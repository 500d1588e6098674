using System.Diagnostics;
using Kernels.Formats;
using Kernels.Formats.DFloat11;
using Kernels.Lossless;
using Kernels.Runtime;
using Stream = Kernels.Runtime.Stream;

namespace Kernels.Cli;

/// <summary>Decodes groups on the device, one at a time, to host memory.</summary>
internal sealed unsafe class DeviceGroupDecoder : IDisposable
{
    private readonly Device _device;
    private readonly Stream _stream;
    private readonly DevicePool _pool;
    private readonly KernelCompiler _compiler;
    private readonly Dictionary<int, DFloat11DeviceDecoder> _decoders = [];

    public DeviceGroupDecoder(Device device, KernelCompiler compiler)
    {
        _device = device;
        _compiler = compiler;
        _stream = device.CreateStream();
        _pool = new DevicePool(device);
    }

    public DevicePoolStatistics Memory => _pool.Statistics;

    /// <summary>Time from the launch of the last decode to its end, without the copies.</summary>
    public TimeSpan LastDecodeTime { get; private set; }

    /// <summary>Makes the kernels ready for groups of the usual layout.</summary>
    public void Prepare() => DecoderFor(DFloat11Layout.Default.ThreadsPerBlock);

    /// <exception cref="InvalidModelException">A chunk is corrupt.</exception>
    public void Decode(DFloat11Group group, NativeBuffer output)
    {
        DFloat11DeviceDecoder decoder = DecoderFor(group.Layout.ThreadsPerBlock);
        using DFloat11DeviceGroup uploaded = DFloat11DeviceGroup.Upload(group, _pool, _stream);
        using DeviceBuffer<ushort> decoded = _pool.Allocate<ushort>(group.ElementCount, _stream);
        using DeviceBuffer<ulong> status = _pool.Allocate<ulong>(1, _stream);
        _stream.Synchronize();
        var watch = Stopwatch.StartNew();
        decoder.Decode(uploaded, decoded, status, _stream);
        _stream.Synchronize();
        LastDecodeTime = watch.Elapsed;
        DFloat11DeviceDecoder.ThrowIfCorrupt(group, status.Span.ToArray(_stream)[0]);
        decoded.Span.CopyToHost(output.Pointer, _stream);
    }

    public void Dispose()
    {
        foreach (DFloat11DeviceDecoder decoder in _decoders.Values)
            decoder.Dispose();
        _pool.Dispose();
        _stream.Dispose();
    }

    private DFloat11DeviceDecoder DecoderFor(int threadsPerBlock)
    {
        if (!_decoders.TryGetValue(threadsPerBlock, out DFloat11DeviceDecoder? decoder))
            _decoders.Add(threadsPerBlock, decoder = new DFloat11DeviceDecoder(_device, _compiler, threadsPerBlock));
        return decoder;
    }
}
