using System.Net;
using KestrelAcme.Certificates;
using KestrelAcme.Challenges.Dns01;
using KestrelAcme.Testing;
using KestrelAcme.Testing.Servers;
using KestrelAcme.Tests.EndToEnd;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Xunit;

namespace KestrelAcme.Tests.Challenges.Dns01.Caa;

/// <summary>An application whose names' CAA records are in BIND, and an authority that says by which name they know it.</summary>
public sealed class CaaEndToEndTests
{
    private const string Name = "www.example.test";
    private const string Record = "example.test. CAA 0 issue \"local.test\"";

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Start_ZoneForbidsTheAuthority_IsBlockedBeforeAnyOrderUntilTheRecordIsAdded()
    {
        await using var bind = await StartBindAsync();
        await using var fixture = await StartAuthorityAsync("local.test");
        await using var app = await StartAppAsync(fixture, bind, bind.Address.Port);

        await Poll.UntilAsync(() => app.Certificates.Find(Name)?.State == CertificateState.Blocked, $"the state Blocked\n{app.Log}", cancellationToken: Cancelled);
        var failure = app.Certificates.Find(Name)!.Failure!;
        Assert.Equal(FailureCause.Operator, failure.Cause);
        Assert.StartsWith($"{Name}: the CAA record set of example.test allows (issue) other.test, not local.test. Add: {Record}. Nothing was ordered.", failure.Message, StringComparison.Ordinal);
        Assert.Equal([Record], failure.RequiredRecords.Select(r => r.ToString()));
        Assert.DoesNotContain(fixture.Authority.Requests, request => request.Path.Contains("new-order", StringComparison.Ordinal));

        await BindEdit.AddAsync(bind, "example.test", failure.RequiredRecords[0].ToString(), Cancelled);
        await app.Certificates.RenewAsync(Name, Cancelled);

        Assert.Equal(CertificateState.Valid, app.Certificates.Find(Name)!.State);
        Assert.Single(fixture.Authority.Requests, request => request.Path.Contains("new-order", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Start_OnlyAResolverForbids_WarnsAndOrders()
    {
        await using var bind = await StartBindAsync();
        await using var fixture = await StartAuthorityAsync("local.test");

        // Nothing listens where the zone's own servers are looked for.
        await using var app = await StartAppAsync(fixture, bind, FreePort.TcpAndUdp());

        await app.ObtainedAsync(Name);
        Assert.Contains(app.Log.At(LogLevel.Warning), line => line.Event.Name == "CaaMayForbid" && line.Message.Contains(Record, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Start_AuthorityDoesNotSayItsName_NothingIsLookedUp()
    {
        await using var bind = await StartBindAsync();
        await using var fixture = await StartAuthorityAsync();
        await using var app = await StartAppAsync(fixture, bind, bind.Address.Port);

        await app.ObtainedAsync(Name);
        Assert.False(app.Log.Has("CaaMayForbid") || app.Log.Has("CaaNotLookedUp"), app.Log.ToString());
    }

    private static Task<BindServer> StartBindAsync() => BindServer.StartAsync(new BindOptions { Zones = [new BindZone("example.test", "@ IN CAA 0 issue \"other.test\"")] }, Cancelled);

    private static Task<LocalFixture> StartAuthorityAsync(params string[] caaIdentities) => LocalFixture.StartAsync(options => Array.ForEach(caaIdentities, options.CaaIdentities.Add));

    private static Task<AcmeApp> StartAppAsync(LocalFixture fixture, BindServer bind, int port)
    {
        var settings = fixture.Settings(Name);
        settings["AcmeHttps:DnsResolvers:0"] = bind.Address.ToString();
        return fixture.StartAppAsync(settings, configure: builder => builder.Services.AddSingleton(new DnsEndPointMap(address => new IPEndPoint(address, port))));
    }
}
