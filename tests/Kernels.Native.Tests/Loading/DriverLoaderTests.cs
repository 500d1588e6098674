namespace Kernels.Native.Tests.Loading;

/// <summary>Which driver is chosen. A process has one, so that each case is a child process.</summary>
public sealed class DriverLoaderTests
{
    /// <summary>NVIDIA's own driver library on a machine without a device.</summary>
    private const string DriverWithoutDevice = "artifacts/cuda-toolkit/usr/lib/x86_64-linux-gnu/nvidia/current/libcuda.so.1";

    [Test]
    [RequiresDevice]
    public void Given_a_path_then_that_library_is_taken()
    {
        ChildResult child = ChildProcess.Run(["driver"], ("KERNELS_DRIVER", DriverLibraryPath()));

        Assert.That(child.ExitCode, Is.Zero, child.Output);
        Assert.That((child["kind"], child["path"], child["init"]), Is.EqualTo(("Path", DriverLibraryPath(), "CUDA_SUCCESS")));
        Assert.That(child.Error, Is.Empty);
    }

    [Test]
    [RequiresDevice]
    public void Given_a_choice_through_the_API_then_it_goes_before_the_environment()
    {
        ChildResult child = ChildProcess.Run(["driver", DriverLibraryPath()], ("KERNELS_DRIVER", "/no/such/library.so"));

        Assert.That(child["path"], Is.EqualTo(DriverLibraryPath()));
        Assert.That(child.Output, Does.Contain("chosen through the API"));
    }

    [Test]
    [RequiresDevice]
    public void Given_no_choice_and_no_device_then_the_simulator_is_taken_and_one_line_says_so()
    {
        ChildResult child = ChildProcess.Run(["driver"], ("KERNELS_DRIVER", null), ("KERNELS_SIMULATOR", DriverLibraryPath()));

        if (child["kind"] == "Cuda")
            Assert.Ignore($"This machine has a CUDA device, which is taken: {child["path"]}");
        Assert.That((child["kind"], child["path"]), Is.EqualTo(("Simulator", DriverLibraryPath())));
        Assert.That(child.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries), Has.Length.EqualTo(1).And.One.Contains("simulator"));
    }

    [Test]
    [RequiresDevice]
    public void Given_simulator_then_nothing_is_said_on_standard_error()
    {
        ChildResult child = ChildProcess.Run(["driver"], ("KERNELS_DRIVER", "simulator"), ("KERNELS_SIMULATOR", DriverLibraryPath()));

        Assert.That(child["kind"], Is.EqualTo("Simulator"));
        Assert.That(child.Error, Is.Empty);
    }

    [Test]
    [RequiresDevice]
    public void Given_NVIDIAs_driver_without_a_device_then_it_is_refused_with_its_answer_and_the_simulator_taken()
    {
        string driver = RequireDriverWithoutDevice();

        ChildResult child = ChildProcess.Run(["driver"], ("KERNELS_DRIVER", null), ("KERNELS_SIMULATOR", DriverLibraryPath()),
            ("LD_LIBRARY_PATH", Path.GetDirectoryName(driver)));

        if (child["kind"] == "Cuda")
            Assert.Ignore($"This machine has a CUDA device, which is taken: {child["path"]}");
        Assert.That(child["kind"], Is.EqualTo("Simulator"));
        Assert.That(child.Output, Does.Match(@"refused: libcuda\.so\.1 .*CUDA_ERROR_NO_DEVICE"));
    }

    [Test]
    public void Given_NVIDIAs_driver_by_path_without_a_device_then_there_are_0_devices()
    {
        string driver = RequireDriverWithoutDevice();
        ChildResult loaded = ChildProcess.Run(["driver"], ("KERNELS_DRIVER", driver));
        if (loaded["init"] != "CUDA_ERROR_NO_DEVICE")
            Assert.Ignore($"This machine has a device or its driver answers otherwise: {loaded["init"]}");

        Assert.That(ChildProcess.Run(["devices"], ("KERNELS_DRIVER", driver))["devices"], Is.EqualTo("0"));
    }

    [Test]
    public void Given_a_path_that_is_not_there_then_the_error_names_it_and_says_what_to_do()
    {
        ChildResult child = ChildProcess.Run(["driver"], ("KERNELS_DRIVER", "/no/such/library.so"));

        Assert.That(child.ExitCode, Is.EqualTo(3));
        Assert.That(child.Output, Does.Contain("/no/such/library.so").And.Contain("no such file").And.Contain("KERNELS_DRIVER"));
    }

    [Test]
    [RequiresNvrtc]
    public void Given_a_library_that_is_no_driver_then_it_is_refused_with_the_reason()
    {
        ChildResult child = ChildProcess.Run(["driver"], ("KERNELS_DRIVER", NvrtcLibrary.Path));

        Assert.That(child.ExitCode, Is.EqualTo(3));
        Assert.That(child.Output, Does.Contain("refused").And.Contain("not a CUDA driver"));
    }

    [Test]
    public void Given_a_relative_path_then_folders_above_the_application_are_searched()
    {
        string resolved = SearchFolders.Resolve("tests/data/cuda-abi.json");

        Assert.That(Path.IsPathRooted(resolved));
        Assert.That(File.Exists(resolved), resolved);
    }

    [Test]
    [RequiresDevice]
    public void The_driver_cannot_be_changed_once_it_is_in_use()
    {
        DriverLibrary.Load();

        Assert.That(() => DriverLibrary.Choice = "cuda", Throws.InvalidOperationException.With.Message.Contains(DriverLibrary.Path!));
    }

    private static string DriverLibraryPath()
    {
        DriverLibrary.Load();
        return DriverLibrary.Path!;
    }

    private static string RequireDriverWithoutDevice()
    {
        string driver = Repository.Path(DriverWithoutDevice);
        if (!File.Exists(driver))
            Assert.Ignore($"NVIDIA's driver library was not fetched: {driver}");
        return driver;
    }
}
