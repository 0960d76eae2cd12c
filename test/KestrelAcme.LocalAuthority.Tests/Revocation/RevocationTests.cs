using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Nodes;
using KestrelAcme.LocalAuthority.Tests.Client;
using KestrelAcme.Testing;
using Xunit;

namespace KestrelAcme.LocalAuthority.Tests.Revocation;

public sealed class RevocationTests
{
    [Theory]
    [InlineData(true, null)]
    [InlineData(true, 4)]
    [InlineData(false, 1)]
    public async Task Revoke_ByAccountOrCertificateKey_CrlListsIt(bool byAccount, int? reason)
    {
        await using var fixture = await AuthorityFixture.StartAsync();
        var revoked = await fixture.Client.ObtainAsync(fixture.Server, "app.test");
        var good = await fixture.Client.ObtainAsync(fixture.Server, "good.test");
        using var byKey = new TestClient(fixture.Authority, TestKey.Of(revoked.Key));
        var response = await RevokeAsync(byAccount ? fixture.Client : byKey, revoked.Leaf, reason);
        Assert.Equal((200, ""), (response.Status, response.Body));

        using var folder = new TemporaryFolder();
        var crl = await CrlAsync(fixture, folder);
        var text = await OpenSsl.RunAsync("crl", "-inform", "DER", "-in", crl, "-noout", "-text");

        Assert.Contains("Serial Number: " + PlainSerial(revoked), text, StringComparison.Ordinal);
        Assert.DoesNotContain(PlainSerial(good), text, StringComparison.Ordinal);
        Assert.Equal(reason == 1, text.Contains("Key Compromise", StringComparison.Ordinal));
        Assert.Equal(reason == 4, text.Contains("Superseded", StringComparison.Ordinal));
        Assert.Contains("X509v3 CRL Number", text, StringComparison.Ordinal);
        Assert.Contains("certificate revoked", await VerifyAsync(fixture, folder, revoked, crl), StringComparison.Ordinal);
        Assert.Contains("leaf.pem: OK", await VerifyAsync(fixture, folder, good, crl), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Revoke_Twice_IsAlreadyRevoked()
    {
        await using var fixture = await AuthorityFixture.StartAsync();
        var certificate = await fixture.Client.ObtainAsync(fixture.Server, "app.test");
        await RevokeAsync(fixture.Client, certificate.Leaf);
        var again = await RevokeAsync(fixture.Client, certificate.Leaf);
        Assert.Equal((400, "alreadyRevoked"), (again.Status, again.Problem));
    }

    [Theory]
    [InlineData(2)]
    [InlineData(6)]
    [InlineData(99)]
    public async Task Revoke_ReasonNotAccepted_IsBadRevocationReason(int reason)
    {
        await using var fixture = await AuthorityFixture.StartAsync();
        var certificate = await fixture.Client.ObtainAsync(fixture.Server, "app.test");
        Assert.Equal("badRevocationReason", (await RevokeAsync(fixture.Client, certificate.Leaf, reason)).Problem);
        Assert.Empty(fixture.Authority.Revoked);
    }

    [Fact]
    public async Task Revoke_ByAnotherAccount_IsUnauthorizedUnlessItHoldsTheNames()
    {
        await using var fixture = await AuthorityFixture.StartAsync();
        var certificate = await fixture.Client.ObtainAsync(fixture.Server, "app.test");
        using var other = new TestClient(fixture.Authority);
        await other.RegisterAsync();
        Assert.Equal((403, "unauthorized"), Of(await RevokeAsync(other, certificate.Leaf)));

        await other.ReadyOrderAsync(fixture.Server, "app.test");

        Assert.Equal(200, (await RevokeAsync(other, certificate.Leaf)).Status);
    }

    [Fact]
    public async Task Revoke_ByAnotherKey_IsUnauthorized()
    {
        await using var fixture = await AuthorityFixture.StartAsync();
        var certificate = await fixture.Client.ObtainAsync(fixture.Server, "app.test");
        using var other = new TestClient(fixture.Authority);
        Assert.Equal((403, "unauthorized"), Of(await RevokeAsync(other, certificate.Leaf)));
    }

    [Fact]
    public async Task Revoke_CertificateOfAnotherIssuer_IsNotFound()
    {
        await using var fixture = await AuthorityFixture.StartAsync();
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=app.test", key, HashAlgorithmName.SHA256);
        using var foreign = request.CreateSelfSigned(TimeProvider.System.GetUtcNow(), TimeProvider.System.GetUtcNow().AddDays(1));
        Assert.Equal(404, (await RevokeAsync(fixture.Client, foreign)).Status);
        Assert.Equal(404, (await RevokeAsync(fixture.Client, fixture.Authority.IntermediateCertificate)).Status);
    }

    [Fact]
    public async Task Crl_Later_IsSignedAnewWithAHigherNumber()
    {
        var time = new FakeTimeProvider();
        await using var fixture = await AuthorityFixture.StartAsync(o => o.TimeProvider = time);
        using var folder = new TemporaryFolder();
        var first = await NumberAsync(await CrlAsync(fixture, folder));
        var same = await NumberAsync(await CrlAsync(fixture, folder));
        time.Advance(TimeSpan.FromHours(2));
        var second = await NumberAsync(await CrlAsync(fixture, folder));
        Assert.Equal(first, same);
        Assert.True(string.CompareOrdinal(second, first) > 0, $"{second} after {first}");
    }

    // openssl omits the zero byte that DER requires before a set first bit.
    private static string PlainSerial(TestCertificate certificate) =>
        Convert.ToHexString(certificate.Leaf.SerialNumberBytes.Span.TrimStart((byte)0));

    private static (int, string) Of(TestResponse response) => (response.Status, response.Problem);

    private static async Task<string> NumberAsync(string crl) =>
        await OpenSsl.RunAsync("crl", "-inform", "DER", "-in", crl, "-noout", "-crlnumber");

    private static async Task<string> CrlAsync(AuthorityFixture fixture, TemporaryFolder folder)
    {
        var path = Path.Combine(folder.Path, "list.crl");
        var der = await fixture.Client.Http.GetByteArrayAsync(fixture.Authority.RevocationListUrl, TestContext.Current.CancellationToken);
        await File.WriteAllBytesAsync(path, der, TestContext.Current.CancellationToken);
        return path;
    }

    private static Task<string> VerifyAsync(AuthorityFixture fixture, TemporaryFolder folder, TestCertificate certificate, string crl) =>
        OpenSsl.RunAsync(
        "verify", "-crl_check", "-CRLfile", crl, "-CAfile", fixture.Authority.RootPemPath,
            "-untrusted", folder.Write("chain.pem", certificate.Download.Body),
            folder.Write("leaf.pem", certificate.Leaf.ExportCertificatePem()));

    private static async Task<TestResponse> RevokeAsync(TestClient client, X509Certificate2 certificate, int? reason = null)
    {
        var payload = new JsonObject { ["certificate"] = TestKey.Encode(certificate.RawData) };
        if (reason is not null)
        {
            payload["reason"] = reason;
        }

        return await client.PostAsync(await client.UrlAsync("revokeCert"), payload);
    }
}
