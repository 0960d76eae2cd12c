using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using KestrelAcme.LocalAuthority.Tests.Client;
using Xunit;

namespace KestrelAcme.LocalAuthority.Tests.Validation;

public sealed class Dns01ValidationTests
{
    private readonly ConcurrentDictionary<string, List<string>> _records = new();

    [Fact]
    public async Task Dns01_ApexAndWildcard_TwoValuesUnderOneName()
    {
        await using var fixture = await StartAsync();
        var order = await fixture.Client.OrderAsync("app.test", "*.app.test");
        foreach (var url in order.Texts("authorizations"))
        {
            var challenge = await fixture.Client.ChallengeAsync(url, "dns-01");
            var digest = SHA256.HashData(Encoding.ASCII.GetBytes($"{challenge.Token}.{fixture.Client.Key.Thumbprint()}"));
            _records.GetOrAdd("_acme-challenge.app.test", _ => []).Add(TestKey.Encode(digest));
            await fixture.Client.PostAsync(challenge.Url, "{}");
            Assert.Equal("valid", (await fixture.Client.SettledAsync(url)).Text("status"));
        }

        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var done = await fixture.Client.FinalizeAsync(order, TestFlow.Csr(key, "app.test", "*.app.test"));

        Assert.Equal("valid", done.Text("status"));
        Assert.True(fixture.Authority.Issued[0].Certificate.MatchesHostname("x.app.test"));
    }

    [Fact]
    public async Task Dns01_NoRecord_IsUnauthorized() => Assert.Equal("unauthorized", await ErrorAsync(await StartAsync()));

    [Fact]
    public async Task Dns01_LookUpFails_IsADnsProblem() => Assert.Equal("dns", await ErrorAsync(
        await AuthorityFixture.StartAsync(o => o.TxtLookup = (_, _) => throw new InvalidOperationException("SERVFAIL"))));

    [Fact]
    public async Task Dns01_NoLookUp_IsADnsProblem() => Assert.Equal("dns", await ErrorAsync(await AuthorityFixture.StartAsync()));

    [Theory]
    [InlineData("*.app.test", "dns-01")]
    [InlineData("app.test", "dns-01 http-01 tls-alpn-01")]
    [InlineData("127.0.0.1", "http-01 tls-alpn-01")]
    [InlineData("::1", "http-01 tls-alpn-01")]
    public async Task Authorization_Identifier_DecidesTheChallengesOffered(string name, string types)
    {
        await using var fixture = await AuthorityFixture.StartAsync();
        var order = await fixture.Client.OrderAsync(name);
        var authorization = await fixture.Client.PostAsync(order.Texts("authorizations")[0]);
        var offered = authorization.Json["challenges"]!.AsArray().Select(c => (string?)c!["type"]).Order(StringComparer.Ordinal);
        Assert.Equal(types, string.Join(' ', offered));
        Assert.Equal(name[0] == '*', (bool?)authorization.Json["wildcard"] ?? false);
        Assert.Equal(name.Replace("*.", "", StringComparison.Ordinal), (string?)authorization.Json["identifier"]!["value"]);
    }

    private Task<AuthorityFixture> StartAsync() => AuthorityFixture.StartAsync(o => o.TxtLookup = (name, _) =>
        Task.FromResult<IReadOnlyList<string>>(_records.TryGetValue(name, out var values) ? values : []));

    private static async Task<string> ErrorAsync(AuthorityFixture fixture)
    {
        await using (fixture)
        {
            var order = await fixture.Client.OrderAsync("app.test");
            var challenge = await fixture.Client.ChallengeAsync(order.Texts("authorizations")[0], "dns-01");
            await fixture.Client.PostAsync(challenge.Url, "{}");
            var settled = await fixture.Client.SettledAsync(order.Texts("authorizations")[0]);
            var error = settled.Json["challenges"]!.AsArray().Single(c => c!["error"] is not null)!["error"]!["type"]!;
            return ((string)error!).Replace("urn:ietf:params:acme:error:", "", StringComparison.Ordinal);
        }
    }
}
