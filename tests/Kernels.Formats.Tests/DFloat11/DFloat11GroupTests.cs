using Kernels.Formats.DFloat11;

namespace Kernels.Formats.Tests.DFloat11;

/// <summary>What each field of a group may not be. The messages name group, field, index, value and limit.</summary>
public sealed class DFloat11GroupTests
{
    private readonly ushort[] _bits = Weights.Random(40_000, 1, Weights.Distribution(6));
    private DFloat11Group _valid = null!;
    private byte[] _stream = null!;
    private byte[] _signMantissa = null!;
    private byte[] _luts = null!;
    private byte[] _gaps = null!;
    private uint[] _positions = null!;
    private DFloat11Matrix[] _matrices = null!;

    [SetUp]
    public void Take_a_valid_group()
    {
        _valid = DFloat11Encoder.Encode("group", [Weights.Matrix("m", _bits)], Weights.Threads(1));
        _stream = _valid.EncodedExponent.AsSpan().ToArray();
        _signMantissa = _valid.SignMantissa.AsSpan().ToArray();
        _luts = _valid.Luts.ToArray();
        _gaps = _valid.Gaps.ToArray();
        _positions = _valid.OutputPositions.ToArray();
        _matrices = [new DFloat11Matrix("m", 0, _bits.Length)];
    }

    [TearDown]
    public void Free_it() => _valid.Dispose();

    [Test]
    public void Valid_fields_are_accepted()
    {
        Assert.That(_valid.BlockCount, Is.EqualTo(4), "the indices below rely on it");
        Assert.That(Weights.Decode(Build()), Is.EqualTo(_bits));
    }

    [Test]
    public void Output_positions_may_be_one_entry_short_where_no_code_starts_in_the_last_block()
    {
        // 1-bit codes fill 4096 bytes exactly; the last code has more bits and only ends in block 1.
        ushort[] bits = [.. Enumerable.Repeat((ushort)(120 << 7), 32_767), 121 << 7];
        using var group = DFloat11Encoder.Encode("group", [Weights.Matrix("m", bits)], Weights.Threads(1));
        Assert.That(group.BlockCount, Is.EqualTo(2));
        Assert.That(group.OutputPositions.ToArray(), Is.EqualTo(new uint[] { 0, 32_768, 32_768 }));
        var shorter = new DFloat11Group("group", group.Layout, group.EncodedExponent, group.SignMantissa, group.Luts, group.Gaps, group.OutputPositions[..^1], group.Matrices);
        Assert.That(shorter.OutputPositions.ToArray(), Is.EqualTo(group.OutputPositions.ToArray()), "the reader adds the entry");
        Assert.That(Weights.Decode(shorter), Is.EqualTo(bits));
        Assert.That(NaiveDecoder.Decode(shorter), Is.EqualTo(bits));
    }

    [Test]
    public void Gaps_may_be_read_one_byte_past_their_end()
    {
        Assert.That(_valid.PaddedGaps.Length, Is.EqualTo(_valid.Gaps.Length + DFloat11Group.GapPadding));
        Assert.That(_valid.Gap((_valid.BlockCount * 512) - 1), Is.Zero, "the last thread of the last block has no code");
    }

    [Test]
    public void Gaps_that_point_beyond_the_stream_are_refused()
    {
        // Cut so that one byte of the stream is left for its last thread.
        long last = (_stream.Length - 1) / 8;
        _stream = _stream[..(int)((8 * last) + 1)];
        SetGap(_gaps, last, 31);
        AssertRefused("gaps", $"entry {last} is 31", "8 bits");
    }

    [Test]
    public void Gap_that_is_not_where_a_threads_first_code_starts_is_refused_when_decoded()
    {
        long last = LastThread();
        Assert.That(last, Is.GreaterThan((3 * 512) + 2), "threads of all four blocks are changed");
        byte[] valid = [.. _gaps];
        foreach (long thread in new[] { 1, 2, 10, 11, 255, 510, 511, 513, 1000, 1023, 1025, 1535, 1537, last })
        {
            _gaps = [.. valid];
            int gap = _valid.Gap(thread);
            SetGap(_gaps, thread, gap ^ 1);
            AssertRefusedWhenDecoded("gaps", $"entry {thread} (thread {thread % 512} of block {thread / 512}) is {gap ^ 1}, but the first code that starts in the thread's bytes is at bit {gap}");
        }
    }

    [Test]
    public void Gaps_behind_the_last_code_are_not_looked_at()
    {
        long last = LastThread();
        Assert.That(last, Is.LessThan((4 * 512) - 1));
        for (long thread = last + 1; thread < 4 * 512; thread++)
            SetGap(_gaps, thread, 17);
        Assert.That(Weights.Decode(Build()), Is.EqualTo(_bits));
    }

    [Test]
    public void Block_without_elements_before_the_end_is_refused_when_decoded()
    {
        _positions[2] = _positions[1];
        AssertRefusedWhenDecoded("output_positions", "entries 1 and 2 give block 1 no elements");
    }

