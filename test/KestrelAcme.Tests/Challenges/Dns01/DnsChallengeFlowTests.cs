using System.Diagnostics;
using KestrelAcme.Challenges;
using KestrelAcme.Storage;
using KestrelAcme.Testing;
using KestrelAcme.Testing.Servers;
using Microsoft.Extensions.Logging;
using Xunit;

namespace KestrelAcme.Tests.Challenges.Dns01;

/// <summary>The whole flow against BIND.</summary>
public sealed class DnsChallengeFlowTests
{
    private const string Name = "_acme-challenge.example.test";

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Flow_ApexAndWildcard_TwoValuesCoexistAndEachCleansUpItsOwn()
    {
        await using var bind = await BindServer.StartAsync(cancellationToken: Cancelled);
        await using var app = new DnsFixture(BindSettings.For(bind), bind.Address.Port);
        var apex = DnsFixture.Challenge("example.test", "one");
        var wildcard = DnsFixture.Challenge("example.test", "two", wildcard: true);

        await app.Handler.PrepareAsync(apex, Cancelled);
        await app.Handler.PrepareAsync(wildcard, Cancelled);
        await Task.WhenAll(app.Handler.WaitUntilVisibleAsync(apex, Cancelled), app.Handler.WaitUntilVisibleAsync(wildcard, Cancelled));
        Assert.Equal(
            new[] { DnsFixture.ValueOf(apex), DnsFixture.ValueOf(wildcard) }.Order(StringComparer.Ordinal),
            await TxtQuery.AskAsync(bind.Address, Name, Cancelled));

        await app.Handler.CleanUpAsync(apex, Cancelled);
        Assert.Equal([DnsFixture.ValueOf(wildcard)], await TxtQuery.AskAsync(bind.Address, Name, Cancelled));
        await app.Handler.CleanUpAsync(wildcard, Cancelled);
        await app.Handler.CleanUpAsync(wildcard, Cancelled);
        Assert.Empty(await TxtQuery.AskAsync(bind.Address, Name, Cancelled));
        Assert.Empty(app.Log.At(LogLevel.Warning));
        Assert.Empty(await KeysAsync(app));
    }

    [Fact]
    public async Task Flow_OneChallengeOfTwoOrders_IsRemovedByTheLast()
    {
        await using var bind = await BindServer.StartAsync(cancellationToken: Cancelled);
        await using var app = new DnsFixture(BindSettings.For(bind), bind.Address.Port);
        var challenge = DnsFixture.Challenge("example.test", "one");

        await app.Handler.PrepareAsync(challenge, Cancelled);
        await app.Handler.PrepareAsync(challenge, Cancelled);
        await app.Handler.CleanUpAsync(challenge, Cancelled);
        Assert.Single(await TxtQuery.AskAsync(bind.Address, Name, Cancelled));
        await app.Handler.CleanUpAsync(challenge, Cancelled);
        Assert.Empty(await TxtQuery.AskAsync(bind.Address, Name, Cancelled));
    }

    [Fact]
    public async Task Flow_CnamesToAnotherZone_TheRecordIsPutThere()
    {
        BindZone[] zones =
        [
            new BindZone("example.test", "_acme-challenge IN CNAME hop.example.test.", "hop IN CNAME there.acme.test."),
            new BindZone("acme.test"),
        ];
        await using var bind = await BindServer.StartAsync(new BindOptions { Zones = zones }, Cancelled);
        await using var app = new DnsFixture(BindSettings.For(bind, ("Zones:0", "acme.test")), bind.Address.Port);
        var challenge = DnsFixture.Challenge("example.test", "one");

        await app.Handler.PrepareAsync(challenge, Cancelled);
        await app.Handler.WaitUntilVisibleAsync(challenge, Cancelled);

        Assert.Equal([DnsFixture.ValueOf(challenge)], await TxtQuery.AskAsync(bind.Address, "there.acme.test", Cancelled));
        await app.Handler.CleanUpAsync(challenge, Cancelled);
        Assert.Empty(await TxtQuery.AskAsync(bind.Address, "there.acme.test", Cancelled));
    }

