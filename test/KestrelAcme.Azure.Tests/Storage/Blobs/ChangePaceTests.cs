using KestrelAcme.Azure.Storage.Blobs;
using KestrelAcme.Testing;
using Xunit;

namespace KestrelAcme.Azure.Tests.Storage.Blobs;

/// <summary>How often an instance looks for changes of the others.</summary>
public sealed class ChangePaceTests
{
    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);

    private readonly FakeTimeProvider _time = new();
    private readonly ChangePace _pace;

    public ChangePaceTests() => _pace = new(Minute, _time);

    [Fact]
    public void Refused_OnceByAnOrder_EverySecondThenEveryThreeThenAtRest()
    {
        Assert.Equal(60, Seconds);
        Assert.True(_pace.Refused("orders/a"));
        Assert.Equal(1, Seconds);
        _time.Advance(TimeSpan.FromSeconds(10));
        Assert.Equal(3, Seconds);
        _time.Advance(TimeSpan.FromSeconds(109));
        Assert.Equal(3, Seconds);
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(60, Seconds);
    }

    [Fact]
    public void Refused_AgainAndAgain_DoesNotStayAtASecond()
    {
        _pace.Refused("orders/a");
        for (var second = 0; second < 300; second += 2)
        {
            _time.Advance(TimeSpan.FromSeconds(2));
            Assert.False(_pace.Refused("orders/a"));
        }

        Assert.Equal(3, Seconds);
    }

    [Theory]
    [InlineData("challenges/http-01/1f")]
    [InlineData("challenges/acks/1f")]
    [InlineData("certificates/a.pem")]
    [InlineData("domains/a.example")]
    public void OtherWrote_SomethingThatIsWaitedFor_EverySecondAgain(string key)
    {
        _pace.Refused("orders/a");
        _time.Advance(TimeSpan.FromSeconds(30));
        Assert.True(_pace.OtherWrote(key));
        Assert.Equal(1, Seconds);
    }

    [Theory]
    [InlineData("states/a.json")]
    [InlineData("replicas/1f")]
    [InlineData("housekeeping/unused.json")]
    [InlineData("revocation-lists/1f.json")]
    [InlineData("domain-sources/tenants.json")]
    [InlineData("on-demand/a.example")]
    public void AnyMember_WhatIsDoneAtRest_LooksAtRest(string key)
    {
        Assert.False(_pace.OtherWrote(key));
        Assert.False(_pace.Wrote(key));
        Assert.False(_pace.Refused("housekeeping"));
        Assert.Equal(60, Seconds);
    }

    [Fact]
    public void Wrote_ChallengeAndCertificate_WaitsForTheAcknowledgmentsOnly()
    {
        Assert.False(_pace.Wrote("certificates/a.pem"));
        Assert.True(_pace.Wrote("challenges/tls-alpn-01/1f"));
        Assert.Equal(1, Seconds);
    }

    [Fact]
    public void Refused_IntervalIsShorter_KeepsTheInterval()
    {
        var pace = new ChangePace(TimeSpan.FromMilliseconds(100), _time);
        Assert.False(pace.Refused("orders/a"));
        Assert.Equal(TimeSpan.FromMilliseconds(100), pace.Pause);
    }

    private double Seconds => _pace.Pause.TotalSeconds;
}
