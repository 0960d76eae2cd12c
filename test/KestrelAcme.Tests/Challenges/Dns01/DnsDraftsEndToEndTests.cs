using System.Net;
using KestrelAcme.Certificates;
using KestrelAcme.Challenges.Dns01;
using KestrelAcme.Hosting;
using KestrelAcme.LocalAuthority;
using KestrelAcme.LocalAuthority.Requests;
using KestrelAcme.Testing;
using KestrelAcme.Testing.Servers;
using KestrelAcme.Tests.EndToEnd;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace KestrelAcme.Tests.Challenges.Dns01;

#pragma warning disable KESTRELACME001 // What is tested is experimental.

/// <summary>
/// The challenges of drafts, which Pebble 2.4 does not support: an app, the local CA, and a BIND that both query.
/// </summary>
public sealed class DnsDraftsEndToEndTests
{
    private const string Apex = "example.test";

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task DnsAccount01_ApexAndWildcard_AreProvedUnderTheAccountsLabel()
    {
        await using var bind = await BindServer.StartAsync(cancellationToken: Cancelled);
        await using var fixture = await StartAuthorityAsync(bind, "dns-account-01");
        await using var app = await StartAppAsync(fixture, bind, "dns-account-01");

        await app.ObtainedAsync($"*.{Apex}");

        var created = app.Log.Lines.Where(line => line.Event.Name == "DnsRecordCreated");
        Assert.Equal(2, created.Count(line => line.Message.Contains($"._acme-challenge.{Apex} in zone", StringComparison.Ordinal)));
        await Poll.UntilAsync(
            () => app.Log.Lines.Count(line => line.Event.Name == "DnsRecordDeleted") == 2, "a clean zone", cancellationToken: Cancelled);
    }

    [Theory]
    [InlineData(null, "https://.*/account/.*")]
    [InlineData("https://ca.test/account-hash/", "https://ca\\.test/account-hash/sha-256/[A-Za-z0-9_-]{43}")]
    public async Task DnsPersist01_RecordMissing_IsShownOnceAndNothingIsOrderedUntilItIsThere(string? accountHashPrefix, string account)
    {
        await using var bind = await BindServer.StartAsync(cancellationToken: Cancelled);
        await using var fixture = await StartAuthorityAsync(bind, "dns-persist-01", accountHashPrefix);
        await using var app = await StartAppAsync(fixture, bind, "dns-persist-01", builder => builder.AddDnsPersist01());

        await Poll.UntilAsync(
            () => app.Certificates.Find(Apex)?.State == CertificateState.Blocked,
            () => $"the state Blocked\n{app.Log}",
            cancellationToken: Cancelled);
        await Assert.ThrowsAsync<CertificateException>(() => app.Certificates.RenewAsync(Apex, Cancelled));

        // One record is enough for the name and its wildcard.
        var record = Assert.Single(app.Certificates.Find(Apex)!.Failure!.RequiredRecords);
        Assert.Matches(
            $"^_validation-persist\\.example\\.test\\. TXT \"local\\.test; accounturi={account}; policy=wildcard\"$", record.ToString());

        // The operator must not be told to create a record before the account is proved to be valid.
        Assert.Contains(
            fixture.Authority.Requests,
            request => request is { Resource: ResourceKind.Account, StatusCode: 200 });
        Assert.Contains(
            record.ToString(),
            Assert.Single(app.Log.Lines, line => line.Event.Name == "PersistRecordWanted").Message,
            StringComparison.Ordinal);
        Assert.DoesNotContain(fixture.Authority.Requests, request => request.Path.Contains("new-order", StringComparison.Ordinal));

        await BindEdit.AddAsync(bind, Apex, record.ToString(), Cancelled);
        await app.Certificates.RenewAsync(Apex, Cancelled);
        var status = await app.Certificates.RenewAsync(Apex, Cancelled);

        Assert.Equal(CertificateState.Valid, status.State);
        Assert.Null(status.Failure);
        Assert.Equal(2, fixture.Authority.Issued.Count);
    }

