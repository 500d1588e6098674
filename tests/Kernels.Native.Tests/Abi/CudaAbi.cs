using System.Text.Json;
using System.Text.RegularExpressions;

namespace Kernels.Native.Tests.Abi;

/// <summary>
/// The ABI of CUDA 12.4 as its headers and libraries have it: symbols, prototypes, enums, structs (<c>tests/data/cuda-abi.json</c>).
/// </summary>
internal static partial class CudaAbi
{
    /// <summary>Names under which cuda.h offers a versioned struct, as its typedefs do without further macros.</summary>
    private static readonly Dictionary<string, string> Aliases = new()
    {
        ["CUDA_MEMCPY2D"] = "CUDA_MEMCPY2D_v2",
        ["CUDA_MEMCPY3D"] = "CUDA_MEMCPY3D_v2",
        ["CUDA_KERNEL_NODE_PARAMS"] = "CUDA_KERNEL_NODE_PARAMS_v2",
        ["CUDA_MEMSET_NODE_PARAMS"] = "CUDA_MEMSET_NODE_PARAMS_v1",
        ["CUDA_HOST_NODE_PARAMS"] = "CUDA_HOST_NODE_PARAMS_v1",
        ["CUgraphExecUpdateResultInfo"] = "CUgraphExecUpdateResultInfo_v1",
        ["CUmemPoolProps"] = "CUmemPoolProps_v1",
        ["CUmemLocation"] = "CUmemLocation_v1",
        ["CUaccessPolicyWindow"] = "CUaccessPolicyWindow_v1",
    };

    private static readonly JsonElement Root = Load();

    public static HashSet<string> Symbols(string library) => Root.GetProperty("functions").EnumerateObject()
        .Single(entry => entry.Name.StartsWith(library, StringComparison.Ordinal)).Value
        .EnumerateArray().Select(symbol => symbol.GetString()!).ToHashSet();

    /// <summary>C parameters as (type without const, name); null where the headers' declaration is not in the file.</summary>
    public static (string Type, string Name)[]? Prototype(string function)
    {
        if (!Root.GetProperty("prototypes").TryGetProperty(function, out JsonElement prototype))
            return null;
        string text = prototype.GetString()!.Trim();
        return text == "void" ? [] : [.. text.Split(',').Select(Parameter)];
    }

    public static Dictionary<string, long> Enum(string name) => Root.GetProperty("enums").GetProperty(name).EnumerateObject()
        .ToDictionary(member => member.Name, member => member.Value.GetInt64());

    public static CStruct Struct(string name)
    {
        JsonElement found = Root.GetProperty("structs").GetProperty(Aliases.GetValueOrDefault(name, name));
        return new CStruct(found.GetProperty("size").GetInt32(), found.GetProperty("align").GetInt32(),
            found.GetProperty("fields").EnumerateObject().ToDictionary(
                field => field.Name,
                field => (field.Value.GetProperty("offset").GetInt32(), field.Value.GetProperty("size").GetInt32())));
    }

    private static (string Type, string Name) Parameter(string declaration)
    {
        Match match = Declaration().Match(Const().Replace(declaration, " ").Trim());
        Assert.That(match.Success, $"'{declaration}' is no parameter");
        return (Spaces().Replace(match.Groups[1].Value, ""), match.Groups[2].Value);
    }

    private static JsonElement Load() =>
        JsonDocument.Parse(File.ReadAllBytes(Path.Combine(AppContext.BaseDirectory, "cuda-abi.json"))).RootElement;

    [GeneratedRegex(@"^(.*?)(\w+)$")]
    private static partial Regex Declaration();

    [GeneratedRegex(@"\bconst\b")]
    private static partial Regex Const();

    [GeneratedRegex(@"\s+")]
    private static partial Regex Spaces();
}

/// <summary>Layout of a C struct.</summary>
internal sealed record CStruct(int Size, int Align, Dictionary<string, (int Offset, int Size)> Fields);
