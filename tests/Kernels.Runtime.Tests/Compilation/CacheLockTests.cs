namespace Kernels.Runtime.Tests.Compilation;

public sealed class CacheLockTests
{
    [Test]
    public void A_lock_that_somebody_has_is_waited_for()
    {
        using var folder = new TemporaryFolder();
        IDisposable? first = CacheLock.Acquire(folder["a.lock"]);
        int waits = 0;

        using IDisposable? second = CacheLock.Acquire(folder["a.lock"], () =>
        {
            if (++waits == 3)
                first!.Dispose();
        });

        Assert.That((second is not null, waits), Is.EqualTo((true, 3)));
    }

    [Test]
    public void A_file_that_cannot_be_made_is_not_waited_for()
    {
        using var folder = new TemporaryFolder();

        // A name that is too long is a plain IOException, as a full disk is.
        Assert.That(CacheLock.Acquire(folder[new string('x', 300)], () => Assert.Fail("waited")), Is.Null);
    }
}
