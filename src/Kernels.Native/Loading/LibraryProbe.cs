using System.Runtime.InteropServices;

namespace Kernels.Native;

/// <summary>Loads candidates one after the other and keeps the record of it.</summary>
internal sealed class LibraryProbe(string library)
{
    private readonly List<LoadAttempt> _attempts = [];

    public LoaderReport Report => new(library, _attempts.ToArray());

    /// <summary>Judges a loaded candidate: whether to take it, and why.</summary>
    public delegate bool Judge(nint handle, string candidate, out string reason);

    /// <summary>Loads a file or a name that the dynamic loader resolves; 0 when it is not to be used.</summary>
    public nint Try(string candidate, string origin, Judge judge)
    {
        bool isPath = candidate.AsSpan().IndexOfAny('/', '\\') >= 0;
        if (isPath && !File.Exists(candidate))
        {
            Note(candidate, origin, LoadOutcome.NotLoaded, "no such file");
            return 0;
        }

        nint handle;
        try
        {
            handle = NativeLibrary.Load(candidate);
        }
        catch (Exception error) when (error is DllNotFoundException or BadImageFormatException)
        {
            Note(candidate, origin, LoadOutcome.NotLoaded, isPath ? Brief(error) : "the dynamic loader does not find it");
            return 0;
        }

        bool taken = judge(handle, candidate, out string reason);
        Note(candidate, origin, taken ? LoadOutcome.Taken : LoadOutcome.Refused, reason);
        // A refused library stays loaded: drivers start threads at cuInit and do not survive being unloaded.
        return taken ? handle : 0;
    }

    public void Note(string candidate, string origin, LoadOutcome outcome, string reason) =>
        _attempts.Add(new LoadAttempt(candidate, origin, outcome, reason));

    // .NET repeats its whole search in the message; the dynamic loader's own words are the line that names the file.
    private static string Brief(Exception error) =>
        error.Message.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
            .FirstOrDefault(line => line.Contains(": ", StringComparison.Ordinal)) ?? error.Message;
}
