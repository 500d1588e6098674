using System.Diagnostics;
using System.Text.Json.Nodes;

namespace Kernels.Cli.Tests;

/// <summary>Runs the built tool as a user does: a process, its exit code and what it prints.</summary>
internal static class KernelsTool
{
    public sealed record Result(int ExitCode, string Output, string Errors)
    {
        public JsonNode Json => JsonNode.Parse(Output)!;
    }

    public static Result Run(params string[] arguments) => Run([], arguments);

    public static Result Run((string Name, string Value)[] environment, params string[] arguments)
    {
        using Process process = Start(environment, arguments);
        Task<string> errors = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return new Result(process.ExitCode, output, errors.Result);
    }

    public static Process Start(params string[] arguments) => Start([], arguments);

    private static Process Start((string Name, string Value)[] environment, string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet") { RedirectStandardOutput = true, RedirectStandardError = true };
        start.ArgumentList.Add(Path.Combine(AppContext.BaseDirectory, "kernels.dll"));
        foreach (string argument in arguments)
            start.ArgumentList.Add(argument);
        foreach ((string name, string value) in environment)
            start.Environment[name] = value;
        return Process.Start(start)!;
    }

    /// <summary>A file or folder of the repository, from wherever the tests run.</summary>
    public static string RepositoryPath(string relative)
    {
        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Kernels.sln")))
                return Path.Combine(folder.FullName, relative);
        }

        throw new DirectoryNotFoundException("No folder above the tests holds Kernels.sln.");
    }
}
