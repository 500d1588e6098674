using Kernels.Formats.DFloat11;
using Kernels.Runtime;
using Kernels.Testing;

namespace Kernels.Lossless.Tests;

/// <summary>One decode into an allocation of exactly the group's size, so that a checking executor sees a write beyond it.</summary>
internal static class DeviceDecode
{
    private static readonly Lazy<DFloat11DeviceDecoder> Small = new(() => new(TestDevice.Device, TestDevice.Compiler) { ForcedWindow = DFloat11Kernel.SmallWindow });
    private static readonly Lazy<DFloat11DeviceDecoder> Large = new(() => new(TestDevice.Device, TestDevice.Compiler) { ForcedWindow = DFloat11Kernel.LargeWindow });
    private static readonly Lazy<DevicePool> Pool = new(() => new DevicePool(TestDevice.Device));

    public static DFloat11DeviceDecoder Decoder(int window) => window == DFloat11Kernel.SmallWindow ? Small.Value : Large.Value;

    public static DevicePool SharedPool => Pool.Value;

    /// <summary>Decodes and checks the status.</summary>
    public static ushort[] Decode(DFloat11Group group, int window)
    {
        ushort[] bits = Decode(group, window, out ulong status);
        DFloat11DeviceDecoder.ThrowIfCorrupt(group, status);
        return bits;
    }

    public static ushort[] Decode(DFloat11Group group, int window, out ulong status)
    {
        Device device = TestDevice.Device;
        using Stream stream = device.CreateStream();
        using DFloat11DeviceGroup uploaded = DFloat11DeviceGroup.Upload(group, Pool.Value, stream);
        using DeviceBuffer<ushort> output = device.Allocate<ushort>(group.ElementCount);
        using DeviceBuffer<ulong> word = device.Allocate<ulong>(1);
        Decoder(window).Decode(uploaded, output, word, stream);
        status = word.Span.ToArray(stream)[0];
        return output.Span.ToArray(stream);
    }
}
