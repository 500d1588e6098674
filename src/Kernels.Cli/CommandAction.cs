using System.CommandLine;
using Kernels.Formats;
using Kernels.Native;
using Kernels.Runtime;

namespace Kernels.Cli;

/// <summary>Runs a command and turns its failures into one message on standard error and an exit code.</summary>
internal static class CommandAction
{
    public static void Runs(this Command command, Func<ParseResult, CancellationToken, int> run) =>
        command.SetAction((result, cancellation) => Task.FromResult(Guard(() => run(result, cancellation))));

    public static int Guard(Func<int> run)
    {
        try
        {
            return run();
        }
        catch (OperationCanceledException)
        {
            return Fail("Cancelled; no output file was left half written.", ExitCode.Cancelled);
        }
        catch (InvalidModelException e)
        {
            return Fail(e.Message, ExitCode.InvalidInput);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return Fail(e.Message, ExitCode.InvalidInput);
        }
        catch (Exception e) when (e is ArgumentException or FormatException)
        {
            return Fail(e.Message, ExitCode.Usage);
        }
        catch (Exception e) when (e is LibraryLoadException or KernelCompilationException or CudaOutOfMemoryException or NotSupportedException
            or IOException or UnauthorizedAccessException)
        {
            return Fail(e.Message, ExitCode.Environment);
        }
        catch (CudaException e)
        {
            return Fail(e.Message, ExitCode.DeviceError);
        }
    }

    private static int Fail(string message, int code)
    {
        Console.Error.WriteLine($"error: {message}");
        return code;
    }
}
