using System.Reflection;
using System.Runtime.InteropServices;

namespace Kernels.Native.Tests.Abi;

/// <summary>Every P/Invoke against the prototypes and symbols of CUDA 12.4.</summary>
public sealed class BindingTests
{
    /// <summary>Exported and documented, and declared in a header (cudaProfiler.h) or in a form that the file leaves out.</summary>
    private static readonly Dictionary<string, string[]> DeclaredElsewhere = new()
    {
        ["cuProfilerStart"] = [],
        ["cuProfilerStop"] = [],
        ["nvrtcGetErrorString"] = ["nvrtcResult"],
    };

    private static readonly Dictionary<string, string> Types = new()
    {
        ["unsignedint"] = "UInt32",
        ["int"] = "Int32",
        ["size_t"] = "UIntPtr",
        ["unsignedlonglong"] = "UInt64",
        ["cuuint64_t"] = "UInt64",
        ["char"] = "Byte",
        ["unsignedchar"] = "Byte",
        ["unsignedshort"] = "UInt16",
        ["float"] = "Single",
        ["void"] = "Void",
        ["CUhostFn"] = "Void(Void*)",
        ["CUoccupancyB2DSize"] = "UIntPtr(Int32)",
    };

    public static IEnumerable<MethodInfo> DriverBindings => Bindings(typeof(Driver));

    public static IEnumerable<MethodInfo> NvrtcBindings => Bindings(typeof(Nvrtc));

    [TestCaseSource(nameof(DriverBindings))]
    public void A_driver_binding_has_the_symbol_and_the_parameters_of_cuda_h(MethodInfo binding) =>
        AssertMatches(binding, "libcuda", LibraryResolver.Driver, "CUresult");

    [TestCaseSource(nameof(NvrtcBindings))]
    public void An_Nvrtc_binding_has_the_symbol_and_the_parameters_of_nvrtc_h(MethodInfo binding) =>
        AssertMatches(binding, "libnvrtc", LibraryResolver.Nvrtc, binding.Name == "nvrtcGetErrorString" ? "Byte*" : "nvrtcResult");

    [Test]
    public void All_bindings_are_seen_here()
    {
        Assert.That(DriverBindings.Count(), Is.GreaterThanOrEqualTo(130));
        Assert.That(NvrtcBindings.Count(), Is.GreaterThanOrEqualTo(15));
    }

    [Test]
    [RequiresDevice]
    public void Every_bound_symbol_is_exported_by_the_driver_in_use()
    {
        nint library = DriverLibrary.Handle;
        Assert.That(DriverBindings.Select(binding => binding.Name).Where(name => !NativeLibrary.TryGetExport(library, name, out _)), Is.Empty);
    }

    [Test]
    [RequiresNvrtc]
    public void Every_bound_symbol_is_exported_by_the_Nvrtc_in_use()
    {
        nint library = NvrtcLibrary.Handle;
        Assert.That(NvrtcBindings.Select(binding => binding.Name).Where(name => !NativeLibrary.TryGetExport(library, name, out _)), Is.Empty);
    }

    private static IEnumerable<MethodInfo> Bindings(Type type) => type
        .GetMethods(BindingFlags.Public | BindingFlags.Static | BindingFlags.DeclaredOnly)
        .OrderBy(method => method.Name, StringComparer.Ordinal);

    private static void AssertMatches(MethodInfo binding, string library, string importName, string result)
    {
        DllImportAttribute import = binding.GetCustomAttribute<DllImportAttribute>()
            ?? throw new AssertionException($"{binding.Name} is marshalled: it is no direct import");
        ParameterInfo[] parameters = binding.GetParameters();
        string[] actual = [.. parameters.Select(parameter => NameOf(parameter.ParameterType))];
        Assert.Multiple(() =>
        {
            Assert.That(import.EntryPoint, Is.EqualTo(binding.Name));
            Assert.That(import.Value, Is.EqualTo(importName));
            Assert.That(CudaAbi.Symbols(library), Does.Contain(binding.Name).Or.Contain("nvrtcGetErrorString"));
            Assert.That(NameOf(binding.ReturnType), Is.EqualTo(result));
            if (CudaAbi.Prototype(binding.Name) is { } prototype)
            {
                Assert.That(actual, Is.EqualTo(prototype.Select(parameter => Translate(parameter.Type))));
                Assert.That(parameters.Select(parameter => parameter.Name), Is.EqualTo(prototype.Select(parameter => parameter.Name)));
            }
            else
            {
                Assert.That(DeclaredElsewhere, Does.ContainKey(binding.Name));
                Assert.That(actual, Is.EqualTo(DeclaredElsewhere[binding.Name]));
            }
        });
    }

    private static string Translate(string type)
    {
        string name = type.TrimEnd('*');
        return Types.GetValueOrDefault(name, name) + type[name.Length..];
    }

    private static string NameOf(Type type) =>
        type.IsPointer ? NameOf(type.GetElementType()!) + "*"
        : type.IsFunctionPointer
            ? $"{NameOf(type.GetFunctionPointerReturnType())}({string.Join(", ", type.GetFunctionPointerParameterTypes().Select(NameOf))})"
        : type.Name;
}
