using Kernels.Native;
using NUnit.Framework;
using NUnit.Framework.Interfaces;

namespace Kernels.Testing;

/// <summary>Ignores the test, with the reason, where NVRTC is not there or hidden by <c>KERNELS_NVRTC=none</c>.</summary>
[AttributeUsage(AttributeTargets.Class | AttributeTargets.Method)]
public sealed class RequiresNvrtcAttribute : CategoryAttribute, ITestAction
{
    public RequiresNvrtcAttribute()
        : base("Nvrtc")
    {
    }

    public ActionTargets Targets => ActionTargets.Test;

    public void BeforeTest(ITest test)
    {
        if (!NvrtcLibrary.TryLoad())
            Assert.Ignore($"No NVRTC: {NvrtcLibrary.Report}");
    }

    public void AfterTest(ITest test)
    {
    }
}
