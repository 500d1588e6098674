using System.CommandLine;
using Kernels.Cli.Commands;

namespace Kernels.Cli;

/// <summary>The <c>kernels</c> tool.</summary>
internal static class Program
{
    private static int Main(string[] args)
    {
        ParseResult result = CreateRoot().Parse(args);
        int code = result.Invoke(new InvocationConfiguration
        {
            EnableDefaultExceptionHandler = false,
            ProcessTerminationTimeout = TimeSpan.FromSeconds(10), // to stop at the next piece of work and delete what is half written
        });
        return result.Errors.Count > 0 ? ExitCode.Usage : code;
    }

    internal static RootCommand CreateRoot() => new("Compresses, decodes and checks the weights of language models, on a GPU or on the simulator.")
    {
        DemoCommand.Create(),
        CompressCommand.Create(),
        DecompressCommand.Create(),
        VerifyCommand.Create(),
        InspectCommand.Create(),
        CompileCommand.Create(),
        InfoCommand.Create(),
    };
}
