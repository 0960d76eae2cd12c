using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Nodes;
using KestrelAcme.LocalAuthority.Tests.Client;
using KestrelAcme.Testing;
using Xunit;

namespace KestrelAcme.LocalAuthority.Tests.Certificates;

public sealed class ChainTests
{
    [Fact]
    public async Task Download_DefaultChain_OpensslVerifiesItAgainstTheRoot()
    {
        await using var fixture = await AuthorityFixture.StartAsync();
        var certificate = await fixture.Client.ObtainAsync(fixture.Server, "app.test", "127.0.0.1");
        using var folder = new TemporaryFolder();
        var leaf = folder.Write("leaf.pem", certificate.Leaf.ExportCertificatePem());
        var chain = folder.Write("chain.pem", certificate.Download.Body);

        var output = await OpenSsl.RunAsync(
            "verify", "-x509_strict", "-purpose", "sslserver", "-verify_hostname", "app.test",
            "-CAfile", fixture.Authority.RootPemPath, "-untrusted", chain, leaf);

        Assert.EndsWith("leaf.pem: OK", output.Trim(), StringComparison.Ordinal);
        var text = await OpenSsl.RunAsync("x509", "-in", leaf, "-noout", "-text");
        Assert.Contains("DNS:app.test, IP Address:127.0.0.1", text, StringComparison.Ordinal);
        Assert.Contains("URI:" + fixture.Authority.RevocationListUrl, text, StringComparison.Ordinal);
        Assert.Contains("TLS Web Server Authentication", text, StringComparison.Ordinal);
        Assert.DoesNotContain("Client Authentication", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Download_AlternateChain_EndsInTheOtherRoot()
    {
        await using var fixture = await AuthorityFixture.StartAsync(o => o.OfferAlternateChain = true);
        var certificate = await fixture.Client.ObtainAsync(fixture.Server, "app.test");
        var link = certificate.Download.Links.Single(l => l.EndsWith("rel=\"alternate\"", StringComparison.Ordinal));
        var alternate = await fixture.Client.DownloadAsync(link[1..link.IndexOf('>', StringComparison.Ordinal)], certificate.Key);
        using var folder = new TemporaryFolder();
        var root = folder.Write("root.pem", fixture.Authority.AlternateRootCertificate.ExportCertificatePem());
        var leaf = folder.Write("leaf.pem", certificate.Leaf.ExportCertificatePem());
        var chain = folder.Write("chain.pem", alternate.Download.Body);

        var output = await OpenSsl.RunAsync("verify", "-x509_strict", "-CAfile", root, "-untrusted", chain, leaf);

        Assert.EndsWith("leaf.pem: OK", output.Trim(), StringComparison.Ordinal);
        Assert.Equal(3, alternate.Chain.Count);
        Assert.Contains(alternate.Download.Links, l => l.Contains("alternate", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Download_AlternateNotOffered_HasNoLinkAndIsNotFound()
    {
        await using var fixture = await AuthorityFixture.StartAsync();
        var certificate = await fixture.Client.ObtainAsync(fixture.Server, "app.test");
        Assert.DoesNotContain(certificate.Download.Links, l => l.Contains("alternate", StringComparison.Ordinal));
        var id = fixture.Authority.Issued[0].Id;
        var url = fixture.Client.DirectoryUrl.Replace("/directory", $"/certificate/{id}/1", StringComparison.Ordinal);
        Assert.Equal(404, (await fixture.Client.PostAsync(url)).Status);
    }

    [Fact]
    public async Task Download_BySomebodyElse_IsUnauthorized()
    {
        await using var fixture = await AuthorityFixture.StartAsync();
        await fixture.Client.ObtainAsync(fixture.Server, "app.test");
        using var other = new TestClient(fixture.Authority);
        await other.RegisterAsync();
        var url = fixture.Client.DirectoryUrl.Replace(
            "/directory", $"/certificate/{fixture.Authority.Issued[0].Id}", StringComparison.Ordinal);
        var response = await other.PostAsync(url);
        Assert.Equal((403, "unauthorized"), (response.Status, response.Problem));
    }

    [Fact]
    public async Task Issue_SimulatedTime_ValidityFollowsItAndAuthorityItselfStaysReachable()
    {
        var time = new FakeTimeProvider(new DateTimeOffset(2031, 5, 1, 10, 0, 0, TimeSpan.Zero));
        await using var fixture = await AuthorityFixture.StartAsync(o => (o.TimeProvider, o.Validity) = (time, TimeSpan.FromSeconds(90)));
        var first = await fixture.Client.ObtainAsync(fixture.Server, "app.test");
        time.Advance(TimeSpan.FromDays(400));
        var second = await fixture.Client.ObtainAsync(fixture.Server, "app.test");

        Assert.Equal(new DateTime(2031, 5, 1, 10, 0, 0, DateTimeKind.Utc), first.Leaf.NotBefore.ToUniversalTime());
        Assert.Equal(TimeSpan.FromSeconds(89), first.Leaf.NotAfter - first.Leaf.NotBefore);
        Assert.Equal(TimeSpan.FromDays(400), second.Leaf.NotBefore - first.Leaf.NotBefore);
        Assert.Equal(time.GetUtcNow(), second.Download.Headers.Date);
    }

    [Fact]
    public async Task Issue_Profile_DecidesValidityAndCommonName()
    {
        await using var fixture = await AuthorityFixture.StartAsync(
            o => o.Profiles.Add(new("brief", TimeSpan.FromSeconds(30)) { CommonName = true, Description = "Half a minute." }));
        var directory = await fixture.Client.GetAsync(fixture.Client.DirectoryUrl);
        Assert.Equal("Half a minute.", (string?)directory.Json["meta"]!["profiles"]!["brief"]);
        var payload = new JsonObject { ["identifiers"] = TestFlow.Identifiers("app.test"), ["profile"] = "brief" };
        var order = await fixture.Client.PostAsync(await fixture.Client.UrlAsync("newOrder"), payload);
        await fixture.Client.ValidateAsync(order, fixture.Server);
        using var key = System.Security.Cryptography.ECDsa.Create();
        key.GenerateKey(System.Security.Cryptography.ECCurve.NamedCurves.nistP256);
        var done = await fixture.Client.FinalizeAsync(order, TestFlow.Csr(key, "app.test"));

        var issued = Assert.Single(fixture.Authority.Issued);
        Assert.Equal(("brief", "brief"), (done.Text("profile"), issued.Profile));
        Assert.Equal(TimeSpan.FromSeconds(29), issued.Certificate.NotAfter - issued.Certificate.NotBefore);
        Assert.Equal("CN=app.test", issued.Certificate.Subject);
    }

    [Fact]
    public async Task Issuer_UrlOfTheLeaf_ServesTheIntermediate()
    {
        await using var fixture = await AuthorityFixture.StartAsync();
        var certificate = await fixture.Client.ObtainAsync(fixture.Server, "app.test");
        var extension = certificate.Leaf.Extensions.OfType<X509AuthorityInformationAccessExtension>().Single();
        var der = await fixture.Client.Http.GetByteArrayAsync(
            extension.EnumerateCAIssuersUris().Single(), TestContext.Current.CancellationToken);
        Assert.Equal(fixture.Authority.IntermediateCertificate.RawData, der);
    }
}
