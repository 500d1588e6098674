using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text;
using Kernels.Native;

namespace Kernels.Runtime;

/// <summary>One compilation by NVRTC.</summary>
internal static unsafe class NvrtcProgram
{
    /// <summary>Compiles for a real architecture to a cubin, for a virtual one to PTX.</summary>
    public static CompiledKernel Compile(
        KernelSource source, CompileOptions options, ComputeCapability architecture, CodeKind kind, IReadOnlyList<string> entryPoints)
    {
        string[] arguments = Arguments(options, architecture, kind);
        using Activity? activity = RuntimeMetrics.Activities.StartActivity("compile");
        activity?.SetTag("source", source.Name).SetTag("architecture", architecture.RealName).SetTag("kind", kind);
        long started = Stopwatch.GetTimestamp();

        nvrtcProgram program = Create(source);
        try
        {
            foreach (string entryPoint in entryPoints)
            {
                fixed (byte* name = Zeroed(entryPoint))
                    Check(Nvrtc.nvrtcAddNameExpression(program, name), "nvrtcAddNameExpression", source, arguments, entryPoint);
            }

            nvrtcResult result;
            using (var list = new NativeStrings(arguments))
                result = Nvrtc.nvrtcCompileProgram(program, arguments.Length, list.Pointers);
            string log = ReadLog(program);
            if (result != nvrtcResult.NVRTC_SUCCESS)
            {
                throw new KernelCompilationException(source.Name,
                    $"nvrtcCompileProgram failed with {result} ({(int)result}) for {Name(architecture, kind)}.", log, arguments);
            }

            byte[] image = kind == CodeKind.Cubin ? ReadCubin(program, source, arguments) : ReadPtx(program, source, arguments);
            var names = new Dictionary<string, string>(StringComparer.Ordinal);
            foreach (string entryPoint in entryPoints)
                names[entryPoint] = LoweredName(program, source, arguments, entryPoint);
            TimeSpan elapsed = Stopwatch.GetElapsedTime(started);
            RuntimeMetrics.Compilations.Add(1);
            RuntimeMetrics.CompilationTime.Record(elapsed.TotalMilliseconds);
            return new CompiledKernel(source.Name, kind, architecture, image, names, log, CodeOrigin.Compiler, elapsed);
        }
        finally
        {
            _ = Nvrtc.nvrtcDestroyProgram(&program);
        }
    }

    private static string[] Arguments(CompileOptions options, ComputeCapability architecture, CodeKind kind) =>
    [
        $"--gpu-architecture={Name(architecture, kind)}",
        .. options.ToArguments(),
        .. kind == CodeKind.Cubin ? ["--ptxas-options=-v"] : (string[])[],
    ];

    private static string Name(ComputeCapability architecture, CodeKind kind) =>
        kind == CodeKind.Cubin ? architecture.RealName : architecture.VirtualName;

    private static nvrtcProgram Create(KernelSource source)
    {
        nvrtcProgram program;
        string[] names = [.. source.Headers.Keys];
        using var headerNames = new NativeStrings(names);
        using var headerTexts = new NativeStrings(Array.ConvertAll(names, name => source.Headers[name]));
        fixed (byte* text = Zeroed(source.Text), name = Zeroed(source.Name))
        {
            Check(Nvrtc.nvrtcCreateProgram(&program, text, name, names.Length, headerTexts.Pointers, headerNames.Pointers),
                "nvrtcCreateProgram", source, []);
        }

        return program;
    }

    private static string ReadLog(nvrtcProgram program)
    {
        nuint size;
        if (Nvrtc.nvrtcGetProgramLogSize(program, &size) != nvrtcResult.NVRTC_SUCCESS || size <= 1)
            return "";
        byte[] log = new byte[size];
        fixed (byte* text = log)
        {
            return Nvrtc.nvrtcGetProgramLog(program, text) == nvrtcResult.NVRTC_SUCCESS
                ? Encoding.UTF8.GetString(log, 0, (int)size - 1)
                : "";
        }
    }

    private static byte[] ReadCubin(nvrtcProgram program, KernelSource source, string[] arguments)
    {
        nuint size;
        Check(Nvrtc.nvrtcGetCUBINSize(program, &size), "nvrtcGetCUBINSize", source, arguments);
        byte[] image = new byte[size];
        fixed (byte* bytes = image)
            Check(Nvrtc.nvrtcGetCUBIN(program, bytes), "nvrtcGetCUBIN", source, arguments);
        return image;
    }

    private static byte[] ReadPtx(nvrtcProgram program, KernelSource source, string[] arguments)
    {
        nuint size;
        Check(Nvrtc.nvrtcGetPTXSize(program, &size), "nvrtcGetPTXSize", source, arguments);
        byte[] image = new byte[size];
        fixed (byte* bytes = image)
            Check(Nvrtc.nvrtcGetPTX(program, bytes), "nvrtcGetPTX", source, arguments);
        return WithoutCurrentFolder(image);
    }

    /// <summary>
    /// NVRTC puts the current folder before the names in line information, though no file is there. PTX is kept in packs and must be
    /// the same wherever it was made.
    /// </summary>
    private static byte[] WithoutCurrentFolder(byte[] ptx)
    {
        string folder = Path.TrimEndingDirectorySeparator(Environment.CurrentDirectory);
        string[] lines = Encoding.UTF8.GetString(ptx).Split('\n');
        for (int i = 0; i < lines.Length; i++)
        {
            if (lines[i].AsSpan().TrimStart().StartsWith(".file", StringComparison.Ordinal))
                lines[i] = lines[i].Replace($"\"{folder}/", "\"", StringComparison.Ordinal);
        }

        return Encoding.UTF8.GetBytes(string.Join('\n', lines));
    }

    private static string LoweredName(nvrtcProgram program, KernelSource source, string[] arguments, string entryPoint)
    {
        byte* lowered;
        fixed (byte* name = Zeroed(entryPoint))
            Check(Nvrtc.nvrtcGetLoweredName(program, name, &lowered), "nvrtcGetLoweredName", source, arguments, entryPoint);
        return Marshal.PtrToStringUTF8((nint)lowered)!;
    }

    private static void Check(nvrtcResult result, string call, KernelSource source, string[] arguments, string? entryPoint = null)
    {
        if (result == nvrtcResult.NVRTC_SUCCESS)
            return;
        string about = entryPoint is null ? "" : $" for entry point '{entryPoint}'";
        throw new KernelCompilationException(source.Name, $"{call} failed with {result} ({(int)result}){about}.", "", arguments);
    }

    private static byte[] Zeroed(string text)
    {
        byte[] bytes = new byte[Encoding.UTF8.GetByteCount(text) + 1];
        Encoding.UTF8.GetBytes(text, bytes);
        return bytes;
    }

    /// <summary>An array of zero-terminated strings in native memory.</summary>
    private readonly ref struct NativeStrings
    {
        private readonly int _count;

        public NativeStrings(string[] texts)
        {
            _count = texts.Length;
            Pointers = (byte**)NativeMemory.AllocZeroed((nuint)Math.Max(1, texts.Length), (nuint)sizeof(byte*));
            for (int i = 0; i < texts.Length; i++)
                Pointers[i] = (byte*)Marshal.StringToCoTaskMemUTF8(texts[i]);
        }

        public byte** Pointers { get; }

        public void Dispose()
        {
            for (int i = 0; i < _count; i++)
                Marshal.FreeCoTaskMem((nint)Pointers[i]);
            NativeMemory.Free(Pointers);
        }
    }
}
