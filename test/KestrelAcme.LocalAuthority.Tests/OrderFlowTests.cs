using KestrelAcme.LocalAuthority.Tests.Client;
using Xunit;

namespace KestrelAcme.LocalAuthority.Tests;

public sealed class OrderFlowTests
{
    [Theory]
    [InlineData("ES256")]
    [InlineData("ES384")]
    [InlineData("RS256")]
    public async Task Order_AccountKeyOfEachAlgorithm_CertificateIsIssued(string algorithm)
    {
        await using var server = await ChallengeServer.StartAsync();
        await using var authority = await LocalAcmeAuthority.StartAsync(
            o => o.Resolve("*", server.Endpoint), TestContext.Current.CancellationToken);
        using var client = new TestClient(authority, TestKey.ByAlgorithm(algorithm));
        Assert.Equal(201, (await client.RegisterAsync()).Status);

        var certificate = await client.ObtainAsync(server, "app.test", "www.app.test");

        Assert.Equal(2, certificate.Chain.Count);
        Assert.True(certificate.Leaf.MatchesHostname("www.app.test"));
        Assert.Equal(certificate.Key.ExportSubjectPublicKeyInfo(), certificate.Leaf.PublicKey.ExportSubjectPublicKeyInfo());
        Assert.Equal(certificate.Leaf.SerialNumber, Assert.Single(authority.Issued).SerialNumber);
    }

    [Fact]
    public async Task Order_ManyAccountsAtOnce_EachGetsItsCertificates()
    {
        await using var fixture = await AuthorityFixture.StartAsync(register: false);
        await Task.WhenAll(Enumerable.Range(0, 10).Select(async account =>
        {
            using var client = new TestClient(fixture.Authority);
            await client.RegisterAsync();
            for (var i = 0; i < 5; i++)
            {
                var certificate = await client.ObtainAsync(fixture.Server, $"n{i}.a{account}.test");
                Assert.True(certificate.Leaf.MatchesHostname($"n{i}.a{account}.test"));
            }
        }));
        Assert.Equal(50, fixture.Authority.Issued.Select(c => c.SerialNumber).Distinct().Count());
        Assert.Equal(10, fixture.Authority.Issued.Select(c => c.AccountId).Distinct().Count());
    }
}
