namespace Kernels.Formats.DFloat11;

/// <summary>Decodes DF11 groups on the CPU, bit for bit.</summary>
/// <remarks>
/// Blocks are independent, because the gaps tell where the first code of a block starts and the output positions where its elements go.
/// So they are decoded in parallel, and each block's end is held against the start of the next one: a stream that does not fit its
/// positions is an error and not a wrong result.
/// </remarks>
public static unsafe class DFloat11Decoder
{
    private static readonly ParallelOptions AllCores = new();

    /// <summary>Decodes a whole group on all cores.</summary>
    /// <param name="group">The group.</param>
    /// <param name="output">BF16 bits of the group's elements; at least <see cref="DFloat11Group.ElementCount"/>. Nothing behind these is written.</param>
    /// <exception cref="InvalidModelException">The stream does not hold the codes that the positions promise.</exception>
    public static void Decode(DFloat11Group group, Span<ushort> output)
    {
        fixed (ushort* pointer = output)
            Decode(group, pointer, output.Length, AllCores);
    }

    /// <summary>Decodes a whole group.</summary>
    /// <param name="group">The group.</param>
    /// <param name="output">BF16 bits of the group's elements.</param>
    /// <param name="length">Elements that fit; at least <see cref="DFloat11Group.ElementCount"/>. Nothing behind these is written.</param>
    /// <param name="options">Number of threads, cancellation.</param>
    /// <exception cref="InvalidModelException">The stream does not hold the codes that the positions promise.</exception>
    /// <exception cref="OperationCanceledException">The work was cancelled; the output is incomplete.</exception>
    public static void Decode(DFloat11Group group, ushort* output, long length, ParallelOptions options)
    {
        ArgumentNullException.ThrowIfNull(group);
        ArgumentNullException.ThrowIfNull(output);
        ArgumentNullException.ThrowIfNull(options);
        if (length < group.ElementCount)
            throw new ArgumentException($"'{group.Name}' has {group.ElementCount} elements, but the output takes {length}.", nameof(length));
        var decoder = new ExponentBlockDecoder(group, output);
        // Two neighbouring blocks at a time: see DecodePair.
        long pairs = (group.BlockCount + 1) / 2;
        if (options.MaxDegreeOfParallelism == 1)
        {
            for (long pair = 0; pair < pairs; pair++)
            {
                options.CancellationToken.ThrowIfCancellationRequested();
                decoder.DecodePair(2 * pair);
            }
        }
        else
        {
            try
            {
                Parallel.For(0, pairs, options, pair => decoder.DecodePair(2 * pair));
            }
            catch (AggregateException e) when (e.InnerExceptions.OfType<InvalidModelException>().FirstOrDefault() is { } invalid)
            {
                throw invalid;
            }
        }
        group.EncodedExponent.KeepAlive();
        group.SignMantissa.KeepAlive();
    }
}
