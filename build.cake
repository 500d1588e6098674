using System.Xml.Linq;

// Targets: demo, test, test-device, bench, nvrtc, ptx-pack, format. Called by build.sh, which checks the machine first.
var target = Argument("target", "demo");
var filter = Argument("filter", "*");
const string Configuration = "Release";
const string Model = "samples/models/tiny-blockffn";
var root = MakeAbsolute(Directory("."));
var results = root.Combine("artifacts/test-results");
var kernels = root.CombineWithFilePath("artifacts/bin/kernels");

// Runs a program, shows what it prints, and fails with its name and exit code.
void Run(string program, string arguments, bool quiet = false)
{
    var code = Start(program, arguments, quiet);
    if (code != 0) throw new CakeException($"{program} {arguments}: exit code {code}");
}

int Start(string program, string arguments, bool quiet = false)
{
    var settings = new ProcessSettings { Arguments = arguments, RedirectStandardOutput = quiet, RedirectStandardError = quiet };
    if (!quiet) return StartProcess(program, settings);
    var code = StartProcess(program, settings, out var output, out var errors);
    if (code != 0) foreach (var line in output.Concat(errors)) Console.WriteLine(line);
    return code;
}

// A program of this repository's own build: `name` is its project.
string Built(string project) => root.CombineWithFilePath($"artifacts/bin/{project}/{Configuration.ToLowerInvariant()}/{project}").FullPath;

void BuildNative(string target)
{
    if (!FileExists("artifacts/cmake/build.ninja")) Run("cmake", "-S . -B artifacts/cmake -G Ninja -DCMAKE_BUILD_TYPE=Release", quiet: true);
    Run("cmake", $"--build artifacts/cmake --target {target}", quiet: true);
}

Task("simulator").Description("artifacts/native/libkernels_simulator.so").Does(() => BuildNative("kernels_simulator"));

Task("native").Description("The simulator and its tests").Does(() => BuildNative("all"));

Task("nvrtc").Description("NVRTC from a toolkit or fetched; without it the packed PTX serves").Does(() =>
{
    // It says itself what is missing; the build goes on with the pack.
    Start("bash", "native/nvrtc.sh");
});

// `dotnet build` of an unchanged solution takes seconds; the tool alone is enough for demo.
void BuildDotnet(string project)
{
    Run("dotnet", $"build {project} -c {Configuration} -v quiet -clp:NoSummary -nologo", quiet: true);
    var tool = $"#!/bin/sh\nexec dotnet \"$(dirname \"$(readlink -f \"$0\")\")/Kernels.Cli/{Configuration.ToLowerInvariant()}/kernels.dll\" \"$@\"\n";
    if (!FileExists(kernels) || System.IO.File.ReadAllText(kernels.FullPath) != tool)
    {
        System.IO.File.WriteAllText(kernels.FullPath, tool);
        Run("chmod", $"+x {kernels}");
    }
}

Task("tool").IsDependentOn("simulator").Does(() => BuildDotnet("src/Kernels.Cli"));

Task("build").IsDependentOn("simulator").Does(() => BuildDotnet("Kernels.sln"));

Task("demo").Description("Compress the sample model, decode it on the device, compare all bits").IsDependentOn("nvrtc").IsDependentOn("tool")
    .Does(() => Run(kernels.FullPath, $"demo {Model}"));

Task("ptx-pack").Description("native/kernels.pack: PTX of every kernel in its default configurations").IsDependentOn("nvrtc").IsDependentOn("tool")
    .Does(() => Run(kernels.FullPath, "compile --pack native/kernels.pack"));

Task("bench").Description("BenchmarkDotNet; --filter=*Codec*").IsDependentOn("nvrtc").IsDependentOn("build")
    .Does(() => Run(Built("Kernels.Bench"), $"--filter {filter}"));

Task("format").Description("Fails where the formatting differs from .editorconfig or .clang-format").Does(() =>
{
    Run("dotnet", "format Kernels.sln --verify-no-changes --no-restore", quiet: true);
    var sources = GetFiles("native/**/*.{h,cpp,cu,cuh}");
    if (StartProcess("which", new ProcessSettings { Arguments = "clang-format", RedirectStandardOutput = true }, out _) != 0)
        Console.WriteLine("skipped: clang-format is not installed, so native sources were not looked at");
    else
        Run("clang-format", "--dry-run -Werror " + string.Join(" ", sources), quiet: true);
});

// ---- tests ------------------------------------------------------------------------------------------------------

