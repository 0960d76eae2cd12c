using System.Security.Cryptography;
using KestrelAcme.Protocol.Certificates;
using KestrelAcme.Protocol.Problems;
using KestrelAcme.Protocol.Tests.Scripted;
using Xunit;

namespace KestrelAcme.Protocol.Tests.Certificates;

public sealed class CertificateDownloadTests : ScriptedTest
{
    private const string ChainType = "application/pem-certificate-chain";
    private static readonly Uri Url = new("https://acme.test/cert/1");
    private static readonly byte[] Leaf = TestCertificates.IssuedBy("Intermediate");
    private static readonly byte[] Upper = TestCertificates.IssuedBy("Root A", "Intermediate");

    [Fact]
    public async Task DownloadAllChainsAsync_Alternates_AreFollowedAndMissingOnesLeftOut()
    {
        var other = TestCertificates.IssuedBy("Root B", "Intermediate");
        Server.On(
            "/cert/1",
            Answer.Text(
                200,
                ChainType,
                TestCertificates.Pem(Leaf, Upper),
                ("Link", "</cert/1/1>;rel=\"alternate\", </cert/1/2>;rel=\"alternate\"")));
        Server.On("/cert/1/1", Answer.Text(404, "text/plain", ""));
        Server.On("/cert/1/2", Answer.Text(200, ChainType, TestCertificates.Pem(Leaf, other)));

        var chains = await Account.DownloadAllChainsAsync(Url, Cancellation);

        Assert.Equal(2, chains.Count);
        Assert.Equal(Leaf, chains[0].Leaf.ToArray());
        Assert.Equal(TestCertificates.Pem(Leaf, Upper), chains[0].ToPem());
        Assert.Equal("https://acme.test/cert/1/2", ChainSelector.Select(chains, "root b").Url.AbsoluteUri);
        Assert.Same(chains[0], ChainSelector.Select(chains, null));
        Assert.Same(chains[0], ChainSelector.Select(chains, "Root C"));
    }

    [Fact]
    public void Select_NameInSeveralChains_PrefersTheTopmost()
    {
        var below = Chain(TestCertificates.IssuedBy("Wanted"), TestCertificates.IssuedBy("Other", "Wanted"));
        var top = Chain(TestCertificates.IssuedBy("Middle"), TestCertificates.IssuedBy("Wanted", "Middle"));

        Assert.Same(top, ChainSelector.Select([below, top], "Wanted"));
        Assert.Same(below, ChainSelector.Select([Chain(Leaf), below], "Wanted"));
    }

    [Fact]
    public async Task DownloadCertificateAsync_PrivateKeyInside_IsRefused()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        Server.On("/cert/1", Answer.Text(200, ChainType, TestCertificates.Pem(Leaf) + key.ExportPkcs8PrivateKeyPem()));

        var exception = await Assert.ThrowsAsync<AcmeMalformedResponseException>(() => Account.DownloadCertificateAsync(Url, Cancellation));

        Assert.Contains("holds a PRIVATE KEY", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task DownloadCertificateAsync_TooManyOrDamaged_IsRefused()
    {
        Server.On("/cert/1", Answer.Text(200, ChainType, TestCertificates.Pem([.. Enumerable.Repeat(Leaf, 21)])));
        await Assert.ThrowsAsync<AcmeMalformedResponseException>(() => Account.DownloadCertificateAsync(Url, Cancellation));
        Server.On("/cert/1", Answer.Text(200, ChainType, TestCertificates.Pem([1, 2, 3])));
        await Assert.ThrowsAsync<AcmeMalformedResponseException>(() => Account.DownloadCertificateAsync(Url, Cancellation));
        Server.On("/cert/1", Answer.Text(200, "text/html", "<html>"));
        var exception = await Assert.ThrowsAsync<AcmeMalformedResponseException>(() => Account.DownloadCertificateAsync(Url, Cancellation));
        Assert.Contains("text/html", exception.Message, StringComparison.Ordinal);

        Server.On("/cert/1", Answer.Text(200, ChainType, TestCertificates.Pem([.. Enumerable.Repeat(Leaf, 20)])));
        Assert.Equal(20, (await Account.DownloadCertificateAsync(Url, Cancellation)).Certificates.Count);
    }

    [Fact]
    public async Task RevokeCertificateAsync_CertificateKey_SignsWithItsJwk()
    {
        using var key = RSA.Create(2048);
        Server.On("/revoke", Answer.Empty(200));

        await Client.RevokeCertificateAsync(new byte[] { 255 }, key, RevocationReason.KeyCompromise, Cancellation);

        var request = Assert.Single(Server.To("/revoke"));
        Assert.Equal("RS256", request.Header.GetProperty("alg").GetString());
        Assert.Equal("RSA", request.Header.GetProperty("jwk").GetProperty("kty").GetString());
        Assert.Equal("""{"certificate":"_w","reason":1}""", request.Payload);
    }

    private static CertificateChain Chain(params byte[][] certificates) =>
        new() { Url = Url, Certificates = [.. certificates.Select(der => (ReadOnlyMemory<byte>)der)] };
}