    [Test]
    public void Block_with_more_elements_than_codes_is_refused_when_decoded()
    {
        _positions[1] = 32_768;
        _positions[2] = 32_769;
        _positions[3] = Math.Max(_positions[3], 32_769);
        AssertRefusedWhenDecoded("encoded_exponent", "block 0 ends at element", "up to 32768");
    }

    [Test]
    public void Gaps_of_the_wrong_length_are_refused()
    {
        _gaps = _gaps[..^1];
        AssertRefused("gaps", $"{_gaps.Length} bytes", "1280");
    }

    [TestCase(256 * 2 + 1, "513 bytes")]
    [TestCase(256, "0 decode rows")]
    [TestCase(256 * 19, "18 decode rows")]
    public void Luts_of_a_wrong_length_are_refused(int length, string words)
    {
        Array.Resize(ref _luts, length);
        AssertRefused("luts", words);
    }

    [Test]
    public void Pointer_to_a_row_that_does_not_exist_is_refused()
    {
        _luts[17] = 240;
        AssertRefused("luts", "row 0, slot 17", "pointer 240", "row 16");
    }

    [Test]
    public void Pointer_to_a_row_of_lengths_is_refused()
    {
        _luts[17] = (byte)(256 - _valid.DecodeRowCount);
        AssertRefused("luts", "row 0, slot 17", $"row {_valid.DecodeRowCount}");
    }

    [Test]
    public void Pointers_in_a_circle_are_refused()
    {
        _luts = [.. _luts[..256], .. new byte[256], .. _luts[^256..]];
        _luts.AsSpan(0, 256).Fill(255);
        _luts.AsSpan(256, 256).Fill(255);
        AssertRefused("luts", "row 1, slot", "row 1, which is at level 1 and not 2");
    }

    [Test]
    public void Code_of_no_bits_is_refused()
    {
        _luts[3] = 200;
        AssertRefused("luts", "row 0, slot 3", "exponent 200", "length 0");
    }

    [Test]
    public void Code_lengths_of_no_prefix_code_are_refused()
    {
        _luts[^256] = 1;
        _luts[^255] = 1;
        AssertRefused("luts", "no prefix code");
        _luts.AsSpan(_luts.Length - 256).Clear();
        AssertRefused("luts", "no exponent has a code");
    }

    [TestCase(240, TestName = "Slots_of_the_end_code_may_point_to_a_row_that_does_not_exist")]
    [TestCase(255, TestName = "Slots_of_the_end_code_may_point_in_a_circle")]
    [TestCase(200, TestName = "Slots_of_the_end_code_may_hold_an_exponent_without_a_code")]
    public void Slots_of_the_end_code_are_mended(int value)
    {
        // In our tables the end code is all ones: the last slots of the last row.
        int end = 256 * _valid.DecodeRowCount;
        int longest = _luts[^256..].Max();
        int slots = 1 << ((8 * ((longest + 7) / 8)) - longest);
        _luts.AsSpan(end - slots, slots).Fill((byte)value);
        var group = Build();
        Assert.That(group.Luts[^256..][group.Luts[end - 1]], Is.GreaterThan(0), "an exponent with a code");
        Assert.That(Weights.Decode(group), Is.EqualTo(_bits));
        _luts[end - slots - 1] = (byte)value;
        AssertRefused("luts", $"row {_valid.DecodeRowCount - 1}, slot");
    }

    [Test]
    public void Code_of_33_bits_is_refused()
    {
        _luts[^1] = 33;
        AssertRefused("luts", "exponent 255", "33", "32");
    }

    [Test]
    public void Positions_that_do_not_start_at_0_are_refused()
    {
        _positions[0] = 1;
        AssertRefused("output_positions", "entry 0 is 1");
    }

    [Test]
    public void Positions_that_run_backwards_are_refused()
    {
        _positions[2] = _positions[1] - 1;
        AssertRefused("output_positions", "entry 2", $"{_positions[2]}", $"{_positions[1]}");
    }

    [Test]
    public void More_elements_in_a_block_than_it_has_bits_are_refused()
    {
        _positions[1] = 32_769;
        AssertRefused("output_positions", "block 0", "32769", "32768");
    }

    [Test]
    public void Last_position_that_is_not_the_number_of_elements_is_refused()
    {
        _positions[^1]--;
        AssertRefused("output_positions", "39999", "40000");
    }

    [TestCase(-2)]
    [TestCase(1)]
    public void Wrong_number_of_positions_is_refused(int more)
    {
        Array.Resize(ref _positions, _positions.Length + more);
        AssertRefused("output_positions", $"{_positions.Length} entries", "5");
    }

    [Test]
    public void Group_of_no_elements_is_refused()
    {
        _signMantissa = [];
        AssertRefused("sign_mantissa", "no elements");
    }

    [Test]
    public void Stream_of_fewer_bits_than_elements_is_refused()
    {
        _stream = _stream[..4999];
        AssertRefused("encoded_exponent", "4999 bytes", "40000 elements");
    }

