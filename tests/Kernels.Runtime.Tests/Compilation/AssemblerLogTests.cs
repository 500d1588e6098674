namespace Kernels.Runtime.Tests.Compilation;

public sealed class AssemblerLogTests
{
    [Test]
    public void Registers_shared_memory_stack_and_spills_are_read_for_each_kernel_and_not_for_its_functions()
    {
        const string Log = """
            ptxas info    : 0 bytes gmem, 4 bytes cmem[3]
            ptxas info    : Compiling entry function '_Z5firstv' for 'sm_80'
            ptxas info    : Function properties for _Z5firstv
                8 bytes stack frame, 12 bytes spill stores, 16 bytes spill loads
            ptxas info    : Function properties for _Z6helperv
                64 bytes stack frame, 99 bytes spill stores, 99 bytes spill loads
            ptxas info    : Used 255 registers, 1 barriers, 8 bytes cumulative stack size, 49152 bytes smem, 380 bytes cmem[0], 8 bytes cmem[2]
            ptxas info    : Compiling entry function 'second' for 'sm_80'
            ptxas info    : Function properties for second
                0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads
            ptxas info    : Used 10 registers, 356 bytes cmem[0]
            """;

        Assert.That(AssemblerLog.Parse(Log), Is.EqualTo((KernelResources[])
        [
            new("_Z5firstv", "sm_80", 255, 49152, 8, 12, 16, 388, 1),
            new("second", "sm_80", 10, 0, 0, 0, 0, 356, 0),
        ]));
    }

    [Test]
    public void A_log_without_a_report_has_no_kernels() =>
        Assert.That(AssemblerLog.Parse("a.cu(3): warning #177-D: variable \"x\" was declared but never referenced"), Is.Empty);
}