var passed = 0;
var failed = 0;
var counted = false;
var skipped = new List<(string Test, string Reason)>();

void RunNUnit(string project)
{
    var report = results.CombineWithFilePath($"{project}.trx");
    if (FileExists(report)) DeleteFile(report);
    Console.WriteLine($"== {project}");
    var code = Start(Built(project), $"--results-directory {results} --report-trx --report-trx-filename {project}.trx --no-progress --output Normal", quiet: true);
    if (!FileExists(report)) { failed++; Console.WriteLine($"{project} left no report (exit code {code})"); return; }
    XNamespace ns = "http://microsoft.com/schemas/VisualStudio/TeamTest/2010";
    var outcomes = XDocument.Load(report.FullPath).Descendants(ns + "UnitTestResult").ToList();
    var broken = outcomes.Count(r => (string)r.Attribute("outcome") == "Failed");
    passed += outcomes.Count(r => (string)r.Attribute("outcome") == "Passed");
    failed += broken;
    foreach (var r in outcomes.Where(r => (string)r.Attribute("outcome") == "NotExecuted"))
        skipped.Add(($"{project}: {(string)r.Attribute("testName")}", r.Descendants(ns + "Message").FirstOrDefault()?.Value ?? r.Descendants(ns + "StdOut").FirstOrDefault()?.Value ?? "no reason given"));
    // A crash after the last report, or no test at all, is a failure too.
    if (broken == 0 && code != 0) { failed++; Console.WriteLine($"{project}: exit code {code}"); }
}

// ctest runs the simulator's test program several times, in different settings; GoogleTest's own lines say what each run did.
void RunCTest()
{
    Console.WriteLine("== native/simulator");
    var report = results.CombineWithFilePath("ctest.xml");
    if (FileExists(report)) DeleteFile(report);
    var code = Start("ctest", $"--test-dir artifacts/cmake --output-on-failure --test-output-size-passed 10000000 --test-output-size-failed 10000000 --output-junit {report}", quiet: true);
    if (!FileExists(report)) { failed++; Console.WriteLine($"ctest left no report (exit code {code})"); return; }
    foreach (var run in XDocument.Load(report.FullPath).Descendants("testcase"))
    {
        var name = (string)run.Attribute("name");
        var lines = ((string)run.Element("system-out") ?? "").Split('\n');
        var broken = lines.Count(l => l.StartsWith("[  FAILED  ]") && l.EndsWith("ms)"));
        passed += lines.Count(l => l.StartsWith("[       OK ]"));
        failed += broken;
        for (var i = 0; i < lines.Length; i++)
            if (lines[i].StartsWith("[  SKIPPED ]") && lines[i].EndsWith("ms)"))
                skipped.Add(($"{name}: {lines[i].Split(' ', StringSplitOptions.RemoveEmptyEntries)[3]}", lines[i - 1].Trim()));
        // A run without GoogleTest's lines, or one that crashed, counts as one.
        if ((string)run.Attribute("status") == "fail" && broken == 0) failed++;
        else if (!lines.Any(l => l.StartsWith("[       OK ]"))) passed++;
    }
}

void Summary()
{
    foreach (var group in skipped.GroupBy(s => s.Reason.Trim().Split('\n')[0]))
        Console.WriteLine($"skipped {group.Count()}: {group.Key}  ({string.Join(", ", group.Select(s => s.Test).Take(3))}{(group.Count() > 3 ? ", ..." : "")})");
    counted = true;
}

string[] DeviceTests = { "Kernels.Runtime.Tests", "Kernels.Lossless.Tests" };

Task("test").Description("Every suite; on a GPU where there is one, else on the simulator").IsDependentOn("nvrtc").IsDependentOn("native").IsDependentOn("build").Does(() =>
{
    EnsureDirectoryExists(results);
    RunCTest();
    foreach (var project in GetFiles("tests/*.Tests/*.csproj").OrderBy(f => f.FullPath)) RunNUnit(project.GetFilenameWithoutExtension().ToString());
    Summary();
});

Task("test-device").Description("The device tests alone, on the executor of KERNELS_DRIVER and the NVRTC of KERNELS_NVRTC").IsDependentOn("build").Does(() =>
{
    EnsureDirectoryExists(results);
    foreach (var project in DeviceTests) RunNUnit(project);
    Summary();
});

// The totals come after Cake's own report, so that they are the last line.
try
{
    RunTarget(target);
}
finally
{
    if (counted) Console.WriteLine($"{passed} passed, {failed} failed");
}
if (failed > 0) Environment.Exit(1);
