namespace Kernels.Native.Tests.Loading;

/// <summary>Which NVRTC is chosen. A process has one, so that cases that load it are child processes.</summary>
public sealed class NvrtcLoaderTests
{
    [Test]
    public void Given_none_then_Nvrtc_is_hidden()
    {
        ChildResult child = ChildProcess.Run(["nvrtc"], ("KERNELS_NVRTC", "none"));

        Assert.That(child["found"], Is.EqualTo("False"));
        Assert.That(child.Output, Does.Contain("hidden"));
    }

    [Test]
    [RequiresNvrtc]
    public void Given_a_path_then_that_library_is_taken_with_its_version()
    {
        ChildResult child = ChildProcess.Run(["nvrtc"], ("KERNELS_NVRTC", NvrtcLibrary.Path));

        Assert.That(child["found"], Is.EqualTo("True"));
        Assert.That(child.Output, Does.Contain($"taken: {NvrtcLibrary.Path}").And.Contain($"version {NvrtcLibrary.Version}"));
    }

    [Test]
    [RequiresNvrtc]
    [RequiresDevice]
    public void Given_CUDA_PATH_then_its_library_folder_goes_first_and_the_builtins_are_found_beside_the_target_of_the_link()
    {
        if (!Path.IsPathRooted(NvrtcLibrary.Path))
            Assert.Ignore($"NVRTC was found by the dynamic loader, which does not tell where: {NvrtcLibrary.Path}");
        string toolkit = Directory.CreateTempSubdirectory("kernels-toolkit-").FullName;
        try
        {
            string folder = Directory.CreateDirectory(Path.Combine(toolkit, "lib64")).FullName;
            string link = Path.Combine(folder, $"libnvrtc.so.{NvrtcLibrary.Version!.Major}");
            File.CreateSymbolicLink(link, NvrtcLibrary.Path!);
            (string, string?)[] environment =
                [("CUDA_PATH", toolkit), ("KERNELS_NVRTC", null), ("KERNELS_CACHE", Path.Combine(toolkit, "cache"))];

            ChildResult report = ChildProcess.Run(["nvrtc"], environment);
            ChildResult compiled = ChildProcess.Run(["add"], environment);

            Assert.That(report.Output, Does.Contain($"taken: {link} (CUDA_PATH)"));
            Assert.That(compiled["sum"], Is.EqualTo("9900"));
        }
        finally
        {
            Directory.Delete(toolkit, recursive: true);
        }
    }

    [Test]
    public void Given_a_library_that_is_not_Nvrtc_then_it_is_refused_and_nothing_else_is_tried()
    {
        ChildResult child = ChildProcess.Run(["nvrtc"], ("KERNELS_NVRTC", "libc.so.6"));

        Assert.That(child["found"], Is.EqualTo("False"));
        Assert.That(child.Output, Does.Contain("refused: libc.so.6").And.Contain("not NVRTC"));
    }

    [TestCase(11, "libnvrtc.so.11.2")]
    [TestCase(12, "libnvrtc.so.12", "libnvrtc.so.11.2")]
    [TestCase(13, "libnvrtc.so.13", "libnvrtc.so.12", "libnvrtc.so.11.2")]
    [TestCase(14, "libnvrtc.so.14", "libnvrtc.so.13", "libnvrtc.so.12", "libnvrtc.so.11.2")]
    public void Given_the_drivers_major_version_then_no_newer_Nvrtc_is_asked_for(int driver, params string[] names)
    {
        if (!OperatingSystem.IsLinux())
            Assert.Ignore("The names are those of Linux.");
        IEnumerable<string> asked = NvrtcCandidates.All(driver).Where(candidate => candidate.Origin == "dynamic loader").Select(candidate => candidate.File);

        Assert.That(asked, Is.EqualTo(names));
    }
}
