using System.Net;
using KestrelAcme.Certificates;
using KestrelAcme.Certificates.Model;
using KestrelAcme.Challenges.Dns01;
using KestrelAcme.Testing;
using KestrelAcme.Testing.Servers;
using KestrelAcme.Tests.EndToEnd;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Xunit;

namespace KestrelAcme.Tests.Challenges.Dns01.Caa;

/// <summary>An app whose CAA records are in BIND, and a CA whose directory contains its name in CAA records.</summary>
public sealed class CaaEndToEndTests
{
    private const string Name = "www.example.test";
    private const string Record = "example.test. CAA 0 issue \"local.test\"";

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Start_ZoneForbidsTheCa_IsBlockedUntilTheRecordIsAdded()
    {
        await using var bind = await StartBindAsync();
        await using var fixture = await StartAuthorityAsync("local.test");
        await using var app = await StartAppAsync(fixture, bind, bind.Address.Port);

        await Poll.UntilAsync(
            () => app.Certificates.Find(Name)?.State == CertificateState.Blocked,
            () => $"the state Blocked\n{app.Log}",
            cancellationToken: Cancelled);
        var failure = app.Certificates.Find(Name)!.Failure!;
        Assert.Equal(FailureCause.Operator, failure.Cause);
        Assert.StartsWith(
            $"{Name}: the CAA record set of example.test allows (issue) other.test, not local.test. Add: {Record}. No order was placed.",
            failure.Message,
            StringComparison.Ordinal);
        Assert.Equal([Record], failure.RequiredRecords.Select(r => r.ToString()));
        Assert.DoesNotContain(fixture.Authority.Requests, request => request.Path.Contains("new-order", StringComparison.Ordinal));

        await BindEdit.AddAsync(bind, "example.test", failure.RequiredRecords[0].ToString(), Cancelled);
        await app.Certificates.RenewAsync(Name, Cancelled);

        Assert.Equal(CertificateState.Valid, app.Certificates.Find(Name)!.State);
        Assert.Single(fixture.Authority.Requests, request => request.Path.Contains("new-order", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Blocked_RecordIsAdded_OrdersWithoutAskingTheCaFirst()
    {
        await using var bind = await StartBindAsync();
        await using var fixture = await StartAuthorityAsync("local.test");
        await using var app = await StartAppAsync(fixture, bind, bind.Address.Port, Quick);
        await Poll.UntilAsync(
            () => app.Certificates.Find(Name)?.State == CertificateState.Blocked,
            () => $"the state Blocked\n{app.Log}",
            cancellationToken: Cancelled);
        var failure = app.Certificates.Find(Name)!.Failure!;
        var asked = fixture.Authority.Requests.Count;

        var certificate = app.Services.GetRequiredService<CertificateCatalog>().Find(Name)!;
        await Poll.UntilAsync(() => certificate.Looks?.Count >= 4, "some looks at DNS", cancellationToken: Cancelled);
        Assert.Equal(asked, fixture.Authority.Requests.Count);
        Assert.Equal(failure.At, app.Certificates.Find(Name)!.Failure!.At);

        await BindEdit.AddAsync(bind, "example.test", failure.RequiredRecords[0].ToString(), Cancelled);

        await app.ObtainedAsync(Name);
        Assert.True(app.Log.Has("RecordsChanged"));
        Assert.True(failure.NextAttempt > failure.At.AddHours(20));
    }

    [Fact]
    public async Task Restart_RecordWasAddedMeanwhile_OrdersAtOnce()
    {
        await using var bind = await StartBindAsync();
        await using var fixture = await StartAuthorityAsync("local.test");
        await using (var before = await StartAppAsync(fixture, bind, bind.Address.Port))
        {
            await Poll.UntilAsync(
                () => before.Certificates.Find(Name)?.State == CertificateState.Blocked,
                () => $"the state Blocked\n{before.Log}",
                cancellationToken: Cancelled);
            await before.StopAsync(Cancelled);
        }

        await BindEdit.AddAsync(bind, "example.test", Record, Cancelled);
        await using var after = await StartAppAsync(fixture, bind, bind.Address.Port);

        await after.ObtainedAsync(Name);
    }

    [Fact]
    public async Task Blocked_CaItselfFindsTheRecord_IsRetriedWhenDnsChanges()
    {
        await using var bind = await StartBindAsync();
        await using var fixture = await StartAuthorityAsync();
        fixture.Authority.Faults.FailValidation(Name, "caa", "CAA forbids it.");
        await using var app = await StartAppAsync(fixture, bind, bind.Address.Port, Quick);
        await Poll.UntilAsync(
            () => app.Certificates.Find(Name)?.State == CertificateState.Blocked,
            () => $"the state Blocked\n{app.Log}",
            cancellationToken: Cancelled);
        fixture.Authority.Faults.Clear();
        var certificate = app.Services.GetRequiredService<CertificateCatalog>().Find(Name)!;
        await Poll.UntilAsync(() => certificate.Looks?.Count >= 3, "some looks at DNS", cancellationToken: Cancelled);
        Assert.Equal(CertificateState.Blocked, app.Certificates.Find(Name)!.State);

        await BindEdit.AddAsync(bind, "example.test", Record, Cancelled);

        await app.ObtainedAsync(Name);
    }

    [Fact]
    public async Task Start_OnlyAResolverForbids_WarnsAndOrders()
    {
        await using var bind = await StartBindAsync();
        await using var fixture = await StartAuthorityAsync("local.test");

        // Nothing listens at the addresses of the zone's servers.
        await using var app = await StartAppAsync(fixture, bind, FreePort.TcpAndUdp());

        await app.ObtainedAsync(Name);
        Assert.Contains(
            app.Log.At(LogLevel.Warning),
            line => line.Event.Name == "CaaMayForbid" && line.Message.Contains(Record, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Start_CaHasNoCaaIdentities_NothingIsLookedUp()
    {
        await using var bind = await StartBindAsync();
        await using var fixture = await StartAuthorityAsync();
        await using var app = await StartAppAsync(fixture, bind, bind.Address.Port);

        await app.ObtainedAsync(Name);
        Assert.False(app.Log.Has("CaaMayForbid") || app.Log.Has("CaaNotLookedUp"), app.Log.ToString());
    }

    private static Task<BindServer> StartBindAsync()
        => BindServer.StartAsync(new BindOptions { Zones = [new BindZone("example.test", "@ IN CAA 0 issue \"other.test\"")] }, Cancelled);

    private static Task<LocalFixture> StartAuthorityAsync(params string[] caaIdentities)
        => LocalFixture.StartAsync(options => Array.ForEach(caaIdentities, options.CaaIdentities.Add));

    private static IssuanceSettings Quick { get; } =
        new() { RecordLook = TimeSpan.FromMilliseconds(50), LongestRecordLook = TimeSpan.FromMilliseconds(500) };

    private static Task<AcmeApp> StartAppAsync(LocalFixture fixture, BindServer bind, int port, IssuanceSettings? times = null)
    {
        var settings = fixture.Settings(Name);
        settings["AcmeHttps:DnsResolvers:0"] = bind.Address.ToString();
        return fixture.StartAppAsync(settings, configure: builder =>
        {
            builder.Services.AddSingleton(new DnsEndPointMap(address => new IPEndPoint(address, port)));
            builder.Services.AddSingleton(times ?? new IssuanceSettings());
        });
    }
}
