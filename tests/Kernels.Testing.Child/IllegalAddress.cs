using Kernels.Runtime;

namespace Kernels.Testing.Child;

/// <summary>
/// Writes to an address that was never allocated. The error is sticky: the context of the process is lost, which is why this is no
/// test of its own.
/// </summary>
internal static class IllegalAddress
{
    public static int Run()
    {
        using Device device = Device.Open();
        using Stream stream = device.CreateStream();
        using KernelModule module = KernelCompiler.Default.Load(device, new KernelSource("wild.cu", """
            extern "C" __global__ void wild_store(int* p) { p[threadIdx.x] = 1; }
            """), null, "wild_store");
        Kernel kernel = module.GetKernel();
        try
        {
            kernel.Launch(stream, new LaunchConfig(2, 64), 0x100UL);
            stream.Synchronize();
            Console.WriteLine("nothing happened");
        }
        catch (CudaException error)
        {
            Console.WriteLine($"result {error.Result}");
            Console.WriteLine($"sticky {error.IsSticky}");
            Console.WriteLine($"message {error.Message}");
        }

        try
        {
            device.Synchronize();
        }
        catch (CudaException error)
        {
            Console.WriteLine($"device {error.Message}");
        }

        try
        {
            using DeviceBuffer<int> later = device.Allocate<int>(1);
            Console.WriteLine("later works");
        }
        catch (CudaException error)
        {
            Console.WriteLine($"later {error.Message}");
        }

        return 0;
    }
}
