using Kernels.Formats.Safetensors;

namespace Kernels.Formats.Tests.Safetensors;

public sealed class SafetensorsFileTests
{
    private const string A = "\"a\":{\"dtype\":\"BF16\",\"shape\":[2,3],\"data_offsets\":[0,12]}";
    private const string B = "\"b\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[12,16]}";

    [Test]
    public void Valid_file_is_read_in_the_order_of_its_data()
    {
        using var folder = new TemporaryFolder();
        using var file = SafetensorsFile.Open(folder.Write("m.safetensors", RawFile.Bytes($"{{{B},{A},\"__metadata__\":{{\"format\":\"pt\"}}}}   ", 16)));
        Assert.Multiple(() =>
        {
            Assert.That(file.Tensors.Select(tensor => tensor.ToString()), Is.EqualTo(new[] { "a BF16 [2, 3]", "b U8 [4]" }));
            Assert.That(file.Tensors[1].Data.AsSpan().ToArray(), Is.EqualTo(new byte[] { 12, 13, 14, 15 }));
            Assert.That(file.Metadata["format"], Is.EqualTo("pt"));
            Assert.That(file.TryGetTensor("c", out _), Is.False);
        });
    }

    [Test]
    public void Scalars_and_empty_tensors_are_valid()
    {
        using var folder = new TemporaryFolder();
        const string header = "{\"s\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[0,4]},\"e\":{\"dtype\":\"F32\",\"shape\":[0,7],\"data_offsets\":[4,4]},\"z\":{\"dtype\":\"I64\",\"shape\":[0],\"data_offsets\":[0,0]}}";
        using var file = SafetensorsFile.Open(folder.Write("m.safetensors", RawFile.Bytes(header, 4)));
        Assert.That(file.Tensors.Select(tensor => (tensor.Name, tensor.ElementCount)), Is.EqualTo(new[] { ("z", 0L), ("s", 1L), ("e", 0L) }));
    }

    [TestCase("BF16", 2)]
    [TestCase("F16", 2)]
    [TestCase("F32", 4)]
    [TestCase("F64", 8)]
    [TestCase("F8_E4M3", 1)]
    [TestCase("F8_E5M2", 1)]
    [TestCase("F8_E8M0", 1)]
    [TestCase("I8", 1)]
    [TestCase("I16", 2)]
    [TestCase("I32", 4)]
    [TestCase("I64", 8)]
    [TestCase("U8", 1)]
    [TestCase("U16", 2)]
    [TestCase("U32", 4)]
    [TestCase("U64", 8)]
    [TestCase("BOOL", 1)]
    [TestCase("C64", 8)]
    public void Element_type_of_n_bytes_is_known(string dtype, int size)
    {
        using var folder = new TemporaryFolder();
        using var file = SafetensorsFile.Open(folder.Write("m.safetensors", RawFile.Bytes($"{{\"t\":{{\"dtype\":\"{dtype}\",\"shape\":[3],\"data_offsets\":[0,{3 * size}]}}}}", 3 * size)));
        Assert.That(file.Tensors[0].Dtype.Name(), Is.EqualTo(dtype));
        Assert.That(file.Tensors[0].Dtype.Size(), Is.EqualTo(size));
    }