    [Fact]
    public async Task Wait_SilentServer_IsReportedAndToleratedUnlessEachIsRequired()
    {
        await using var bind = await BindServer.StartAsync(new BindOptions { HasSecondary = true }, Cancelled);
        bind.SecondaryIsSilent = true;
        await using var tolerant = new DnsFixture(BindSettings.For(bind), bind.Address.Port);
        await using var strict = new DnsFixture(
            BindSettings.For(bind, ("RequireEveryServer", "true"), ("PropagationTimeout", "00:00:09")), bind.Address.Port);

        await Task.WhenAll(TolerateAsync(), RefuseAsync());

        async Task TolerateAsync()
        {
            var challenge = DnsFixture.Challenge("example.test", "one");
            await tolerant.Handler.PrepareAsync(challenge, Cancelled);
            await tolerant.Handler.WaitUntilVisibleAsync(challenge, Cancelled);
            var warning = Assert.Single(tolerant.Log.At(LogLevel.Warning)).Message;
            Assert.Contains(
                "zone example.test is unusable, but others show the record: "
                + $"ns2.example.test ({bind.SecondaryAddress}): {bind.SecondaryAddress} did not answer",
                warning,
                StringComparison.Ordinal);
        }

        async Task RefuseAsync()
        {
            var challenge = DnsFixture.Challenge("example.test", "two");
            await strict.Handler.PrepareAsync(challenge, Cancelled);
            var exception = await Assert.ThrowsAsync<ChallengeException>(() => strict.Handler.WaitUntilVisibleAsync(challenge, Cancelled));
            Assert.Contains($"ns2.example.test ({bind.SecondaryAddress})", exception.Message, StringComparison.Ordinal);
            Assert.DoesNotContain("ns1.example.test", exception.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Prepare_ServerWithoutAddress_IsSkippedUnlessEachIsRequired()
    {
        await using var bind = await BindServer.StartAsync(
            new BindOptions { Zones = [new BindZone("example.test", "@ IN NS ns9.other.test."), new BindZone("other.test")] }, Cancelled);
        await using var tolerant = new DnsFixture(BindSettings.For(bind), bind.Address.Port);
        await using var strict = new DnsFixture(BindSettings.For(bind, ("RequireEveryServer", "true")), bind.Address.Port);

        await tolerant.Handler.PrepareAsync(DnsFixture.Challenge("example.test", "one"), Cancelled);
        var exception = await Assert.ThrowsAsync<ChallengeException>(
            () => strict.Handler.PrepareAsync(DnsFixture.Challenge("example.test", "two"), Cancelled));

        Assert.Contains(
            tolerant.Log.Lines,
            line => line.Message.Contains(
                "The name server ns9.other.test of zone example.test, or one of its addresses, is not queried", StringComparison.Ordinal));
        Assert.Equal(ChallengeFault.Name, exception.Fault);
        Assert.Equal(
            $"{Name}: the name server ns9.other.test of zone example.test cannot be asked, "
            + "and RequireEveryServer is set: it has no address.",
            exception.Message);
        Assert.Single(await TxtQuery.AskAsync(bind.Address, Name, Cancelled));
    }

    [Fact]
    public async Task Wait_ServerWasSilentForAnotherOrder_IsHeardAgain()
    {
        await using var bind = await BindServer.StartAsync(new BindOptions { HasSecondary = true }, Cancelled);
        bind.SecondaryIsSilent = true;
        await using var app = new DnsFixture(BindSettings.For(bind, ("PropagationTimeout", "00:00:20")), bind.Address.Port);
        var (first, second) = (DnsFixture.Challenge("example.test", "one"), DnsFixture.Challenge("example.test", "two"));
        await app.Handler.PrepareAsync(first, Cancelled);
        await app.Handler.PrepareAsync(second, Cancelled);
        await app.Handler.WaitUntilVisibleAsync(first, Cancelled);
        Assert.Single(app.Log.At(LogLevel.Warning));

        // The server is back without the records, and the CA could query it.
        bind.SecondaryIsSilent = false;
        var waiting = app.Handler.WaitUntilVisibleAsync(second, Cancelled);
        var expected = $"ns2.example.test ({bind.SecondaryAddress}): says that";
        await Poll.UntilAsync(
            async _ => (await app.Handler.ExplainFailureAsync(second, Cancelled))?.Contains(expected, StringComparison.Ordinal) == true,
            "the secondary to be back",
            cancellationToken: Cancelled);
        Assert.False(waiting.IsCompleted);
        await bind.TransferAsync("example.test", Cancelled);
        await waiting;

        Assert.Single(app.Log.At(LogLevel.Warning));
        Assert.Contains(
            app.Log.Lines,
            line => line.Message.Contains("visible at 2 name server addresses of zone example.test", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Wait_ResolversOnly_AsksNoNameServer()
    {
        await using var bind = await BindServer.StartAsync(new BindOptions { HasSecondary = true }, Cancelled);
        bind.SecondaryIsSilent = true;
        await using var app = new DnsFixture(BindSettings.For(bind, ("PropagationCheck", "Resolvers")), bind.Address.Port);
        var challenge = DnsFixture.Challenge("example.test", "one");

        await app.Handler.PrepareAsync(challenge, Cancelled);
        await app.Handler.WaitUntilVisibleAsync(challenge, Cancelled);

        Assert.Contains(
            app.Log.Lines, line => line.Message.Contains($"is visible at the resolver {bind.Address}", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Wait_MinimumWait_CountsFromCreation()
    {
        await using var bind = await BindServer.StartAsync(cancellationToken: Cancelled);
        await using var app = new DnsFixture(BindSettings.For(bind, ("MinimumWait", "00:00:01")), bind.Address.Port);
        var challenge = DnsFixture.Challenge("example.test", "one");
        await app.Handler.PrepareAsync(challenge, Cancelled);

        var clock = Stopwatch.StartNew();
        await app.Handler.WaitUntilVisibleAsync(challenge, Cancelled);

        Assert.True(clock.Elapsed.TotalSeconds > 0.8, $"It took {clock.Elapsed.TotalSeconds:0.00} s.");
    }

    [Fact]
    public async Task Start_AfterACrash_RemovesWhatIsStaleAndNothingElse()
    {
        await using var bind = await BindServer.StartAsync(cancellationToken: Cancelled);
        var clock = new FakeTimeProvider(TimeProvider.System.GetUtcNow());
        var storage = new InMemoryStorage(clock);
        await using var crashed = new DnsFixture(BindSettings.For(bind), bind.Address.Port, storage);
        await crashed.Handler.PrepareAsync(DnsFixture.Challenge("example.test", "one"), Cancelled);
        await using var alive = new DnsFixture(BindSettings.For(bind), bind.Address.Port, storage);
        var kept = DnsFixture.Challenge("example.test", "two");
        clock.Advance(TimeSpan.FromMinutes(3)); // The crashed one renews by another clock.
        await alive.Handler.PrepareAsync(kept, Cancelled);
        await RecordNotes.AgeAsync(storage, TimeSpan.FromHours(1), Cancelled);

        await using var next = new DnsFixture(BindSettings.For(bind), bind.Address.Port, storage);
        await next.StartAsync(Cancelled);
        await Poll.UntilAsync(() => next.Log.Has("StaleDnsRecordDeleted"), "the stale record to be deleted", cancellationToken: Cancelled);

        Assert.Equal([DnsFixture.ValueOf(kept)], await TxtQuery.AskAsync(bind.Address, Name, Cancelled));
        await alive.Handler.CleanUpAsync(kept, Cancelled);
        Assert.Empty(await KeysAsync(alive));
    }

    [Fact]
    public async Task Flow_TenValuesOfOneNameByTwoInstances_WholeSetApiLosesNone()
    {
        await using var server = await PowerDnsServer.StartAsync(["example.test"], Cancelled);
        var settings = new Dictionary<string, string?>
        {
            ["AcmeHttps:DnsProviders:0:Type"] = "PowerDns",
            ["AcmeHttps:DnsProviders:0:ApiUrl"] = server.ApiUrl.ToString(),
            ["AcmeHttps:DnsProviders:0:ApiKey"] = server.ApiKey,
        };
        var storage = new InMemoryStorage();
        await using var one = new DnsFixture(settings, server.Address.Port, storage);
        await using var two = new DnsFixture(settings, server.Address.Port, storage);
        var work = Enumerable.Range(0, 10)
            .Select(i => (App: i % 2 == 0 ? one : two, Challenge: DnsFixture.Challenge("example.test", $"t{i}")))
            .ToList();

        await Task.WhenAll(work.Select(w => w.App.Handler.PrepareAsync(w.Challenge, Cancelled)));
        await Task.WhenAll(work.Select(w => w.App.Handler.WaitUntilVisibleAsync(w.Challenge, Cancelled)));
        Assert.Equal(
            work.Select(w => DnsFixture.ValueOf(w.Challenge)).Order(StringComparer.Ordinal),
            await TxtQuery.AskAsync(server.Address, Name, Cancelled));

        await Task.WhenAll(work.Select(w => w.App.Handler.CleanUpAsync(w.Challenge, Cancelled)));
        Assert.Empty(await TxtQuery.AskAsync(server.Address, Name, Cancelled));
        Assert.Empty(await KeysAsync(one));
    }

    [Fact]
    public async Task Cleanup_ValueThatAnotherInstanceNeeds_IsLeftToTheLast()
    {
        await using var bind = await BindServer.StartAsync(cancellationToken: Cancelled);
        var storage = new InMemoryStorage();
        await using var one = new DnsFixture(BindSettings.For(bind), bind.Address.Port, storage);
        await using var two = new DnsFixture(BindSettings.For(bind), bind.Address.Port, storage);
        var challenge = DnsFixture.Challenge("example.test", "one");
        await one.Handler.PrepareAsync(challenge, Cancelled);
        await two.Handler.PrepareAsync(challenge, Cancelled);

        await one.Handler.CleanUpAsync(challenge, Cancelled);
        Assert.Single(await TxtQuery.AskAsync(bind.Address, Name, Cancelled));
        Assert.Contains(
            $"ns1.example.test ({bind.Address}): shows the record",
            await two.Handler.ExplainFailureAsync(challenge, Cancelled),
            StringComparison.Ordinal);
        await two.Handler.CleanUpAsync(challenge, Cancelled);
        Assert.Empty(await TxtQuery.AskAsync(bind.Address, Name, Cancelled));
    }

    private static async Task<List<string>> KeysAsync(DnsFixture app)
    {
        var keys = new List<string>();
        await foreach (var key in ((IAcmeStorage)app.Services.GetService(typeof(IAcmeStorage))!).ListAsync("challenges/", Cancelled))
        {
            keys.Add(key);
        }

        return keys;
    }
}
