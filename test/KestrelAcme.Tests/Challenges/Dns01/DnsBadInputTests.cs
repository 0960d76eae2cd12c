using System.Net;
using KestrelAcme.Challenges;
using KestrelAcme.Testing;
using KestrelAcme.Testing.Servers;
using KestrelAcme.Tests.Challenges.Dns01.Servers;
using Microsoft.Extensions.Logging;
using Xunit;

namespace KestrelAcme.Tests.Challenges.Dns01;

/// <summary>A bad name server among good ones, CNAMEs that lead nowhere, a zone without a provider.</summary>
public sealed class DnsBadInputTests
{
    private const byte NoError = 0;
    private const byte ServFail = 2;
    private const byte NxDomain = 3;
    private const byte Refused = 5;

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(ServFail, false, "responds with SERVFAIL")]
    [InlineData(Refused, false, "responds with REFUSED")]
    [InlineData(NoError, false, "without authority: the delegation to it is lame")]
    public async Task Wait_OneServerIsUnusable_IsReportedAndTolerated(byte code, bool authoritative, string expected)
    {
        using var bad = new FixedCodeServer(code, authoritative);
        await using var bind = await StartBindAsync();
        await using var app = Create(bind, bad.EndPoint);
        var challenge = DnsFixture.Challenge("example.test", "one");

        await app.Handler.PrepareAsync(challenge, Cancelled);
        await app.Handler.WaitUntilVisibleAsync(challenge, Cancelled);

        var warning = Assert.Single(app.Log.At(LogLevel.Warning)).Message;
        Assert.Contains(
            $"zone example.test is unusable, but others show the record: bad.example.test ({bad.EndPoint}): ",
            warning,
            StringComparison.Ordinal);
        Assert.Contains(expected, warning, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(NxDomain, true, "says that the name does not exist")]
    [InlineData(NoError, true, "shows no TXT record")]
    public async Task Wait_OneServerNeverShowsTheRecord_FailsAndNamesItAlone(byte code, bool authoritative, string expected)
    {
        using var bad = new FixedCodeServer(code, authoritative);
        await using var bind = await StartBindAsync();
        await using var app = Create(bind, bad.EndPoint, ("PropagationTimeout", "00:00:03"));
        var challenge = DnsFixture.Challenge("example.test", "one");
        await app.Handler.PrepareAsync(challenge, Cancelled);

        var exception = await Assert.ThrowsAsync<ChallengeException>(() => app.Handler.WaitUntilVisibleAsync(challenge, Cancelled));

        Assert.Equal(ChallengeFault.Name, exception.Fault);
        Assert.Contains(
            $"in zone example.test, created by RFC 2136 updates at {bind.Address}, "
            + $"was not visible everywhere within 00:00:03: bad.example.test ({bad.EndPoint}): {expected}.",
            exception.Message,
            StringComparison.Ordinal);
        Assert.InRange(bad.Questions, 3, 10);
    }

    [Fact]
    public async Task Wait_OneServerIsDead_IsReportedAndTolerated()
    {
        await using var bind = await StartBindAsync();
        await using var app = Create(bind, new IPEndPoint(IPAddress.Loopback, FreePort.TcpAndUdp()));
        var challenge = DnsFixture.Challenge("example.test", "one");

        await app.Handler.PrepareAsync(challenge, Cancelled);
        await app.Handler.WaitUntilVisibleAsync(challenge, Cancelled);

        Assert.Contains("bad.example.test", Assert.Single(app.Log.At(LogLevel.Warning)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Prepare_CnameLoop_ShowsTheLoop()
    {
        await using var bind = await BindServer.StartAsync(
            new BindOptions { Zones = [new BindZone("example.test", "_acme-challenge IN CNAME round", "round IN CNAME _acme-challenge")] },
            Cancelled);
        await using var app = new DnsFixture(BindSettings.For(bind), bind.Address.Port);

        var exception = await Assert.ThrowsAsync<ChallengeException>(
            () => app.Handler.PrepareAsync(DnsFixture.Challenge("example.test", "one"), Cancelled));

        Assert.Equal(ChallengeFault.Name, exception.Fault);
        Assert.Contains(
            "_acme-challenge.example.test -> round.example.test -> _acme-challenge.example.test",
            exception.Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task Prepare_NoProviderForTheZone_SaysWhatToAdd()
    {
        await using var bind = await BindServer.StartAsync(cancellationToken: Cancelled);
        await using var app = new DnsFixture(BindSettings.For(bind, ("Zones:0", "other.test")), bind.Address.Port);

        var exception = await Assert.ThrowsAsync<ChallengeException>(
            () => app.Handler.PrepareAsync(DnsFixture.Challenge("example.test", "one"), Cancelled));

        Assert.Equal(ChallengeFault.Operator, exception.Fault);
        Assert.Contains(
            "Add one to AcmeHttps:DnsProviders with \"Zones\": [\"example.test\"]; configured: Rfc2136 for other.test.",
            exception.Message,
            StringComparison.Ordinal);
    }

    private static Task<BindServer> StartBindAsync()
        => BindServer.StartAsync(
            new BindOptions { Zones = [new BindZone("example.test", "@ IN NS bad", "bad IN A 127.0.0.9")] }, Cancelled);

    private static DnsFixture Create(BindServer bind, IPEndPoint bad, params (string Key, string Value)[] more)
        => new(
            BindSettings.For(bind, more),
            bind.Address.Port,
            endPointOf: address => address.Equals(IPAddress.Parse("127.0.0.9")) ? bad : new IPEndPoint(address, bind.Address.Port));
}
