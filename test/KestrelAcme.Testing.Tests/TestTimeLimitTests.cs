using System.Reflection;
using Xunit;

namespace KestrelAcme.Testing.Tests;

public sealed class TestTimeLimitTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public void Start_TestRunsTooLong_CancelsIt()
    {
        var time = new FakeTimeProvider();
        using var timer = TestTimeLimitAttribute.Start(TestContext.Current, time);

        time.Advance(TestTimeLimitAttribute.Limit - TimeSpan.FromTicks(1));
        Assert.False(Token.IsCancellationRequested);
        time.Advance(TimeSpan.FromTicks(1));
        Assert.True(Token.IsCancellationRequested);
    }

    [Fact]
    public void Assembly_OfTests_HasTheLimit()
        => Assert.NotNull(typeof(TestTimeLimitTests).Assembly.GetCustomAttribute<TestTimeLimitAttribute>());
}
