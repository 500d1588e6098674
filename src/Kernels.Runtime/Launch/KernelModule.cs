using System.Runtime.InteropServices;
using System.Text;
using Kernels.Native;

namespace Kernels.Runtime;

/// <summary>Loaded code. Kernels stay valid as long as it is not disposed.</summary>
public sealed unsafe class KernelModule : DeviceResource
{
    private const int LogBytes = 16 * 1024;

    private readonly bool _owned;

    private KernelModule(Device device, CUmodule handle, CompiledKernel? code, bool owned)
        : base(device)
    {
        Handle = handle;
        Code = code;
        _owned = owned;
    }

    /// <summary>Raw handle.</summary>
    public CUmodule Handle { get; }

    /// <summary>The code it was loaded from; null for a borrowed module.</summary>
    public CompiledKernel? Code { get; }

    /// <summary>A module of somebody else's, which is never unloaded here.</summary>
    public static KernelModule FromHandle(Device device, CUmodule handle) => new(device, handle, code: null, owned: false);

    /// <summary>Loads compiled code.</summary>
    /// <exception cref="CudaException">The driver refuses it; the message carries the log of the driver's compiler.</exception>
    public static KernelModule Load(Device device, CompiledKernel code)
    {
        ArgumentNullException.ThrowIfNull(code);
        CUresult result = TryLoad(device, code, out KernelModule? module, out string log);
        if (module is not null)
            return module;
        throw CudaException.Create(result, "cuModuleLoadDataEx", device.Ordinal,
            $"{code.Kind} of {code.SourceName} for {code.Architecture}{(log.Length == 0 ? "" : $"{Environment.NewLine}{log}")}");
    }

    /// <summary>A kernel by the name of its entry point or its name in the code.</summary>
    /// <exception cref="KeyNotFoundException">There is none of that name.</exception>
    public Kernel GetKernel(string name)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        ThrowIfDisposed();
        Device.MakeCurrent();
        string lowered = Lowered(name);
        CUfunction function;
        CUresult result;
        fixed (byte* text = Encoding.UTF8.GetBytes(lowered + '\0'))
            result = Driver.cuModuleGetFunction(&function, Handle, text);
        if (result == CUresult.CUDA_ERROR_NOT_FOUND)
            throw new KeyNotFoundException($"{Code?.SourceName ?? "The module"} has no kernel '{name}' ({lowered}). It has {Known()}.");
        if (result != CUresult.CUDA_SUCCESS)
            throw Error(result, "cuModuleGetFunction", $"name {lowered}");
        return new Kernel(this, name, function);
    }

    /// <summary>The only kernel of the module.</summary>
    /// <exception cref="InvalidOperationException">It was compiled for more entry points than one.</exception>
    public Kernel GetKernel() => Code?.LoweredNames.Count == 1
        ? GetKernel(Code.LoweredNames.Keys.Single())
        : throw new InvalidOperationException($"{Code?.SourceName ?? "The module"} has not just one kernel. It has {Known()}.");

    /// <summary>A global of the module, by the name of its entry point or its name in the code.</summary>
    /// <exception cref="KeyNotFoundException">There is none of that name.</exception>
    public DeviceSpan<byte> GetGlobal(string name)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        ThrowIfDisposed();
        Device.MakeCurrent();
        string lowered = Lowered(name);
        CUdeviceptr pointer;
        nuint bytes;
        CUresult result;
        fixed (byte* text = Encoding.UTF8.GetBytes(lowered + '\0'))
            result = Driver.cuModuleGetGlobal_v2(&pointer, &bytes, Handle, text);
        if (result == CUresult.CUDA_ERROR_NOT_FOUND)
            throw new KeyNotFoundException($"{Code?.SourceName ?? "The module"} has no global '{name}' ({lowered}).");
        if (result != CUresult.CUDA_SUCCESS)
            throw Error(result, "cuModuleGetGlobal_v2", $"name {lowered}");
        return new DeviceSpan<byte>(pointer, (long)bytes);
    }

    internal static CUresult TryLoad(Device device, CompiledKernel code, out KernelModule? module, out string log)
    {
        ArgumentNullException.ThrowIfNull(device);
        device.MakeCurrent();
        byte* errors = stackalloc byte[LogBytes];
        errors[0] = 0;
        CUjit_option* options = stackalloc CUjit_option[2]
        {
            CUjit_option.CU_JIT_ERROR_LOG_BUFFER, CUjit_option.CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES,
        };
        void** values = stackalloc void*[2] { errors, (void*)LogBytes };
        CUmodule handle;
        CUresult result;
        fixed (byte* image = code.ImageBytes)
            result = Driver.cuModuleLoadDataEx(&handle, image, 2, options, values);
        log = Marshal.PtrToStringUTF8((nint)errors) ?? "";
        module = result == CUresult.CUDA_SUCCESS ? new KernelModule(device, handle, code, owned: true) : null;
        return result;
    }

    internal void ThrowIfUnusable() => ThrowIfDisposed();

    private protected override ReleaseRecipe GetRecipe() =>
        _owned ? new ReleaseRecipe(ReleaseKind.Module, Handle.Value) : default;

    private string Lowered(string name) =>
        Code is not null && Code.LoweredNames.TryGetValue(name, out string? lowered) ? lowered : name;

    private string Known() => Code is null || Code.LoweredNames.Count == 0
        ? "no entry points that are known by name"
        : string.Join(", ", Code.LoweredNames.Keys.Select(known => $"'{known}'"));
}
