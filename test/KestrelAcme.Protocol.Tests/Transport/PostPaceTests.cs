using KestrelAcme.Protocol.Transport;
using KestrelAcme.Testing;
using Xunit;

namespace KestrelAcme.Protocol.Tests.Transport;

public sealed class PostPaceTests
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);
    private readonly FakeTimeProvider _time = new();
    private readonly PostPace _pace;

    public PostPaceTests() => _pace = new PostPace(Interval, _time);

    [Fact]
    public void Wait_TwoOrdersFailed_IsNone()
    {
        Fail(2);

        Assert.All(Enumerable.Range(0, 10), _ => Assert.True(Turn().IsCompleted));
    }

    [Fact]
    public void Wait_ThreeOrdersFailed_GivesOneTurnInAnInterval()
    {
        _ = Turn();
        Fail(3);

        Task[] turns = [.. Enumerable.Range(0, 5).Select(_ => Turn())];
        for (var i = 0; i <= turns.Length; i++)
        {
            Assert.Equal(i, turns.Count(t => t.IsCompleted));
            _time.Advance(Interval);
        }
    }

    [Fact]
    public void Wait_AnOrderSucceeded_IsNone()
    {
        _ = Turn();
        Fail(9);
        _pace.CountOrder(succeeded: true);

        Assert.True(Turn().IsCompleted);
        Assert.True(Turn().IsCompleted);
    }

    [Fact]
    public void Wait_LongAfterTheLast_IsNone()
    {
        _ = Turn();
        Fail(3);
        _time.Advance(TimeSpan.FromMinutes(1));

        Assert.True(Turn().IsCompleted);
        Assert.False(Turn().IsCompleted);
    }

    private Task Turn() => _pace.WaitAsync(TestContext.Current.CancellationToken);

    private void Fail(int times)
    {
        for (var i = 0; i < times; i++)
        {
            _pace.CountOrder(succeeded: false);
        }
    }
}