    [Test]
    public void Matrices_that_do_not_cover_the_group_are_refused()
    {
        _matrices = [new DFloat11Matrix("m", 0, 39_999)];
        AssertRefused("split_positions", "39999", "40000");
        _matrices = [new DFloat11Matrix("m", 0, 40_001)];
        AssertRefused("split_positions", "40001", "40000");
        _matrices = [new DFloat11Matrix("m", 1, 39_999)];
        AssertRefused("split_positions", "starts at element 1");
        _matrices = [];
        AssertRefused("split_positions", "no matrices");
    }

    [Test]
    public void Stream_that_ends_early_is_found_by_the_decoder()
    {
        _stream = _stream[..^1];
        var group = Build();
        Assert.That(() => new GuardedOutput(group.ElementCount).Decode(group, 1), Throws.InstanceOf<InvalidModelException>().With.Message.Contains("group.encoded_exponent"));
    }

    [Test]
    public void Block_whose_codes_do_not_end_where_the_next_block_starts_is_found_by_the_decoder()
    {
        _positions[1]++;
        var group = Build();
        Assert.That(() => new GuardedOutput(group.ElementCount).Decode(group, 1), Throws.InstanceOf<InvalidModelException>().With.Message.Contains("block 0"));
    }

    [Test]
    public void Output_that_is_too_small_is_refused_before_anything_is_written()
    {
        var output = new GuardedOutput(39_999);
        Assert.That(() => output.Decode(_valid, 1), Throws.ArgumentException.With.Message.Contains("40000").And.Message.Contains("39999"));
    }

    [TestCase(24, 12)]
    [TestCase(1, 4)]
    [TestCase(3, 5)]
    [TestCase(7, 9)]
    [TestCase(1024, 64)]
    public void Other_divisions_among_threads_decode_too(int threadsPerBlock, int bytesPerThread)
    {
        // The stream is the same; only where its blocks and gaps are differs. Built here from code starts that the naive way finds.
        var layout = new DFloat11Layout(threadsPerBlock, bytesPerThread);
        long bitsPerThread = 8 * bytesPerThread;
        List<long> starts = [];
        long bit = 0;
        for (int i = 0; i < _bits.Length; i++)
        {
            starts.Add(bit);
            bit += _luts[_luts.Length - 256 + ((_bits[i] >> 7) & 255)];
        }
        long blocks = layout.BlockCount(_stream.Length);
        byte[] gaps = new byte[layout.GapBytes(blocks)];
        uint[] positions = new uint[blocks + 1];
        positions[blocks] = (uint)_bits.Length;
        long thread = -1;
        for (int i = 0; i < starts.Count; i++)
        {
            if (starts[i] / bitsPerThread == thread)
                continue;
            thread = starts[i] / bitsPerThread;
            SetGap(gaps, thread, (int)(starts[i] % bitsPerThread));
            if (thread % threadsPerBlock == 0)
                positions[thread / threadsPerBlock] = (uint)i;
        }
        var group = new DFloat11Group("group", layout, _valid.EncodedExponent, _valid.SignMantissa, _luts, gaps, positions, _matrices);
        Assert.That(Weights.Decode(group), Is.EqualTo(_bits));
        Assert.That(NaiveDecoder.Decode(group), Is.EqualTo(_bits));
        SetGap(gaps, thread / 2, group.Gap(thread / 2) ^ 1);
        var damaged = new DFloat11Group("group", layout, _valid.EncodedExponent, _valid.SignMantissa, _luts, gaps, positions, _matrices);
        Assert.That(() => Weights.Decode(damaged), Throws.InstanceOf<InvalidModelException>());
    }

    private DFloat11Group Build() => new("group", _valid.Layout, ByteRegion.CopyOf(_stream), ByteRegion.CopyOf(_signMantissa), _luts, _gaps, _positions, _matrices, "file");

    /// <summary>The last thread in whose bytes a code starts.</summary>
    private long LastThread()
    {
        long bits = 0;
        int length = 0;
        foreach (ushort element in _bits)
            bits += length = _luts[_luts.Length - 256 + ((element >> 7) & 255)];
        return (bits - length) / 64;
    }

    private void AssertRefusedWhenDecoded(string field, params string[] words)
    {
        var group = Build();
        var exception = Assert.Throws<InvalidModelException>(() => new GuardedOutput(group.ElementCount).Decode(group, 1));
        Assert.That(exception!.Message, Does.StartWith($"file: 'group.{field}'"));
        foreach (string word in words)
            Assert.That(exception.Message, Does.Contain(word));
    }

    private void AssertRefused(string field, params string[] words)
    {
        var exception = Assert.Throws<InvalidModelException>(() => Build());
        Assert.That(exception!.Message, Does.StartWith($"file: 'group.{field}'"));
        foreach (string word in words)
            Assert.That(exception.Message, Does.Contain(word));
    }

    private static void SetGap(byte[] gaps, long thread, int value)
    {
        for (int i = 0; i < 5; i++)
        {
            long bit = (5 * thread) + i;
            int mask = 0x80 >> (int)(bit & 7);
            gaps[bit / 8] = (byte)(((value >> (4 - i)) & 1) == 1 ? gaps[bit / 8] | mask : gaps[bit / 8] & ~mask);
        }
    }
}
