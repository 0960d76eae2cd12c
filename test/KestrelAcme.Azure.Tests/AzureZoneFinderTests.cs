using KestrelAcme.Challenges.Dns01;
using KestrelAcme.Testing;
using Xunit;

namespace KestrelAcme.Azure.Tests;

/// <summary>Which zone a record is put into, while zones come, go and have namesakes.</summary>
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
            options.ZoneResourceIds = configured ? $"/subscriptions/{AzureFixture.Subscription}/resourceGroups/rg1/providers/Microsoft.Network/dnszones/example.test" : null;
        });

        var exception = await Assert.ThrowsAsync<DnsProviderException>(() => provider.CreateTxtAsync(Txt("value", "app.example.test"), Cancelled));

        Assert.Equal(DnsProviderFault.ZoneNotFound, exception.Fault);
        Assert.Contains("zone app.example.test, which in DNS holds _acme-challenge.app.example.test".Replace("zone ", configured ? "zone " : "zone named ", StringComparison.Ordinal), exception.Message, StringComparison.Ordinal);
        Assert.Empty(_azure.Stub.Sets);
    }

    [Fact]
    public async Task Create_TwoZonesOfOneName_IsRefusedUntilOneIsLeft()
    {
        _azure.Stub.Zones.Add(("rg2", "example.test"));
        var provider = _azure.CreateProvider();

        var exception = await Assert.ThrowsAsync<DnsProviderException>(() => provider.CreateTxtAsync(Txt("value", "example.test"), Cancelled));

        Assert.Equal(DnsProviderFault.SetUpNeeded, exception.Fault);
        var groups = $"/subscriptions/{AzureFixture.Subscription}/resourceGroups/";
        Assert.Contains(
            $"shows 2 zones named example.test in /subscriptions/{AzureFixture.Subscription}, of which DNS shows one. Give ZoneResourceIds with the id of that one: " +
            $"{groups}rg1/providers/Microsoft.Network/dnsZones/example.test, {groups}rg2/providers/Microsoft.Network/dnsZones/example.test.",
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
        var exception = await Assert.ThrowsAsync<DnsProviderException>(() => provider.CreateTxtAsync(Txt("three", "example.test"), Cancelled));

        Assert.Equal(DnsProviderFault.SetUpNeeded, exception.Fault);
    }

    private static DnsTxtRecord Txt(string value, string zone) => new() { Zone = zone, Name = $"_acme-challenge.{zone}", ChallengeName = $"_acme-challenge.{zone}", Value = value };
}
