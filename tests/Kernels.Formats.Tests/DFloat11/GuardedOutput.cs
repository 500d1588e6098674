using Kernels.Formats.DFloat11;

namespace Kernels.Formats.Tests.DFloat11;

/// <summary>An output with guards on both sides, which no decoder may touch.</summary>
internal sealed class GuardedOutput(long length)
{
    private const int Guard = 256;
    private const ushort Mark = 0xA5C3;
    private readonly ushort[] _memory = [.. Enumerable.Repeat(Mark, (2 * Guard) + (int)length)];

    internal unsafe void Decode(DFloat11Group group, int threads)
    {
        try
        {
            fixed (ushort* pointer = _memory)
                DFloat11Decoder.Decode(group, pointer + Guard, length, Weights.Threads(threads));
        }
        finally
        {
            Assert.That(_memory.AsSpan(0, Guard).IndexOfAnyExcept(Mark), Is.EqualTo(-1), "bytes before the output");
            Assert.That(_memory.AsSpan(_memory.Length - Guard).IndexOfAnyExcept(Mark), Is.EqualTo(-1), "bytes behind the output");
        }
    }

    internal ushort[] Elements => _memory[Guard..^Guard];
}
