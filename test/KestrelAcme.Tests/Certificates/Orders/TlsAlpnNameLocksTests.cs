using KestrelAcme.Certificates.Orders;
using KestrelAcme.Challenges;
using KestrelAcme.Protocol.Challenges;
using KestrelAcme.Storage;
using KestrelAcme.Testing;
using Xunit;

namespace KestrelAcme.Tests.Certificates.Orders;

public sealed class TlsAlpnNameLocksTests
{
    private readonly InMemoryStorage _storage = new();

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Take_TwoOrdersShareTwoNames_OneAfterTheOther()
    {
        var one = SampleTurns.Create(_storage, TimeProvider.System);
        var two = SampleTurns.Create(_storage, TimeProvider.System);
        for (var i = 0; i < 20; i++)
        {
            var inside = 0;
            await Task.WhenAll(HaveAsync(one, "a.test", "b.test", "c.test"), HaveAsync(two, "c.test", "b.test", "d.test"));

            async Task HaveAsync(TlsAlpnNameLocks turns, params string[] names)
            {
                await using var turn = await turns.TakeAsync(
                    names.Select(n => Challenge("tls-alpn-01", n)), CancellationToken.None, Cancelled);
                Assert.Equal(1, Interlocked.Increment(ref inside));
                await Task.Yield();
                Interlocked.Decrement(ref inside);
            }
        }
    }

    [Fact]
    public async Task Take_GivenBack_IsToldThatItWasAwaited()
    {
        var turns = SampleTurns.Create(_storage, TimeProvider.System);
        var first = await turns.TakeAsync([Challenge("tls-alpn-01", "a.test")], CancellationToken.None, Cancelled);
        var second = turns.TakeAsync([Challenge("tls-alpn-01", "a.test")], CancellationToken.None, Cancelled);

        await first.DisposeAsync();

        Assert.False(first.WasAwaited);
        await using var turn = await second;
        Assert.True(turn.WasAwaited);
    }

    [Theory]
    [InlineData("http-01")]
    [InlineData("dns-01")]
    public async Task Take_OtherChallenges_WaitForNobody(string type)
    {
        var turns = SampleTurns.Create(_storage, TimeProvider.System);
        await using var first = await turns.TakeAsync([Challenge(type, "a.test")], CancellationToken.None, Cancelled);
        await using var second = await turns.TakeAsync([Challenge(type, "a.test")], CancellationToken.None, Cancelled);

        Assert.False(second.WasAwaited);
    }

    [Fact]
    public async Task Take_TheHostStops_EndsAndGivesBackWhatItHas()
    {
        var turns = SampleTurns.Create(_storage, TimeProvider.System);
        await using var first = await turns.TakeAsync([Challenge("tls-alpn-01", "b.test")], CancellationToken.None, Cancelled);
        using var stopping = new CancellationTokenSource();
        var second = turns.TakeAsync([Challenge("tls-alpn-01", "a.test"), Challenge("tls-alpn-01", "b.test")], stopping.Token, Cancelled);

        await stopping.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => second);
        await using var third = await turns.TakeAsync([Challenge("tls-alpn-01", "a.test")], CancellationToken.None, Cancelled);
        Assert.False(third.WasAwaited);
    }

    [Fact]
    public async Task Take_TheOtherOrderHangs_FailsHere()
    {
        var time = new FakeTimeProvider();
        var turns = SampleTurns.Create(_storage, time);
        await using var first = await turns.TakeAsync([Challenge("tls-alpn-01", "a.test")], CancellationToken.None, Cancelled);
        var second = turns.TakeAsync([Challenge("tls-alpn-01", "a.test")], CancellationToken.None, Cancelled);

        await Poll.UntilAsync(
            () =>
            {
                time.Advance(TimeSpan.FromSeconds(10));
                return second.IsCompleted;
            },
            "the wait to end",
            cancellationToken: Cancelled);

        Assert.Equal(ChallengeFault.Local, (await Assert.ThrowsAsync<ChallengeException>(() => second)).Fault);
    }

    private static OpenChallenge Challenge(string type, string name) => new(
        new Uri($"https://ca.test/authorization/{name}"),
        ChallengeStatus.Pending,
        new ChallengeContext
        {
            ChallengeType = type,
            IdentifierType = "dns",
            Identifier = name,
            Url = new Uri($"https://ca.test/challenge/{name}"),
            AccountUrl = new Uri("https://ca.test/account"),
            DirectoryUrl = new Uri("https://ca.test/directory"),
        },
        new GatedHandler());
}
