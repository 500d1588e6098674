using Kernels.Native;
using Kernels.Runtime;
using Kernels.Testing.Child;

// Every command prints what the test looks at, a line each, and ends with 0. Errors of the library end with 3 and their message.
try
{
    switch (args)
    {
        case ["driver", .. string[] choice]:
            if (choice is [string chosen])
            {
                DriverLibrary.Choice = chosen;
                DriverLibrary.AnnounceSimulator = false;
            }

            DriverLibrary.Load();
            Console.WriteLine($"kind {DriverLibrary.Kind}");
            Console.WriteLine($"path {DriverLibrary.Path}");
            Console.WriteLine($"init {DriverLibrary.InitializationResult}");
            Console.WriteLine(DriverLibrary.Report);
            return 0;
        case ["nvrtc"]:
            Console.WriteLine($"found {NvrtcLibrary.TryLoad()}");
            Console.WriteLine(NvrtcLibrary.Report);
            return 0;
        case ["devices"]:
            Console.WriteLine($"devices {Device.Count}");
            return 0;
        case ["add"]:
            return VectorAdd.Run();
        case ["illegal-address"]:
            return IllegalAddress.Run();
        default:
            Console.Error.WriteLine($"unknown command: {string.Join(' ', args)}");
            return 2;
    }
}
catch (Exception error) when (error is LibraryLoadException or CudaException or KernelCompilationException)
{
    Console.WriteLine($"{error.GetType().Name}: {error.Message}");
    return 3;
}
