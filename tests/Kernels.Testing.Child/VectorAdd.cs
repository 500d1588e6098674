using Kernels.Runtime;

namespace Kernels.Testing.Child;

/// <summary>Adds two vectors with the compiler that the environment describes, and says where the code came from.</summary>
public static class VectorAdd
{
    /// <summary>The kernel, which tests also put into packs.</summary>
    public static KernelDefinition Definition { get; } = new()
    {
        Name = "testing/vector_add",
        Source = new KernelSource("vector_add.cu", """
            template <typename T>
            __global__ void vector_add(const T* a, const T* b, T* sum, int n)
            {
              int i = blockIdx.x * blockDim.x + threadIdx.x;
              if (i < n) sum[i] = a[i] + b[i];
            }
            """),
        EntryPoints = ["vector_add<float>"],
    };

    /// <summary>Runs it.</summary>
    public static int Run()
    {
        using Device device = Device.Open();
        using Stream stream = device.CreateStream();
        using KernelModule module = KernelCompiler.Default.Load(device, Definition);
        float[] a = [.. Enumerable.Range(0, 100).Select(i => (float)i)];
        using DeviceBuffer<float> deviceA = device.Allocate<float>(a, stream);
        using DeviceBuffer<float> sum = device.Allocate<float>(a.Length);
        module.GetKernel().Launch(stream, LaunchConfig.Cover(a.Length, 32), deviceA.Span, deviceA.Span, sum.Span, a.Length);
        Console.WriteLine($"origin {module.Code!.Origin}");
        Console.WriteLine($"kind {module.Code.Kind}");
        Console.WriteLine($"compilations {KernelCompiler.Default.Compilations}");
        Console.WriteLine($"sum {sum.Span.ToArray(stream).Sum()}");
        return 0;
    }
}
