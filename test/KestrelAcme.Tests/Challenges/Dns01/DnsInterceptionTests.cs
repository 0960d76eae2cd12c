using KestrelAcme.Challenges;
using KestrelAcme.Hosting;
using KestrelAcme.Testing;
using KestrelAcme.Testing.Servers;
using Microsoft.Extensions.Logging;
using Xunit;

namespace KestrelAcme.Tests.Challenges.Dns01;

/// <summary>
/// Networks that block or intercept port 53 of a zone's name servers while the resolvers work.
/// </summary>
public sealed class DnsInterceptionTests
{
    private const DnsHostility Honest = DnsHostility.None;

    private readonly FakeTimeProvider _time = new();

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(DnsHostility.NotAuthoritative)]
    [InlineData(DnsHostility.ForeignZone)]
    [InlineData(DnsHostility.Silent)]
    [InlineData(DnsHostility.ServerFailure)]
    [InlineData(DnsHostility.Garbage)]
    public async Task Wait_NoServerHasAuthority_AsksTheResolversAndWaitsLonger(DnsHostility servers)
    {
        await using var resolver = new HostileDnsServer(Honest);
        await using var other = new HostileDnsServer(servers);
        await using var app = App(resolver, other);
        var challenge = DnsFixture.Challenge("example.test", "one");
        await RunAsync(app.Handler.PrepareAsync(challenge, Cancelled));
        var start = _time.GetTimestamp();

        await RunAsync(app.Handler.WaitUntilVisibleAsync(challenge, Cancelled));

        Assert.InRange(_time.GetElapsedTime(start).TotalSeconds, 20, 200);
        var warning = Assert.Single(app.Log.At(LogLevel.Warning)).Message;
        Assert.StartsWith(
            "_acme-challenge.example.test: from this machine, no name server of zone example.test responds with authority "
            + $"(ns1.example.test ({other.Address}): ",
            warning,
            StringComparison.Ordinal);
        Assert.Contains("set PropagationCheck: Resolvers", warning, StringComparison.Ordinal);
        Assert.Contains(
            app.Log.Lines, line => line.Message.Contains($"is visible at the resolver {resolver.Address}", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Wait_ServersCannotBeFound_TheResolversAreAsked()
    {
        await using var resolver = new HostileDnsServer(DnsHostility.ManyServers);
        await using var app = App(resolver, resolver);
        var challenge = DnsFixture.Challenge("example.test", "one");

        await RunAsync(app.Handler.PrepareAsync(challenge, Cancelled));
        await RunAsync(app.Handler.WaitUntilVisibleAsync(challenge, Cancelled));

        Assert.Contains(
            "No name server of the zone example.test can be reached",
            Assert.Single(app.Log.At(LogLevel.Warning)).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task Wait_EveryServerIsRequired_FailsAtOnceWithTheAdvice()
    {
        await using var resolver = new HostileDnsServer(Honest);
        await using var other = new HostileDnsServer(DnsHostility.NotAuthoritative);
        await using var app = App(resolver, other, requireEveryServer: true);

        var exception = await FailAsync(app);

        Assert.InRange((_time.GetUtcNow() - new FakeTimeProvider().GetUtcNow()).TotalSeconds, 0, 60);
        Assert.Contains("no name server of zone example.test responds with authority", exception.Message, StringComparison.Ordinal);
        Assert.Contains("set PropagationCheck: Resolvers", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Wait_ResolversSilentToo_FailsSoonWithTheAdvice()
    {
        var resolver = new HostileDnsServer(Honest);
        await using var other = new HostileDnsServer(DnsHostility.NotAuthoritative);
        await using var app = App(resolver, other);
        var challenge = DnsFixture.Challenge("example.test", "one");
        await RunAsync(app.Handler.PrepareAsync(challenge, Cancelled));
        await resolver.DisposeAsync();
        var start = _time.GetTimestamp();

        var exception = await Assert.ThrowsAsync<ChallengeException>(
            () => RunAsync(app.Handler.WaitUntilVisibleAsync(challenge, Cancelled)));

        Assert.InRange(_time.GetElapsedTime(start).TotalSeconds, 30, 250);
        Assert.Contains("set PropagationCheck: Resolvers", exception.Message, StringComparison.Ordinal);
        Assert.Contains(
            $"No resolver answered for _acme-challenge.example.test TXT: {resolver.Address}", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Wait_ResolversNeverShowTheRecord_FailsWithWhatTheySayAndTheAdvice()
    {
        await using var resolver = new HostileDnsServer(Honest);
        await using var other = new HostileDnsServer(DnsHostility.Silent);
        await using var app = App(resolver, other, creates: false);

        var exception = await FailAsync(app);

        Assert.Contains(
            $"the resolver {resolver.Address} responds with NXDOMAIN and 0 other values, which it may cache for 5 s.",
            exception.Message,
            StringComparison.Ordinal);
        Assert.Contains(
            "From this machine, no name server of zone example.test responds with authority.", exception.Message, StringComparison.Ordinal);
    }

    private Task RunAsync(Task task)
        => _time.RunUntilCompleteAsync(task, TimeSpan.FromMinutes(6), TimeSpan.FromMilliseconds(100), Cancelled);

    private async Task<ChallengeException> FailAsync(DnsFixture app)
    {
        var challenge = DnsFixture.Challenge("example.test", "one");
        await RunAsync(app.Handler.PrepareAsync(challenge, Cancelled));
        return await Assert.ThrowsAsync<ChallengeException>(() => RunAsync(app.Handler.WaitUntilVisibleAsync(challenge, Cancelled)));
    }

    private DnsFixture App(HostileDnsServer resolver, HostileDnsServer servers, bool requireEveryServer = false, bool creates = true)
    {
        var provider = new RecordingProvider(record =>
        {
            if (creates)
            {
                resolver.Texts.GetOrAdd(record.Name, _ => []).Add(record.Value);
            }
        });
        return new DnsFixture(
            new Dictionary<string, string?>(),
            resolver.Address.Port,
            acme: acme => acme.AddDnsProvider("Recording", _ => provider, options => options.RequireEveryServer = requireEveryServer),
            time: _time,
            endPointOf: _ => servers.Address);
    }
}