    private static IEnumerable<TestCaseData> Invalid()
    {
        static TestCaseData Case(string name, byte[] bytes, params string[] words) => new TestCaseData(bytes, words).SetName($"Invalid_{name}");
        static string T(string dtype, string shape, string offsets) => $"{{\"t\":{{\"dtype\":\"{dtype}\",\"shape\":{shape},\"data_offsets\":{offsets}}}}}";
        yield return Case("empty_file", [], "0 bytes");
        yield return Case("seven_bytes", new byte[7], "7 bytes");
        yield return Case("header_beyond_the_file", RawFile.Bytes("{}", 0, headerLength: 3), "header length 3");
        yield return Case("header_above_the_limit", RawFile.Bytes("{}", 0, headerLength: 100_000_001), "100000001", "100000000");
        yield return Case("header_length_of_all_ones", RawFile.Bytes("{}", 0, headerLength: -1), "18446744073709551615");
        yield return Case("header_of_no_bytes", RawFile.Bytes("", 4), "'{'");
        yield return Case("header_that_is_an_array", RawFile.Bytes("[]", 0), "'{'");
        yield return Case("header_that_starts_with_space", RawFile.Bytes(" {}", 0), "'{'");
        yield return Case("header_cut_off", RawFile.Bytes("{\"a\":{\"dtype\":", 0), "JSON");
        yield return Case("header_with_text_behind", RawFile.Bytes("{} x", 0), "JSON");
        yield return Case("header_with_comment", RawFile.Bytes("{/**/}", 0), "JSON");
        yield return Case("header_of_deep_nesting", RawFile.Bytes("{\"a\":" + new string('[', 100_000), 0), "'a'", "no object");
        yield return Case("name_that_is_no_UTF8", RawFile.Bytes([.. "{\""u8, 0xFF, .. "\":{}}"u8], 0), "JSON");
        yield return Case("name_with_half_a_surrogate", RawFile.Bytes("{\"\\ud800\":{}}", 0), "JSON");
        yield return Case("duplicate_name", RawFile.Bytes($"{{{A},{A}}}", 12), "'a'", "twice");
        yield return Case("duplicate_name_written_differently", RawFile.Bytes($"{{{A},{A.Replace("\"a\"", "\"\\u0061\"")}}}", 12), "'a'", "twice");
        yield return Case("duplicate_metadata", RawFile.Bytes("{\"__metadata__\":{},\"__metadata__\":{}}", 0), "__metadata__", "twice");
        yield return Case("duplicate_metadata_key", RawFile.Bytes("{\"__metadata__\":{\"k\":\"1\",\"k\":\"2\"}}", 0), "'k'", "twice");
        yield return Case("metadata_that_is_no_string", RawFile.Bytes("{\"__metadata__\":{\"k\":1}}", 0), "'k'", "no string");
        yield return Case("metadata_that_is_no_object", RawFile.Bytes("{\"__metadata__\":\"x\"}", 0), "__metadata__");
        yield return Case("duplicate_field", RawFile.Bytes("{\"t\":{\"dtype\":\"U8\",\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}", 1), "'t'", "dtype", "twice");
        yield return Case("unknown_field", RawFile.Bytes("{\"t\":{\"dtype\":\"U8\",\"strides\":[1],\"shape\":[1],\"data_offsets\":[0,1]}}", 1), "'t'", "strides");
        yield return Case("missing_dtype", RawFile.Bytes("{\"t\":{\"shape\":[1],\"data_offsets\":[0,1]}}", 1), "'t'", "dtype", "missing");
        yield return Case("missing_shape", RawFile.Bytes("{\"t\":{\"dtype\":\"U8\",\"data_offsets\":[0,1]}}", 1), "'t'", "shape", "missing");
        yield return Case("missing_offsets", RawFile.Bytes("{\"t\":{\"dtype\":\"U8\",\"shape\":[1]}}", 1), "'t'", "data_offsets", "missing");
        yield return Case("entry_that_is_no_object", RawFile.Bytes("{\"t\":5}", 0), "'t'", "no object");
        yield return Case("unknown_element_type", RawFile.Bytes(T("F4", "[2]", "[0,1]"), 1), "'t'", "'F4'");
        yield return Case("negative_dimension", RawFile.Bytes(T("U8", "[-1]", "[0,1]"), 1), "'t'", "shape");
        yield return Case("fractional_dimension", RawFile.Bytes(T("U8", "[1.5]", "[0,1]"), 1), "'t'", "shape");
        yield return Case("shape_that_overflows", RawFile.Bytes(T("U8", "[4294967296,4294967296]", "[0,0]"), 0), "'t'", "2^63");
        yield return Case("shape_that_overflows_before_a_zero", RawFile.Bytes(T("U8", "[9223372036854775807,9223372036854775807,0]", "[0,0]"), 0), "'t'", "2^63");
        yield return Case("shape_of_65_dimensions", RawFile.Bytes(T("U8", $"[{string.Join(",", Enumerable.Repeat("1", 65))}]", "[0,1]"), 1), "'t'", "64");
        yield return Case("offset_above_64_bits", RawFile.Bytes(T("U8", "[1]", "[0,99999999999999999999]"), 1), "'t'", "data_offsets");
        yield return Case("one_offset", RawFile.Bytes(T("U8", "[1]", "[0]"), 1), "'t'", "1 entries");
        yield return Case("three_offsets", RawFile.Bytes(T("U8", "[1]", "[0,1,2]"), 1), "'t'", "more than 2");
        yield return Case("offsets_that_run_backwards", RawFile.Bytes(T("U8", "[1]", "[1,0]"), 1), "'t'", "[1, 0]");
        yield return Case("length_unlike_the_shape", RawFile.Bytes(T("BF16", "[3]", "[0,5]"), 5), "'t'", "5 bytes", "6");
        yield return Case("data_beyond_the_file", RawFile.Bytes(T("U8", "[9]", "[0,9]"), 8), "'t'", "[0, 9]", "8 bytes");
        yield return Case("hole", RawFile.Bytes($"{{{A},{B.Replace("[12,16]", "[13,17]")}}}", 17), "'b'", "13", "no tensor");
        yield return Case("hole_at_the_start", RawFile.Bytes(T("U8", "[1]", "[1,2]"), 2), "'t'", "no tensor");
        yield return Case("overlap", RawFile.Bytes($"{{{A},{B.Replace("[12,16]", "[11,15]")}}}", 15), "'b'", "'a'", "11");
        yield return Case("alias", RawFile.Bytes($"{{{A},{A.Replace("\"a\"", "\"b\"")}}}", 12), "'b'", "'a'");
        yield return Case("trailing_bytes", RawFile.Bytes($"{{{A}}}", 13), "12", "13");
    }

    [TestCaseSource(nameof(Invalid))]
    public void Invalid_file_is_refused_with_its_name_and_the_reason(byte[] bytes, string[] words)
    {
        using var folder = new TemporaryFolder();
        string path = folder.Write("m.safetensors", bytes);
        var exception = Assert.Throws<InvalidModelException>(() => SafetensorsFile.Open(path).Dispose());
        Assert.That(exception!.File, Is.EqualTo(path));
        foreach (string word in words)
            Assert.That(exception.Message, Does.Contain(word));
    }

    [Test]
    public void Tensor_larger_than_2_GiB_is_read_and_written_with_64_bit_views()
    {
        using var folder = new TemporaryFolder();
        const long length = (1L << 31) + 10;
        byte[] header = System.Text.Encoding.UTF8.GetBytes($"{{\"t\":{{\"dtype\":\"U8\",\"shape\":[{length}],\"data_offsets\":[0,{length}]}}}}");
        string path = folder.Write("big.safetensors", RawFile.Bytes(header, 0));
        using (var stream = new FileStream(path, FileMode.Open))
        {
            // A sparse file: only the last bytes take space.
            stream.Position = 8 + header.Length + length - 3;
            stream.Write([1, 2, 3]);
        }
        using var file = SafetensorsFile.Open(path);
        TensorView tensor = file.Tensors[0];
        Assert.Multiple(() =>
        {
            Assert.That(tensor.ByteLength, Is.EqualTo(length));
            Assert.That(tensor.Data.Span(length - 4, 4).ToArray(), Is.EqualTo(new byte[] { 0, 1, 2, 3 }));
            Assert.That(tensor.Data[length - 1], Is.EqualTo(3));
            Assert.That(() => tensor.Data.AsSpan(), Throws.InvalidOperationException);
            Assert.That(() => tensor.Data.Slice(length - 1, 2), Throws.InstanceOf<ArgumentOutOfRangeException>());
            Assert.That(() => tensor.Data[length], Throws.InstanceOf<ArgumentOutOfRangeException>());
        });
    }
}
