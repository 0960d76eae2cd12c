using System.Net;
using KestrelAcme.Certificates;
using KestrelAcme.Challenges.Dns01;
using KestrelAcme.Testing;
using KestrelAcme.Testing.Servers;
using KestrelAcme.Tests.EndToEnd;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace KestrelAcme.Tests.Challenges.Dns01;

/// <summary>Certificates from Pebble, which queries the same BIND that the app updates.</summary>
public sealed class Dns01EndToEndTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Order_SecondaryLags_ChallengeIsPostedOnceItHasTheRecord()
    {
        await using var bind = await BindServer.StartAsync(new BindOptions { HasSecondary = true }, Cancelled);
        await using var pebble = await PebbleServer.StartAsync(new PebbleOptions { DnsServer = bind.Address.ToString() }, Cancelled);
        var settings = Settings(bind, pebble);
        settings["AcmeHttps:DomainNames:0"] = "*.example.test";
        await using var app = await StartAsync(settings, bind);

        await Poll.UntilAsync(() => app.Log.Has("DnsRecordCreated"), () => $"the record\n{app.Log}", cancellationToken: Cancelled);
        var created = bind.SecondaryQueries;
        await Poll.UntilAsync(
            () => bind.SecondaryQueries >= created + 3,
            () => $"the secondary to be asked again and again\n{app.Log}",
            cancellationToken: Cancelled);
        Assert.False(app.Log.Has("ChallengePosted"), $"The challenge was posted before the secondary had the record.\n{app.Log}");
        await bind.TransferAsync("example.test", Cancelled);
        var transferred = bind.SecondaryQueries;

        await app.ObtainedAsync("*.example.test");

        // The first answer with the record is enough; one that was on its way may have come without it.
        Assert.InRange(bind.SecondaryQueries - transferred, 0, 3);
    }

    [Fact]
    public async Task Start_ApexAndWildcard_OneCertificateAndACleanZone()
    {
        await using var bind = await BindServer.StartAsync(cancellationToken: Cancelled);
        await using var pebble = await PebbleServer.StartAsync(new PebbleOptions { DnsServer = bind.Address.ToString() }, Cancelled);
        var settings = Settings(bind, pebble);
        settings["AcmeHttps:Certificates:0:DomainNames:0"] = "example.test";
        settings["AcmeHttps:Certificates:0:DomainNames:1"] = "*.example.test";

        await using var app = await StartAsync(settings, bind);
        await app.ObtainedAsync("*.example.test");
        var answer = await app.ConnectAsync("any.example.test", Cancelled);

        Assert.True(answer.Leaf.MatchesHostname("any.example.test") && answer.Leaf.MatchesHostname("example.test"));
        await Poll.UntilAsync(
            async token => (await TxtQuery.AskAsync(bind.Address, "_acme-challenge.example.test", token)).Length == 0,
            "a clean zone",
            cancellationToken: Cancelled);
    }

    [Fact]
    public async Task Start_TenOrdersInTwoInstances_AllSucceedAndTheZoneEndsClean()
    {
        await using var bind = await BindServer.StartAsync(cancellationToken: Cancelled);
        await using var pebble = await PebbleServer.StartAsync(new PebbleOptions { DnsServer = bind.Address.ToString() }, Cancelled);
        var apps = new List<AcmeApp>();
        try
        {
            foreach (var half in new[] { 0, 1 })
            {
                var settings = Settings(bind, pebble);
                settings["AcmeHttps:MaxConcurrentOrders"] = "10";
                for (var i = 0; i < 5; i++)
                {
                    settings[$"AcmeHttps:DomainNames:{i}"] = i % 2 == 0 ? $"*.n{half}{i}.example.test" : $"n{half}{i}.example.test";
                }

                // Both have one name in common: the second finds the certificate of the first, or orders one, too.
                settings["AcmeHttps:DomainNames:5"] = "*.example.test";
                apps.Add(await StartAsync(settings, bind));
            }

            foreach (var app in apps)
            {
                await Poll.UntilAsync(
                    () => app.Certificates.List().All(c => c.State == CertificateState.Valid),
                    () => $"six certificates\n{app.Log}",
                    cancellationToken: Cancelled);
            }

            foreach (var app in apps)
            {
                await app.StopAsync(Cancelled);
                Assert.False(app.Log.Has("ChallengeNotCleaned"), app.Log.ToString());
            }

            var names = from half in new[] { 0, 1 } from i in Enumerable.Range(0, 5) select $"_acme-challenge.n{half}{i}.example.test";
            foreach (var name in names.Append("_acme-challenge.example.test"))
            {
                Assert.Empty(await TxtQuery.AskAsync(bind.Address, name, Cancelled));
            }
        }
        finally
        {
            foreach (var app in apps)
            {
                await app.DisposeAsync();
            }
        }
    }

    public void Dispose() => _folder.Dispose();

    private Dictionary<string, string?> Settings(BindServer bind, PebbleServer pebble)
        => BindSettings.AtPebble(bind, pebble, _folder.Combine("store"));

    private static Task<AcmeApp> StartAsync(IReadOnlyDictionary<string, string?> settings, BindServer bind) => AcmeApp.StartAsync(
        settings,
        configure: builder => builder.Services.AddSingleton(new DnsEndPointMap(address => new IPEndPoint(address, bind.Address.Port))),
        cancellationToken: Cancelled);
}
