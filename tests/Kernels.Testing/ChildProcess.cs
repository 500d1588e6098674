using System.Diagnostics;

namespace Kernels.Testing;

/// <summary>Runs <c>Kernels.Testing.Child</c>, which lies beside the test program, with another environment.</summary>
public static class ChildProcess
{
    /// <summary>Starts a command of the child and waits for it.</summary>
    /// <param name="arguments">Command with its arguments.</param>
    /// <param name="environment">Variables to set, or with null to remove.</param>
    public static ChildResult Run(IEnumerable<string> arguments, params IEnumerable<(string Name, string? Value)> environment)
    {
        string file = Path.Combine(AppContext.BaseDirectory, OperatingSystem.IsWindows() ? "Kernels.Testing.Child.exe" : "Kernels.Testing.Child");
        var start = new ProcessStartInfo(file, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach ((string name, string? value) in environment)
        {
            if (value is null)
                start.Environment.Remove(name);
            else
                start.Environment[name] = value;
        }

        using Process process = Process.Start(start)!;
        Task<string> error = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return new ChildResult(process.ExitCode, output, error.GetAwaiter().GetResult());
    }
}

/// <summary>What a child process did.</summary>
/// <param name="ExitCode">Exit code.</param>
/// <param name="Output">Standard output.</param>
/// <param name="Error">Standard error.</param>
public sealed record ChildResult(int ExitCode, string Output, string Error)
{
    /// <summary>Rest of the output's line that begins with a word; fails the test where there is none.</summary>
    public string this[string word] => Output.Split('\n')
        .FirstOrDefault(line => line.StartsWith(word + " ", StringComparison.Ordinal))?[(word.Length + 1)..].TrimEnd('\r')
        ?? throw new NUnit.Framework.AssertionException($"The child printed no '{word}'. Exit code {ExitCode}, output:\n{Output}\n{Error}");
}
