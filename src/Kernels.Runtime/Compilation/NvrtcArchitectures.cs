using Kernels.Native;

namespace Kernels.Runtime;

/// <summary>The architectures that the NVRTC in use compiles for.</summary>
internal static unsafe class NvrtcArchitectures
{
    private static readonly Lazy<ComputeCapability[]> Known = new(Query);

    public static bool Contains(ComputeCapability architecture) => Known.Value.Contains(architecture);

    /// <summary>The newest that is not newer than a device; its PTX is what the device's driver can compile on from.</summary>
    public static ComputeCapability? NewestUpTo(ComputeCapability device) => Known.Value
        .Where(architecture => architecture <= device)
        .Select(architecture => (ComputeCapability?)architecture)
        .Max();

    private static ComputeCapability[] Query()
    {
        int count;
        nvrtcResult result = Nvrtc.nvrtcGetNumSupportedArchs(&count);
        int[] values = new int[result == nvrtcResult.NVRTC_SUCCESS ? count : 0];
        fixed (int* first = values)
        {
            if (result == nvrtcResult.NVRTC_SUCCESS && count > 0)
                result = Nvrtc.nvrtcGetSupportedArchs(first);
        }

        return result == nvrtcResult.NVRTC_SUCCESS
            ? Array.ConvertAll(values, ComputeCapability.FromValue)
            : throw new KernelCompilationException("NVRTC", $"nvrtcGetSupportedArchs failed with {result} ({(int)result}).");
    }
}
