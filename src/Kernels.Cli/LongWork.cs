using Kernels.Formats;
using Spectre.Console;

namespace Kernels.Cli;

/// <summary>Shows how far work on a model has come, on standard error and only where that is a terminal.</summary>
internal static class LongWork
{
    public static T Run<T>(string what, Func<IProgress<ModelProgress>, T> work)
    {
        if (Console.IsErrorRedirected)
            return work(new Silent());
        IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Error) });
        return console.Progress()
            .AutoClear(true)
            .Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn(), new TransferSpeedColumn(), new RemainingTimeColumn())
            .Start(context =>
            {
                ProgressTask task = context.AddTask(what, maxValue: 1);
                return work(new Bar(task));
            });
    }

    private sealed class Silent : IProgress<ModelProgress>
    {
        public void Report(ModelProgress value)
        {
        }
    }

    private sealed class Bar(ProgressTask task) : IProgress<ModelProgress>
    {
        public void Report(ModelProgress value)
        {
            task.MaxValue = Math.Max(value.Total, 1);
            task.Value = value.Done;
        }
    }
}
