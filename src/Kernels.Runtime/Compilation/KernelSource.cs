using System.Collections.Frozen;
using System.Reflection;

namespace Kernels.Runtime;

/// <summary>CUDA C++ source text with the headers it includes. NVRTC reads no files: everything is given by name and text.</summary>
public sealed class KernelSource
{
    /// <summary>A source and its headers.</summary>
    /// <param name="name">Name in compiler messages and line information, such as <c>df11_decode.cu</c>.</param>
    /// <param name="text">Source text.</param>
    /// <param name="headers">Text of each header by the name it is included by.</param>
    public KernelSource(string name, string text, IEnumerable<KeyValuePair<string, string>>? headers = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        ArgumentNullException.ThrowIfNull(text);
        Name = name;
        Text = text;
        Headers = (headers ?? []).ToFrozenDictionary(StringComparer.Ordinal);
    }

    /// <summary>Name in compiler messages and line information.</summary>
    public string Name { get; }

    /// <summary>Source text.</summary>
    public string Text { get; }

    /// <summary>Text of each header by the name it is included by.</summary>
    public IReadOnlyDictionary<string, string> Headers { get; }

    /// <summary>
    /// Reads a source from the embedded resources of an assembly, and with it every header that it or its headers include between
    /// quotation marks, from the same assembly or the device headers of this one.
    /// </summary>
    /// <param name="assembly">Assembly that embeds the source.</param>
    /// <param name="name">Resource name, or its last part after a slash.</param>
    /// <exception cref="FileNotFoundException">The source or a header is embedded in neither assembly, or in several places.</exception>
    public static KernelSource FromResource(Assembly assembly, string name)
    {
        ArgumentNullException.ThrowIfNull(assembly);
        ArgumentException.ThrowIfNullOrEmpty(name);
        string text = EmbeddedText.Find(assembly, name)
            ?? throw new FileNotFoundException($"Kernel source '{name}' is not embedded in {assembly.GetName().Name}.", name);
        string shortName = name[(name.LastIndexOf('/') + 1)..];
        return new KernelSource(shortName, text, IncludeClosure.Collect(name, text, include =>
            EmbeddedText.Find(assembly, include) ?? EmbeddedText.Find(typeof(KernelSource).Assembly, include)));
    }

    /// <summary>Name of the source.</summary>
    public override string ToString() => Name;
}
