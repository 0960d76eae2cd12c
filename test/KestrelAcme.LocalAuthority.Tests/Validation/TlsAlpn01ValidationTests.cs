using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using KestrelAcme.LocalAuthority.Tests.Client;
using Xunit;

namespace KestrelAcme.LocalAuthority.Tests.Validation;

public sealed class TlsAlpn01ValidationTests
{
    [Theory]
    [InlineData("app.test", "app.test")]
    [InlineData("127.0.0.1", "1.0.0.127.in-addr.arpa")]
    [InlineData("::1", "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.ip6.arpa")]
    public async Task TlsAlpn01_GoodCertificate_IsValidAndServerNameIsRight(string name, string serverName)
    {
        var (status, names) = await ValidateAsync(name, digest => ChallengeServerTls.Certificate([name], digest));
        Assert.Equal("valid", status);
        Assert.Equal(serverName, names.Single());
    }

    [Fact]
    public Task TlsAlpn01_OtherDigest_IsInvalid() =>
        AssertInvalidAsync(digest => ChallengeServerTls.Certificate(["app.test"], SHA256.HashData(digest)));

    [Fact]
    public Task TlsAlpn01_ExtensionNotCritical_IsInvalid() =>
        AssertInvalidAsync(digest => ChallengeServerTls.Certificate(["app.test"], digest, critical: false));

    [Fact]
    public Task TlsAlpn01_AnotherNameBesides_IsInvalid() =>
        AssertInvalidAsync(digest => ChallengeServerTls.Certificate(["app.test", "b.test"], digest));

    [Fact]
    public Task TlsAlpn01_AnotherName_IsInvalid() => AssertInvalidAsync(digest => ChallengeServerTls.Certificate(["b.test"], digest));

    [Fact]
    public Task TlsAlpn01_DigestTooShort_IsInvalid() =>
        AssertInvalidAsync(digest => ChallengeServerTls.Certificate(["app.test"], digest[..31]));

    [Fact]
    public Task TlsAlpn01_OtherProtocol_IsInvalid() =>
        AssertInvalidAsync(digest => ChallengeServerTls.Certificate(["app.test"], digest), "h2");

    private static async Task AssertInvalidAsync(Func<byte[], X509Certificate2> make, string protocol = "acme-tls/1") =>
        Assert.Equal("invalid", (await ValidateAsync("app.test", make, protocol)).Status);

    private static async Task<(string Status, IReadOnlyCollection<string?> Names)> ValidateAsync(
        string name, Func<byte[], X509Certificate2> make, string protocol = "acme-tls/1")
    {
        byte[] digest = [];
        await using var tls = new ChallengeServerTls(() => make(digest), protocol);
        await using var fixture = await AuthorityFixture.StartAsync(
            o => o.Resolve(name, new IPEndPoint(IPAddress.Loopback, 1), tls.Endpoint));
        var order = await fixture.Client.OrderAsync(name);
        var url = order.Texts("authorizations")[0];
        var challenge = await fixture.Client.ChallengeAsync(url, "tls-alpn-01");
        digest = SHA256.HashData(Encoding.ASCII.GetBytes($"{challenge.Token}.{fixture.Client.Key.Thumbprint()}"));
        await fixture.Client.PostAsync(challenge.Url, "{}");
        return ((await fixture.Client.SettledAsync(url)).Text("status"), tls.Names);
    }
}
