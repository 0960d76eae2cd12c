using KestrelAcme.Challenges;
using KestrelAcme.Challenges.Dns01;
using KestrelAcme.Hosting;
using KestrelAcme.Testing;
using KestrelAcme.Testing.Servers;
using Microsoft.Extensions.Logging;
using Xunit;

namespace KestrelAcme.Tests.Challenges.Dns01;

/// <summary>Resolvers that do not respond for a name but respond for the names above it.</summary>
public sealed class DnsUnansweredTests
{
    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Flow_ResolverFailsForTheCnameOnly_GoesThrough()
    {
        await using var server = new HostileDnsServer(DnsHostility.FailsForCname);
        await using var app = App(server, new RecordingProvider(record => server.Texts.GetOrAdd(record.Name, _ => []).Add(record.Value)));
        var challenge = DnsFixture.Challenge("example.test", "one");

        await app.Handler.PrepareAsync(challenge, Cancelled);
        await app.Handler.WaitUntilVisibleAsync(challenge, Cancelled);

        var warning = Assert.Single(app.Log.At(LogLevel.Warning)).Message;
        Assert.Contains("_acme-challenge.example.test CNAME", warning, StringComparison.Ordinal);
        Assert.Contains("SERVFAIL", warning, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Prepare_BindRefusesALabel_TakesTheZoneAbove()
    {
        var zones = new[] { new BindZone("sub.example.test") { Statements = "allow-query { none; };" }, new BindZone("example.test") };
        await using var bind = await BindServer.StartAsync(new BindOptions { Zones = zones }, Cancelled);
        var provider = new RecordingProvider();
        await using var app = new DnsFixture(
            new Dictionary<string, string?>(), bind.Address.Port, acme: acme => acme.AddDnsProvider("Recording", _ => provider));

        await app.Handler.PrepareAsync(DnsFixture.Challenge("sub.example.test", "one"), Cancelled);

        var record = Assert.Single(provider.Created);
        Assert.Equal(("example.test", "_acme-challenge.sub.example.test"), (record.Zone, record.Name));
        Assert.Contains("answered REFUSED", Assert.Single(app.Log.At(LogLevel.Warning)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(DnsProviderFault.ZoneNotFound)]
    [InlineData(DnsProviderFault.Refused)]
    public async Task Prepare_ZoneIsUncertainAndTheProviderDoesNotHaveIt_Passes(DnsProviderFault fault)
    {
        await using var server = new HostileDnsServer(DnsHostility.FailsForCname);
        await using var app = App(server, new RecordingProvider(_ => throw new DnsProviderException(fault, "No.")));

        var exception = await Assert.ThrowsAsync<ChallengeException>(
            () => app.Handler.PrepareAsync(DnsFixture.Challenge("example.test", "one"), Cancelled));

        Assert.Equal(ChallengeFault.Local, exception.Fault);
        Assert.Contains(
            "No. The resolvers do not respond for _acme-challenge.example.test CNAME", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Wait_DelegationIsLame_FailsEarlyWithTheReason()
    {
        var time = new FakeTimeProvider(TimeProvider.System.GetUtcNow());
        await using var bind = await BindServer.StartAsync(
            new BindOptions { Zones = [new BindZone("example.test", "lame IN NS ns1")] }, Cancelled);
        await using var app = new DnsFixture(
            new Dictionary<string,
            string?>(),
            bind.Address.Port,
            acme: acme => acme.AddDnsProvider("Recording", _ => new RecordingProvider()),
            time: time);
        var challenge = DnsFixture.Challenge("lame.example.test", "one");

        var waiting = RunAsync();
        var exception = await Assert.ThrowsAsync<ChallengeException>(
            () => time.RunUntilCompleteAsync(waiting, TimeSpan.FromMinutes(2), TimeSpan.FromMilliseconds(100), Cancelled));

        Assert.Equal(ChallengeFault.Local, exception.Fault);
        Assert.Contains(
            "The resolvers do not respond for _acme-challenge.lame.example.test CNAME", exception.Message, StringComparison.Ordinal);
        Assert.Contains("it only refers to other servers", exception.Message, StringComparison.Ordinal);

        async Task RunAsync()
        {
            await app.Handler.PrepareAsync(challenge, Cancelled);
            await app.Handler.WaitUntilVisibleAsync(challenge, Cancelled);
        }
    }

    private static DnsFixture App(HostileDnsServer server, IDnsProvider provider)
        => new(new Dictionary<string, string?>(), server.Address.Port, acme: acme => acme.AddDnsProvider("Recording", _ => provider));
}
