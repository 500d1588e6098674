using System.Reflection;

namespace Kernels.Runtime;

/// <summary>Embedded resources by name or by their last parts.</summary>
internal static class EmbeddedText
{
    /// <summary>The text, or null where no resource has that name.</summary>
    /// <exception cref="FileNotFoundException">Several have.</exception>
    public static string? Find(Assembly assembly, string name)
    {
        string[] names = assembly.GetManifestResourceNames();
        string? exact = Array.Find(names, candidate => candidate == name);
        if (exact is null)
        {
            string[] ending = Array.FindAll(names, candidate => candidate.EndsWith("/" + name, StringComparison.Ordinal));
            if (ending.Length > 1)
                throw new FileNotFoundException(
                    $"'{name}' is ambiguous in {assembly.GetName().Name}: {string.Join(", ", ending)}.", name);
            exact = ending.FirstOrDefault();
        }

        if (exact is null)
            return null;
        using var reader = new StreamReader(assembly.GetManifestResourceStream(exact)!);
        // Line ends must not depend on how the repository was checked out: digests are made of the text.
        return reader.ReadToEnd().ReplaceLineEndings("\n");
    }
}
