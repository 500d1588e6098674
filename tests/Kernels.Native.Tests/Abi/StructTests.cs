using System.Reflection;
using System.Reflection.Emit;
using System.Runtime.CompilerServices;

namespace Kernels.Native.Tests.Abi;

/// <summary>Size, alignment and every field's offset and size of the structs of cuda.h, measured on the structs themselves.</summary>
public sealed class StructTests
{
    /// <summary>Parts of a union that cuda.h does not name, checked by the size of what holds them.</summary>
    private static readonly Type[] Unnamed = [typeof(CUlaunchAttributeValue), typeof(CUlaunchClusterDimension)];

    public static IEnumerable<Type> Structs => Exported.Where(type => !IsHandle(type) && !Unnamed.Contains(type));

    public static IEnumerable<Type> Handles => Exported.Where(IsHandle);

    private static IEnumerable<Type> Exported => typeof(Driver).Assembly.GetExportedTypes()
        .Where(type => type is { IsValueType: true, IsEnum: false, IsNested: false });

    [TestCaseSource(nameof(Structs))]
    public void A_struct_has_the_layout_of_the_header(Type type)
    {
        CStruct expected = CudaAbi.Struct(type.Name);
        FieldInfo[] fields = type.GetFields(BindingFlags.Public | BindingFlags.Instance);
        Assert.Multiple(() =>
        {
            Assert.That(SizeOf(type), Is.EqualTo(expected.Size), "size");
            Assert.That(AlignmentOf(type), Is.EqualTo(expected.Align), "alignment");
            Assert.That(fields.ToDictionary(field => field.Name.TrimEnd('_'), field => (OffsetOf(type, field), SizeOf(field.FieldType))),
                Is.EquivalentTo(expected.Fields.ToDictionary(field => field.Key.TrimEnd('_'), field => field.Value)), "fields");
        });
    }

    [TestCaseSource(nameof(Handles))]
    public void A_handle_is_as_large_as_the_integer_it_wraps(Type type)
    {
        Type value = type.GetProperty("Value")!.PropertyType;
        int expected = type == typeof(CUdevice) ? 4 : 8; // CUdevice is an int; CUdeviceptr 64 bits; the others are pointers
        Assert.That((SizeOf(type), SizeOf(value)), Is.EqualTo((expected, expected)));
    }

    [Test]
    public void A_launch_attribute_value_has_64_bytes_and_its_parts_begin_at_0()
    {
        Type type = typeof(CUlaunchAttributeValue);
        Assert.That(SizeOf(type), Is.EqualTo(64));
        Assert.That(type.GetFields().Select(field => OffsetOf(type, field)), Is.All.EqualTo(0));
    }

    [Test]
    public void All_structs_are_seen_here() => Assert.That((Structs.Count(), Handles.Count()), Is.EqualTo((13, 14)));

    private static bool IsHandle(Type type) => type.GetProperty("Value") is not null;

    private static int SizeOf(Type type)
    {
        if (type.IsPointer || type.IsFunctionPointer)
            return IntPtr.Size;
        return (int)typeof(Unsafe).GetMethod(nameof(Unsafe.SizeOf))!.MakeGenericMethod(type).Invoke(null, null)!;
    }

    private static int AlignmentOf(Type type) => SizeOf(typeof(AfterByte<>).MakeGenericType(type)) - SizeOf(type);

    /// <summary>Address of the field less that of the struct, as code compiled against it sees them.</summary>
    private static int OffsetOf(Type type, FieldInfo field)
    {
        var method = new DynamicMethod("OffsetOf", typeof(int), null, typeof(StructTests).Module, skipVisibility: true);
        ILGenerator il = method.GetILGenerator();
        LocalBuilder value = il.DeclareLocal(type);
        il.Emit(OpCodes.Ldloca, value);
        il.Emit(OpCodes.Ldflda, field);
        il.Emit(OpCodes.Conv_U);
        il.Emit(OpCodes.Ldloca, value);
        il.Emit(OpCodes.Conv_U);
        il.Emit(OpCodes.Sub);
        il.Emit(OpCodes.Conv_I4);
        il.Emit(OpCodes.Ret);
        return (int)method.Invoke(null, null)!;
    }

#pragma warning disable CS0649, IDE0051 // measured, never used
    private struct AfterByte<T>
        where T : unmanaged
    {
        public byte First;
        public T Second;
    }
#pragma warning restore CS0649, IDE0051
}
