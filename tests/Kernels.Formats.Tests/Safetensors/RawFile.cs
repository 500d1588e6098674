using System.Buffers.Binary;
using System.Text;

namespace Kernels.Formats.Tests.Safetensors;

/// <summary>Safetensors files put together by hand, so that they can be wrong.</summary>
internal static class RawFile
{
    internal static byte[] Bytes(string header, int dataLength, long? headerLength = null) => Bytes(Encoding.UTF8.GetBytes(header), dataLength, headerLength);

    internal static byte[] Bytes(byte[] header, int dataLength, long? headerLength = null)
    {
        byte[] bytes = new byte[8 + header.Length + dataLength];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, headerLength ?? header.Length);
        header.CopyTo(bytes, 8);
        for (int i = 0; i < dataLength; i++)
            bytes[8 + header.Length + i] = (byte)i;
        return bytes;
    }
}
