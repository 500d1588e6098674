using NUnit.Framework;
using NUnit.Framework.Interfaces;

namespace Kernels.Testing;

/// <summary>Ignores the test, with the reason, where there is no driver with a device (the simulator counts as one).</summary>
[AttributeUsage(AttributeTargets.Class | AttributeTargets.Method)]
public sealed class RequiresDeviceAttribute : CategoryAttribute, ITestAction
{
    public RequiresDeviceAttribute()
        : base("Device")
    {
    }

    public ActionTargets Targets => ActionTargets.Test;

    public void BeforeTest(ITest test)
    {
        if (TestDevice.WhyUnavailable.Length > 0)
            Assert.Ignore($"No device: {TestDevice.WhyUnavailable}");
    }

    public void AfterTest(ITest test)
    {
    }
}
