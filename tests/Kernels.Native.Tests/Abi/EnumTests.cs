namespace Kernels.Native.Tests.Abi;

/// <summary>Every enum of cuda.h and nvrtc.h that is bound has all members with their values, and no others.</summary>
public sealed class EnumTests
{
    public static IEnumerable<Type> Enums => typeof(Driver).Assembly.GetExportedTypes()
        .Where(type => type.IsEnum && (type.Name.StartsWith("CU", StringComparison.Ordinal) || type.Name.StartsWith("nvrtc", StringComparison.Ordinal)))
        .Where(type => type != typeof(CUmemhostalloc_flags));

    [TestCaseSource(nameof(Enums))]
    public void An_enum_has_exactly_the_members_of_the_header(Type type)
    {
        var actual = Enum.GetNames(type).ToDictionary(name => name, name => (long)(int)Enum.Parse(type, name));
        Assert.That(actual, Is.EquivalentTo(CudaAbi.Enum(type.Name)));
    }

    [TestCaseSource(nameof(Enums))]
    public void An_enum_has_four_bytes(Type type) => Assert.That(Enum.GetUnderlyingType(type), Is.EqualTo(typeof(int)));

    [Test]
    public void All_enums_are_seen_here() => Assert.That(Enums.Count(), Is.GreaterThanOrEqualTo(35));

    /// <summary>These are macros of cuda.h, <c>CU_MEMHOSTALLOC_PORTABLE 0x01</c> and so on, which no debug information holds.</summary>
    [Test]
    public void Flags_of_cuMemHostAlloc_are_1_2_and_4() => Assert.That(
        Enum.GetValues<CUmemhostalloc_flags>().Select(flag => (int)flag), Is.EqualTo((int[])[1, 2, 4]));
}
