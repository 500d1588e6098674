using System.CommandLine;
using Kernels.Formats;
using Kernels.Native;
using Kernels.Runtime;

namespace Kernels.Cli;

/// <summary>Runs a command and turns its failures into one message on standard error and an exit code.</summary>
internal static class CommandAction
{
    // On a thread of its own, so that Ctrl+C and SIGTERM reach the cancellation token while the command works.
    public static void Runs(this Command command, Func<ParseResult, CancellationToken, int> run) =>
        command.SetAction((result, cancellation) => Task.Run(() => Guard(() => run(result, cancellation)), CancellationToken.None));

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
        catch (AggregateException e) when (e.InnerExceptions.All(inner => inner is OperationCanceledException))
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
            or IOException or UnauthorizedAccessException or InvalidDataException or OutOfMemoryException)
        {
            return Fail(e.Message, ExitCode.Environment);
        }
        catch (CudaException e)
        {
            return Fail(e.Message, ExitCode.DeviceError);
        }
#pragma warning disable CA1031 // the last resort: one line and a code of its own instead of a crash
        catch (Exception e)
#pragma warning restore CA1031
        {
            return Fail($"{e.GetType().Name}: {e.Message} (this is a fault of the tool)", ExitCode.Internal);
        }
    }

    private static int Fail(string message, int code)
    {
        Console.Error.WriteLine($"error: {message}");
        return code;
    }
}
