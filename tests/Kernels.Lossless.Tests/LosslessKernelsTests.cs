using Kernels.Runtime;
using Kernels.Testing;

namespace Kernels.Lossless.Tests;

public sealed class LosslessKernelsTests
{
    [Test]
    [RequiresNvrtc]
    public void Every_kernel_compiles_from_its_lowest_architecture_on_without_spills_or_local_memory(
        [Values("sm_80", "sm_86", "sm_89", "sm_90")] string architecture)
    {
        foreach (KernelDefinition definition in LosslessKernels.All)
        {
            CompiledKernel cubin = TestDevice.Compiler.Compile(definition, ComputeCapability.Parse(architecture), CodeKind.Cubin);
            Assert.That(cubin.Resources, Has.Length.EqualTo(definition.EntryPoints.Length), definition.Name);
            foreach (KernelResources resources in cubin.Resources)
            {
                TestContext.Out.WriteLine($"{definition.Name} {resources.Architecture}: {resources.Registers} registers, {resources.SharedBytes} bytes shared");
                Assert.Multiple(() =>
                {
                    Assert.That(resources.Registers, Is.GreaterThan(0), definition.Name);
                    Assert.That(resources.StackBytes, Is.Zero, definition.Name);
                    Assert.That(resources.SpillStoreBytes + resources.SpillLoadBytes, Is.Zero, definition.Name);
                });
            }
        }
    }

    [Test]
    public void The_pack_in_the_repository_holds_every_kernel_as_it_is_now()
    {
        KernelPack pack = KernelPack.Read(Bfloat16Groups.RepositoryPath("native/kernels.pack"));
        Assert.That(pack.Compare(LosslessKernels.All), Is.Empty, "run ./build.sh ptx-pack");
    }

    [Test]
    public void A_changed_source_makes_the_pack_stale()
    {
        KernelPack pack = KernelPack.Read(Bfloat16Groups.RepositoryPath("native/kernels.pack"));
        KernelDefinition changed = LosslessKernels.All[0];
        changed = changed with { Source = new KernelSource(changed.Source.Name, changed.Source.Text + "\n// changed", changed.Source.Headers) };
        Assert.That(pack.Compare([changed]).Single(d => d.Name == changed.Name).State, Is.EqualTo(PackState.Stale));
    }
}
