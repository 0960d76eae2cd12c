using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using KestrelAcme.Protocol.Accounts;
using KestrelAcme.Protocol.Certificates;
using KestrelAcme.Testing.Servers;
using Xunit;

namespace KestrelAcme.Protocol.Tests.Servers;

public sealed class PebbleIssuanceTests : ServerTest
{
    [Theory]
    [InlineData(0, 0)]
    [InlineData(5, 0)]
    [InlineData(50, 0)]
    [InlineData(5, 100)]
    public async Task Obtain_RejectedNoncesAndReuse_ThreeCertificates(int rejectedNonces, int reuse)
    {
        await using var at = await PebbleAccount.StartAsync(
            new PebbleOptions { NonceRejectPercent = rejectedNonces, AuthorizationReusePercent = reuse });

        for (var i = 0; i < 3; i++)
        {
            using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
            var order = await at.ObtainAsync(key, "a.example", "b.example");
            var chain = await at.Account.DownloadCertificateAsync(order.CertificateUrl!, Cancellation);
            Assert.Equal(2, chain.Certificates.Count);
        }
    }

    [Theory]
    [InlineData(AccountKeyAlgorithm.ES256)]
    [InlineData(AccountKeyAlgorithm.ES384)]
    [InlineData(AccountKeyAlgorithm.RS256)]
    public async Task Obtain_AccountKeys_NamesAndAddressInOneCertificateOfOurKey(AccountKeyAlgorithm algorithm)
    {
        await using var at = await PebbleAccount.StartAsync(new PebbleOptions { ChainLength = 3 }, algorithm);
        using var key = RSA.Create(2048);

        var order = await at.ObtainAsync(key, "a.example", "127.0.0.1", "b.example");

        var chain = await at.Account.DownloadCertificateAsync(order.CertificateUrl!, Cancellation);
        using var leaf = X509CertificateLoader.LoadCertificate(chain.Leaf.Span);
        var names = leaf.Extensions.OfType<X509SubjectAlternativeNameExtension>().Single();
        Assert.Equal(["a.example", "b.example"], names.EnumerateDnsNames().Order());
        Assert.Equal("127.0.0.1", Assert.Single(names.EnumerateIPAddresses()).ToString());
        Assert.Equal(key.ExportSubjectPublicKeyInfo(), leaf.PublicKey.ExportSubjectPublicKeyInfo());
        Assert.Equal(4, chain.Certificates.Count);
    }

    [Fact]
    public async Task Obtain_WrongAnswer_SaysWhichNameAndWhy()
    {
        await using var at = await PebbleAccount.StartAsync();
        var order = await at.Account.CreateOrderAsync(
            new() { Identifiers = [Protocol.Identifiers.AcmeIdentifier.Dns("a.example")] }, Cancellation);
        var authorization = await at.Account.GetAuthorizationAsync(order.AuthorizationUrls[0], Cancellation);

        await at.Account.AcceptChallengeAsync(authorization.FindChallenge("http-01")!.Url, Cancellation);
        authorization = await at.Account.WaitForAuthorizationAsync(authorization.Url, null, Cancellation);
        order = await at.Account.WaitForOrderAsync(order.Url, _ => false, null, Cancellation);

        Assert.Equal(Protocol.Authorizations.AuthorizationStatus.Invalid, authorization.Status);
        Assert.Contains(authorization.Challenges, challenge => challenge.Error?.Is(Protocol.Problems.AcmeProblemTypes.Connection) == true);
        Assert.Equal(Protocol.Orders.OrderStatus.Invalid, order.Status);
    }

    [Fact]
    public async Task DownloadAllChainsAsync_AlternateRoots_SelectsByIssuer()
    {
        await using var at = await PebbleAccount.StartAsync(new PebbleOptions { AlternateRoots = 2 });
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP384);
        var order = await at.ObtainAsync(key, "a.example");

        var chains = await at.Account.DownloadAllChainsAsync(order.CertificateUrl!, Cancellation);

        Assert.Equal(3, chains.Count);
        using var root = X509Certificate2.CreateFromPem(await at.Pebble.GetIssuingRootPemAsync(2, Cancellation));
        var chosen = ChainSelector.Select(chains, root.GetNameInfo(X509NameType.SimpleName, forIssuer: false));
        Assert.NotSame(chains[0], chosen);
        using var top = X509CertificateLoader.LoadCertificate(chosen.Certificates[^1].Span);
        Assert.Equal(root.Subject, top.Issuer);
    }

    [Fact]
    public async Task RevokeCertificateAsync_ByAccountAndByCertificateKey_BothWork()
    {
        await using var at = await PebbleAccount.StartAsync();
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var first = await at.Account.DownloadCertificateAsync((await at.ObtainAsync(key, "a.example")).CertificateUrl!, Cancellation);
        var second = await at.Account.DownloadCertificateAsync((await at.ObtainAsync(key, "b.example")).CertificateUrl!, Cancellation);

        await at.Account.RevokeCertificateAsync(first.Leaf, RevocationReason.Superseded, Cancellation);
        await at.Client.RevokeCertificateAsync(second.Leaf, key, RevocationReason.KeyCompromise, Cancellation);

        var again = await Assert.ThrowsAsync<Protocol.Problems.AcmeException>(
            () => at.Account.RevokeCertificateAsync(first.Leaf, null, Cancellation));
        Assert.True(again.HasProblem(Protocol.Problems.AcmeProblemTypes.AlreadyRevoked));
    }
}
