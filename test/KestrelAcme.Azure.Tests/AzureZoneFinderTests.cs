using Azure.Core;
using Azure.Identity;
using KestrelAcme.Challenges.Dns01;
using KestrelAcme.Testing;
using Xunit;

namespace KestrelAcme.Azure.Tests;

/// <summary>The choice of the zone for a record, while zones are created, deleted and duplicated.</summary>
public sealed class AzureZoneFinderTests : IAsyncLifetime
{
    private readonly AzureFixture _azure = new();

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    private int Lists => _azure.Api.Requests.Count(request => request.Contains("/dnsZones?", StringComparison.Ordinal));

    public async ValueTask InitializeAsync()
    {
        _azure.Stub.Zones.Add(("rg1", "example.test"));
        await _azure.StartAsync(Cancelled);
    }

    public ValueTask DisposeAsync() => _azure.DisposeAsync();

    [Fact]
    public async Task Create_ChildZoneMadeLater_IsUsed()
    {
        var provider = _azure.CreateProvider();
        await provider.CreateTxtAsync(Txt("one", "example.test"), Cancelled);
        _azure.Stub.Zones.Add(("rg1", "app.example.test"));

        await provider.CreateTxtAsync(Txt("two", "app.example.test"), Cancelled);
        await provider.CreateTxtAsync(Txt("three", "app.example.test"), Cancelled);

        Assert.Equal(["three", "two"], _azure.Stub.ValuesOf("app.example.test/_acme-challenge"));
        Assert.Equal(2, Lists);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Create_ParentZoneOnly_IsNotUsed(bool configured)
    {
        var provider = _azure.CreateProvider(configure: options =>
        {
            options.SubscriptionId = configured ? null : AzureFixture.Subscription;
            options.ZoneResourceIds = configured
                ? $"/subscriptions/{AzureFixture.Subscription}/resourceGroups/rg1/providers/Microsoft.Network/dnszones/example.test"
                : null;
        });

        var exception = await Assert.ThrowsAsync<DnsProviderException>(
            () => provider.CreateTxtAsync(Txt("value", "app.example.test"), Cancelled));

        Assert.Equal(DnsProviderFault.ZoneNotFound, exception.Fault);
        Assert.Contains(
            "zone app.example.test, which in DNS holds _acme-challenge.app.example.test".Replace(
                "zone ", configured ? "zone " : "zone named ", StringComparison.Ordinal),
            exception.Message,
            StringComparison.Ordinal);
        Assert.Empty(_azure.Stub.Sets);
    }

    [Fact]
    public async Task Create_TwoZonesOfOneName_IsRefusedUntilOneIsLeft()
    {
        _azure.Stub.Zones.Add(("rg2", "example.test"));
        var provider = _azure.CreateProvider();

        var exception = await Assert.ThrowsAsync<DnsProviderException>(
            () => provider.CreateTxtAsync(Txt("value", "example.test"), Cancelled));

        Assert.Equal(DnsProviderFault.SetUpNeeded, exception.Fault);
        var groups = $"/subscriptions/{AzureFixture.Subscription}/resourceGroups/";
        Assert.Contains(
            $"has 2 zones named example.test in /subscriptions/{AzureFixture.Subscription}, but DNS uses only one of them. "
            + $"Set ZoneResourceIds to the ID of that one: {groups}rg1/providers/Microsoft.Network/dnsZones/example.test, "
            + $"{groups}rg2/providers/Microsoft.Network/dnsZones/example.test.",
            exception.Message,
            StringComparison.Ordinal);
        Assert.Empty(_azure.Stub.Sets);

        _azure.Stub.Zones.RemoveAt(0);
        await provider.CreateTxtAsync(Txt("value", "example.test"), Cancelled);
        Assert.Single(_azure.Stub.Sets);
    }

    [Fact]
    public async Task Create_SecondZoneOfTheNameMadeLater_IsNoticedWithinTheHour()
    {
        var time = new FakeTimeProvider();
        var provider = _azure.CreateProvider(time: time);
        await provider.CreateTxtAsync(Txt("one", "example.test"), Cancelled);
        _azure.Stub.Zones.Add(("rg2", "example.test"));

        time.Advance(TimeSpan.FromMinutes(59));
        await provider.CreateTxtAsync(Txt("two", "example.test"), Cancelled);
        Assert.Equal(1, Lists);
        time.Advance(TimeSpan.FromMinutes(1));
        var exception = await Assert.ThrowsAsync<DnsProviderException>(
            () => provider.CreateTxtAsync(Txt("three", "example.test"), Cancelled));

        Assert.Equal(DnsProviderFault.SetUpNeeded, exception.Fault);
    }

    [Theory]
    [InlineData(429, DnsProviderFault.RateLimited)]
    [InlineData(503, DnsProviderFault.Unavailable)]
    [InlineData(403, DnsProviderFault.Unauthorized)]
    [InlineData(412, DnsProviderFault.Unavailable)]
    [InlineData(0, DnsProviderFault.Unauthorized)]
    public async Task Create_FailsButNotForTheZone_TheListIsKept(int status, DnsProviderFault fault)
    {
        var credential = new FailingLater();
        var provider = _azure.CreateProvider(credential);
        await provider.CreateTxtAsync(Txt("one", "example.test"), Cancelled);
        credential.Fails = status == 0;
        if (status == 412)
        {
            var i = 0;
            _azure.Stub.Meanwhile = key => _azure.Stub.Put(key, 60, [$"theirs-{i++}"]);
        }
        else if (status > 0)
        {
            _azure.Api.Refusals.Enqueue((status, "", "300"));
        }

        var exception = await Assert.ThrowsAsync<DnsProviderException>(
            () => provider.CreateTxtAsync(Txt("two", "example.test"), Cancelled));
        Assert.Equal(fault, exception.Fault);
        _azure.Stub.Meanwhile = null;
        credential.Fails = false;
        await provider.CreateTxtAsync(Txt("two", "example.test"), Cancelled);

        Assert.Contains("two", _azure.Stub.ValuesOf("example.test/_acme-challenge"));
        Assert.Equal(1, Lists);
    }

    [Theory]
    [InlineData(0, 3)]
    [InlineData(1, 2)]
    public async Task Create_ListThatLeadsBackIntoItself_EndsThere(int back, int lists)
    {
        _azure.Stub.Zones.Add(("rg1", "other.test"));
        _azure.Stub.PageSize = 1;
        _azure.Stub.LeadsBackTo = back;
        var provider = _azure.CreateProvider();

        await provider.CreateTxtAsync(Txt("value", "other.test"), Cancelled);

        Assert.Equal(["value"], _azure.Stub.ValuesOf("other.test/_acme-challenge"));
        Assert.Equal(lists, Lists);
    }

    private static DnsTxtRecord Txt(string value, string zone) =>
        new() { Zone = zone, Name = $"_acme-challenge.{zone}", ChallengeName = $"_acme-challenge.{zone}", Value = value };

    /// <summary>Issues tokens that expire at once, and none on demand.</summary>
    private sealed class FailingLater : TokenCredential
    {
        public bool Fails { get; set; }

        public override AccessToken GetToken(TokenRequestContext requestContext, CancellationToken cancellationToken)
            => Fails
                ? throw new AuthenticationFailedException("Refused.")
                : new AccessToken(AzureFixture.Token, TimeProvider.System.GetUtcNow());

        public override ValueTask<AccessToken> GetTokenAsync(TokenRequestContext requestContext, CancellationToken cancellationToken) =>
            ValueTask.FromResult(GetToken(requestContext, cancellationToken));
    }
}
