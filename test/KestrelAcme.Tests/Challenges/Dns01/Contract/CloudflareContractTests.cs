using KestrelAcme.Challenges.Dns01;
using KestrelAcme.Challenges.Dns01.Cloudflare;
using KestrelAcme.Tests.Challenges.Dns01.Servers;
using Xunit;

namespace KestrelAcme.Tests.Challenges.Dns01.Contract;

/// <summary>Uses a stub that follows the API's documentation.</summary>
public sealed class CloudflareContractTests : DnsProviderContract
{
    private const string Token = "good-token-value";
    private const string WrongToken = "wrong-token-value";

    private readonly CloudflareStub _stub = new(Token, "test", "example.test", "other.test");
    private StubApi? _api;

    private StubApi Api => _api ?? throw new InvalidOperationException("Not started.");

    protected override string ServerText => Api.Url.Authority;

    protected override IEnumerable<string> Secrets => [Token, WrongToken];

    // The stub has the zone "test", which is at or above every name here.
    protected override bool KnowsItsZones => false;

    public override async ValueTask InitializeAsync() => _api = await StubApi.StartAsync(_stub.Map, Cancelled);

    public override ValueTask DisposeAsync() => Api.DisposeAsync();

    [Fact]
    public async Task Create_SeveralZonesFit_TakesTheLongest()
    {
        await CreateProvider(goodCredentials: true).CreateTxtAsync(Txt("_acme-challenge.www.example.test"), Cancelled);

        Assert.Equal("example.test", Assert.Single(_stub.Records).Zone);
    }

    [Fact]
    public async Task Create_NoZoneOfTheAccount_SaysWhatTheTokenNeeds()
    {
        var record = Txt("_acme-challenge.foreign.org") with { Zone = "foreign.org" };

        var exception = await Assert.ThrowsAsync<DnsProviderException>(
            () => CreateProvider(goodCredentials: true).CreateTxtAsync(record, Cancelled));

        Assert.Equal(DnsProviderFault.ZoneNotFound, exception.Fault);
        Assert.Contains(
            $"{Api.Url.Authority} shows no zone for _acme-challenge.foreign.org (zone foreign.org)",
            exception.Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task Delete_ManyValuesOnSeveralPages_FindsItsOwn()
    {
        _stub.LargestPage = 2;
        var provider = CreateProvider(goodCredentials: true);
        foreach (var i in Enumerable.Range(0, 7))
        {
            await provider.CreateTxtAsync(Txt(ChallengeName, $"value-{i}"), Cancelled);
        }

        await provider.DeleteTxtAsync(Txt(ChallengeName, "value-6"), Cancelled);

        Assert.Equal(6, (await ValuesAsync()).Count);
        Assert.DoesNotContain("value-6", await ValuesAsync());
    }

    [Theory]
    [InlineData(401, DnsProviderFault.Unauthorized, "Zone.DNS Edit")]
    [InlineData(403, DnsProviderFault.Unauthorized, "Zone.DNS Edit")]
    [InlineData(400, DnsProviderFault.Refused, "Made-up trouble (code 1234)")]
    [InlineData(500, DnsProviderFault.Unavailable, "responded with 500 for zone example.test")]
    public async Task Create_Refused_QuotesTheErrors(int status, DnsProviderFault fault, string expected)
    {
        Api.Refusals.Enqueue(
            (status, """{"success":false,"errors":[{"code":1234,"message":"Made-up\ntrouble"}],"messages":[],"result":null}""", null));

        var exception = await Assert.ThrowsAsync<DnsProviderException>(
            () => CreateProvider(goodCredentials: true).CreateTxtAsync(Txt(ChallengeName), Cancelled));

        Assert.Equal(fault, exception.Fault);
        Assert.Contains("Made-up trouble (code 1234)", exception.Message, StringComparison.Ordinal);
        Assert.Contains(expected, exception.Message, StringComparison.Ordinal);
        Assert.Single(Api.Requests);
    }

    [Fact]
    public async Task Create_LongRateLimit_ReportsTheDelayAndDoesNotRetry()
    {
        Api.Refusals.Enqueue(
            (
                429,
                """{"success":false,"errors":[{"code":971,"message":"Please wait and consider throttling your request speed"}]}""",
                "300"));

        var exception = await Assert.ThrowsAsync<DnsProviderException>(
            () => CreateProvider(goodCredentials: true).CreateTxtAsync(Txt(ChallengeName), Cancelled));

        Assert.Equal((DnsProviderFault.RateLimited, TimeSpan.FromSeconds(300)), (exception.Fault, exception.RetryAfter));
        Assert.Single(Api.Requests);
    }

    [Fact]
    public async Task Create_BusyOnce_IsRetried()
    {
        Api.Refusals.Enqueue((503, "<html>busy</html>", "1"));

        await CreateProvider(goodCredentials: true).CreateTxtAsync(Txt(ChallengeName), Cancelled);

        Assert.Single(_stub.Records);
    }

    internal override IDnsProvider CreateProvider(bool goodCredentials) => new CloudflareProvider(
        ProviderSettings.Of(
            new CloudflareOptions { ApiUrl = Api.Url.ToString(), ApiToken = goodCredentials ? Token : WrongToken },
            CloudflareOptions.ProviderType),
        TimeProvider.System);

    protected override Task<IReadOnlyList<string>> ValuesAsync()
        => Task.FromResult<IReadOnlyList<string>>(
            [.. _stub.Records.Where(r => r.Name == RecordName).Select(r => r.Content.Trim('"')).Order(StringComparer.Ordinal)]);

    private static DnsTxtRecord Txt(string name, string value = "value")
        => new() { Zone = "example.test", Name = name, ChallengeName = name, Value = value };
}
