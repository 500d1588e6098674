using System.CommandLine;
using System.Diagnostics;
using System.Text.Json.Nodes;
using Kernels.Runtime;
using Spectre.Console;

namespace Kernels.Cli.Commands;

/// <summary><c>kernels compile</c>: every kernel of the library through NVRTC, with what it needs of the device; or the pack.</summary>
internal static class CompileCommand
{
    public static Command Create()
    {
        var architectures = new Option<string[]>("--arch")
        {
            Description = "Architectures such as sm_90; several may follow. Default: sm_80 sm_86 sm_89 sm_90.",
            AllowMultipleArgumentsPerToken = true,
            DefaultValueFactory = _ => ["sm_80", "sm_86", "sm_89", "sm_90"],
        };
        var emit = new Option<string>("--emit") { Description = "Write the code: ptx or cubin." };
        emit.AcceptOnlyFromAmong("ptx", "cubin");
        var output = new Option<DirectoryInfo?>("--output", "-o") { Description = "Folder for the code." };
        var pack = new Option<FileInfo?>("--pack") { Description = "Write a pack instead: PTX for compute_80 of every kernel." };
        var json = JsonOutput.CreateOption();
        var command = new Command("compile", "Compile every kernel of the library; fails where one spills or uses local memory.") { architectures, emit, output, pack, json };
        command.Runs((result, cancellation) => result.GetValue(pack) is { } file
            ? WritePack(file)
            : Run([.. result.GetValue(architectures)!.Select(ComputeCapability.Parse)], result.GetValue(emit), result.GetValue(output), result.GetValue(json), cancellation));
        return command;
    }

    private static int WritePack(FileInfo file)
    {
        KernelPack pack = KernelPack.Create(KernelCompiler.Default, KernelCatalog.All);
        pack.Write(file.FullName);
        Console.WriteLine($"{file.FullName}: {pack.Entries.Count} kernels, {Figures.Bytes(new FileInfo(file.FullName).Length)}.");
        return ExitCode.Success;
    }

    private static int Run(ComputeCapability[] architectures, string? emit, DirectoryInfo? output, bool json, CancellationToken cancellation)
    {
        if (emit is not null && output is null)
            throw new ArgumentException("--emit needs a folder: -o DIR.");
        if (emit is null && output is not null)
            throw new ArgumentException("-o needs to know what to write: --emit ptx or --emit cubin.");
        ComputeCapability lowest = KernelCatalog.All.Min(definition => definition.MinimumArchitecture);
        foreach (ComputeCapability architecture in architectures)
        {
            if (architecture < lowest)
                throw new ArgumentException($"No kernel runs on {architecture.RealName}; the lowest architecture is {lowest.RealName}.");
        }

        output?.Create();
        var table = new Table().AddColumns("kernel", "arch", "registers", "shared", "local", "spill stores", "spill loads", "compiled");
        foreach (TableColumn column in table.Columns.Skip(2))
            column.RightAligned();
        var rows = new JsonArray();
        bool clean = true;
        foreach (KernelDefinition definition in KernelCatalog.All)
        {
            foreach (ComputeCapability architecture in architectures.Where(a => a >= definition.MinimumArchitecture))
            {
                cancellation.ThrowIfCancellationRequested();
                var watch = Stopwatch.StartNew();
                CompiledKernel cubin = KernelCompiler.Default.Compile(definition, architecture, CodeKind.Cubin);
                string compiled = cubin.Origin == CodeOrigin.Cache ? "cached" : Figures.Time(watch.Elapsed);
                foreach (KernelResources r in cubin.Resources)
                {
                    clean &= r is { StackBytes: 0, SpillLoadBytes: 0, SpillStoreBytes: 0 };
                    table.AddRow(Markup.Escape(definition.Name), architecture.RealName, $"{r.Registers}", $"{r.SharedBytes}", $"{r.StackBytes}", $"{r.SpillStoreBytes}", $"{r.SpillLoadBytes}", compiled);
                    rows.Add((JsonNode)new JsonObject
                    {
                        ["kernel"] = definition.Name,
                        ["entry"] = r.LoweredName,
                        ["architecture"] = architecture.RealName,
                        ["registers"] = r.Registers,
                        ["sharedBytes"] = r.SharedBytes,
                        ["localBytes"] = r.StackBytes,
                        ["spillStoreBytes"] = r.SpillStoreBytes,
                        ["spillLoadBytes"] = r.SpillLoadBytes,
                    });
                }

                if (emit is not null)
                    Write(definition, architecture, emit, output!, cubin);
            }
        }

        if (json)
            JsonOutput.Print(rows);
        else
            WideTable.Write(table);
        return clean ? ExitCode.Success : ExitCode.CheckFailed;
    }

    private static void Write(KernelDefinition definition, ComputeCapability architecture, string emit, DirectoryInfo output, CompiledKernel cubin)
    {
        CompiledKernel code = emit == "cubin" ? cubin : KernelCompiler.Default.Compile(definition, architecture, CodeKind.Ptx);
        ReadOnlySpan<byte> image = code.Image.Span;
        if (emit == "ptx")
            image = image.TrimEnd((byte)0);
        string name = string.Concat(definition.Name.Select(c => char.IsLetterOrDigit(c) || c == '_' ? c : '_')).Trim('_');
        File.WriteAllBytes(Path.Combine(output.FullName, $"{name}.{architecture.RealName}.{emit}"), image);
    }
}
