using System.Text;

namespace Kernels.Formats.Tests;

/// <summary>Random damage to valid bytes: what transfers, disks and attackers do.</summary>
internal static class Mutation
{
    private static readonly byte[][] Tokens =
    [
        .. new[]
        {
            "-1", "0", "1", "7", "255", "4294967295", "4294967296", "9223372036854775807", "9223372036854775808", "18446744073709551615", "1e300", "1.5", "null", "true",
            "[", "]", "{", "}", "[]", "{}", "\"", ":", ",", "\\u0000", "\\ud800", "\\", "../", "/etc/passwd", "..", "dtype", "shape", "data_offsets", "BF16", "U8", "F64", "F4",
            "__metadata__", "weight_map", "version", "0.1.0", "9.9.9", "(a+)+$", "(?<=x)", "(((", "a{1000}{1000}",
        }.Select(Encoding.ASCII.GetBytes),
        [0], [255], [0xC3], [0xFF, 0xFE], [240], [254], [255, 255, 255, 255], [0, 0, 0, 0, 0, 0, 0, 128],
    ];

    internal static byte[] Apply(byte[] valid, Random random, int from = 0, int to = int.MaxValue)
    {
        byte[] bytes = [.. valid];
        for (int count = random.Next(1, 4); count > 0; count--)
        {
            int end = Math.Min(to, bytes.Length);
            if (end <= from)
                break;
            int at = random.Next(from, end);
            int length = Math.Min(end - at, 1 << random.Next(0, 7));
            switch (random.Next(9))
            {
                case 0:
                    bytes[at] ^= (byte)(1 << random.Next(8));
                    break;
                case 1:
                    bytes[at] = (byte)random.Next(256);
                    break;
                case 2:
                    bytes = [.. bytes[..at], .. bytes[(at + length)..]];
                    break;
                case 3:
                    bytes = [.. bytes[..(at + length)], .. bytes[at..]];
                    break;
                case 4:
                    bytes = bytes[..at];
                    break;
                case 5:
                    random.NextBytes(bytes.AsSpan(at, length));
                    break;
                case 6:
                    bytes.AsSpan(at, length).Fill((byte)(random.Next(3) switch { 0 => 0, 1 => 255, _ => random.Next(256) }));
                    break;
                case 7:
                    byte[] token = Tokens[random.Next(Tokens.Length)];
                    bytes = [.. bytes[..at], .. token, .. bytes[(random.Next(2) == 0 ? at : Math.Min(at + token.Length, bytes.Length))..]];
                    break;
                default:
                    byte[] over = Tokens[random.Next(Tokens.Length)];
                    over.AsSpan(0, Math.Min(over.Length, bytes.Length - at)).CopyTo(bytes.AsSpan(at));
                    break;
            }
        }
        return bytes;
    }
}