    [Fact]
    public async Task DnsPersist01_RecordIsCreatedWhileStopped_IsSeenAtTheStart()
    {
        await using var bind = await BindServer.StartAsync(cancellationToken: Cancelled);
        await using var fixture = await StartAuthorityAsync(bind, "dns-persist-01");
        string record;
        await using (var before = await StartAppAsync(fixture, bind, "dns-persist-01", builder => builder.AddDnsPersist01()))
        {
            await Poll.UntilAsync(
                () => before.Certificates.Find(Apex)?.State == CertificateState.Blocked,
                () => $"the state Blocked\n{before.Log}",
                cancellationToken: Cancelled);
            record = Assert.Single(before.Certificates.Find(Apex)!.Failure!.RequiredRecords).ToString();
            await before.StopAsync(Cancelled);
        }

        await BindEdit.AddAsync(bind, Apex, record, Cancelled);
        await using var after = await StartAppAsync(fixture, bind, "dns-persist-01", builder => builder.AddDnsPersist01());

        await after.ObtainedAsync(Apex);
        Assert.True(after.Log.Has("RecordsChanged"));
    }

    [Theory]
    [InlineData(20, true)]
    [InlineData(80, true)]
    [InlineData(120, false)]
    public async Task DnsPersist01_RecordEnds_IsSaidOnceIfItIsNearOrBeforeTheCertificateEnds(int days, bool warns)
    {
        await using var bind = await BindServer.StartAsync(cancellationToken: Cancelled);
        await using var fixture = await StartAuthorityAsync(bind, "dns-persist-01");
        await using var app = await StartAppAsync(fixture, bind, "dns-persist-01", builder => builder.AddDnsPersist01());
        await Poll.UntilAsync(
            () => app.Certificates.Find(Apex)?.State == CertificateState.Blocked,
            () => $"the state Blocked\n{app.Log}",
            cancellationToken: Cancelled);
        var record = Assert.Single(app.Certificates.Find(Apex)!.Failure!.RequiredRecords).ToString();
        var end = DateTimeOffset.FromUnixTimeSeconds(TimeProvider.System.GetUtcNow().AddDays(days).ToUnixTimeSeconds());

        await BindEdit.AddAsync(bind, Apex, $"{record[..^1]}; persistUntil={end.ToUnixTimeSeconds()}\"", Cancelled);
        await app.Certificates.RenewAsync(Apex, Cancelled);
        var status = await app.Certificates.RenewAsync(Apex, Cancelled);

        Assert.Equal(end, status.PersistRecordsUntil);
        Assert.Equal(90, (status.NotAfter!.Value - status.NotBefore!.Value).TotalDays, 0.5);
        Assert.Equal(warns ? 1 : 0, app.Log.Lines.Count(line => line.Event.Name == "PersistRecordEnds"));
    }

    private static Task<LocalFixture> StartAuthorityAsync(BindServer bind, string type, string? accountHashPrefix = null)
        => LocalFixture.StartAsync(options =>
    {
        options.AccountHashPrefix = accountHashPrefix;
        options.ChallengeTypes.Clear();
        options.ChallengeTypes.Add(type);
        options.CaaIdentities.Add("local.test");
        options.TxtLookup = async (name, token) => await TxtQuery.AskAsync(bind.Address, name, token);
    });

    private static Task<AcmeApp> StartAppAsync(LocalFixture fixture, BindServer bind, string type, Action<IAcmeHttpsBuilder>? acme = null)
    {
        var settings = fixture.Settings();
        foreach (var (key, value) in BindSettings.For(bind))
        {
            settings[key] = value;
        }

        settings["AcmeHttps:Certificates:0:DomainNames:0"] = Apex;
        settings["AcmeHttps:Certificates:0:DomainNames:1"] = $"*.{Apex}";
        settings["AcmeHttps:ChallengeTypes:0"] = type;
        settings["AcmeHttps:DnsResolvers:0"] = bind.Address.ToString();
        return fixture.StartAppAsync(
            settings,
            acme,
            configure: builder => builder.Services.AddSingleton(new DnsEndPointMap(address => new IPEndPoint(address, bind.Address.Port))));
    }
}
