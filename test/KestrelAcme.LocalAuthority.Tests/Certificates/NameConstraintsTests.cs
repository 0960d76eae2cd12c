using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using KestrelAcme.LocalAuthority.Certificates;
using KestrelAcme.LocalAuthority.Identifiers;
using KestrelAcme.LocalAuthority.Tests.Client;
using KestrelAcme.Testing;
using Xunit;

namespace KestrelAcme.LocalAuthority.Tests.Certificates;

/// <summary>A root that people trust for a long time is good for the names of developers' machines only.</summary>
public sealed class NameConstraintsTests
{
    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("localhost", true)]
    [InlineData("app.localhost", true)]
    [InlineData("*.app.localhost", true)]
    [InlineData("app.test", true)]
    [InlineData("printer.home.arpa", true)]
    [InlineData("www.example.com", true)]
    [InlineData("127.0.0.1", true)]
    [InlineData("192.168.1.20", true)]
    [InlineData("::1", true)]
    [InlineData("fd00::1", true)]
    [InlineData("bank.com", false)]
    [InlineData("notlocalhost", false)]
    [InlineData("test.com", false)]
    [InlineData("example.com.evil.org", false)]
    [InlineData("8.8.8.8", false)]
    [InlineData("172.32.0.1", false)]
    [InlineData("2606:4700::1111", false)]
    public async Task Root_ThatIsKept_IsGoodForTheDefaultNamesOnly(string name, bool isGood)
    {
        using var folder = new TemporaryFolder();
        using var hierarchy = HierarchyFile.LoadOrCreate(Path.Combine(folder.Path, "keys"), TimeProvider.System.GetUtcNow(), Constraints());
        using var leaf = Issue(hierarchy, name);

        // The authority refuses the order, and whoever has stolen its key gets no further: neither with OpenSSL nor with SslStream.
        var identifier = IPAddress.TryParse(name, out var address) ? Identifier.OfAddress(address) : Identifier.OfName(name);
        Assert.Equal(isGood, hierarchy.Constraints!.Permits(identifier));
        Assert.Equal(isGood, await OpensslVerifiesAsync(folder, hierarchy, leaf));
        Assert.Equal(isGood, await SslStreamAcceptsAsync(hierarchy, leaf, name.Replace("*", "www", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Order_NameThatTheRootMayNotIssueFor_IsRefusedWithTheFix()
    {
        using var folder = new TemporaryFolder();
        await using var fixture = await AuthorityFixture.StartAsync(o => o.Folder = folder.Path);

        var refused = await fixture.Client.OrderAsync("shop.mycompany.com");
        Assert.Equal("rejectedIdentifier", refused.Problem);
        Assert.Contains("PermittedNames", refused.Body, StringComparison.Ordinal);
        await fixture.Client.ObtainAsync(fixture.Server, "app.test");
    }

    [Fact]
    public async Task PermittedNames_ByTheOperator_CountForANewRootAndAnOldOneStaysAsItIs()
    {
        using var folder = new TemporaryFolder();
        await using (var first = await AuthorityFixture.StartAsync(o =>
        {
            o.Folder = folder.Path;
            o.PermittedNames.Add("shop.mycompany.com");
        }))
        {
            await first.Client.ObtainAsync(first.Server, "www.shop.mycompany.com");
            Assert.Equal("rejectedIdentifier", (await first.Client.OrderAsync("mycompany.com")).Problem);
        }

        await using var second = await AuthorityFixture.StartAsync(o => o.Folder = folder.Path);
        await second.Client.ObtainAsync(second.Server, "www.shop.mycompany.com");
    }

    [Fact]
    public async Task Root_InMemory_IsGoodForAllNames()
    {
        await using var fixture = await AuthorityFixture.StartAsync();

        await fixture.Client.ObtainAsync(fixture.Server, "shop.mycompany.com");
    }

    [Fact]
    public async Task PermittedNames_NoName_IsRefusedAtTheStart()
    {
        using var folder = new TemporaryFolder();

        var exception = await Assert.ThrowsAsync<InvalidOperationException>(() => LocalAcmeAuthority.StartAsync(
            o =>
            {
                o.Folder = folder.Path;
                o.PermittedNames.Add("not a name");
            },
            Cancelled));

        Assert.Contains("'not a name' is not a domain name", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void In_OfARoot_IsWhatItWasMadeWith()
    {
        var constraints = NameConstraints.Of(["test", "203.0.113.7", "10.0.0.0/8", "fc00::/7"]);
        using var hierarchy = HierarchyFactory.Create(TimeProvider.System.GetUtcNow(), constraints);

        Assert.Equal("localhost, test, 10.0.0.0/8, 127.0.0.0/8, 203.0.113.7/32, ::1/128, fc00::/7", hierarchy.Constraints!.ToString());
        Assert.True(constraints.IsSameAs(hierarchy.Constraints));
        Assert.False(constraints.IsSameAs(Constraints()));
        using var free = HierarchyFactory.Create(TimeProvider.System.GetUtcNow(), constraints: null);
        Assert.Null(free.Constraints);
    }

    private static NameConstraints Constraints() => NameConstraints.Of(new LocalAcmeAuthorityOptions().PermittedNames);

    // As somebody does who has the key of the intermediate.
    private static X509Certificate2 Issue(Hierarchy hierarchy, string name)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("O=stolen", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        if (IPAddress.TryParse(name, out var address))
        {
            names.AddIpAddress(address);
        }
        else
        {
            names.AddDnsName(name);
        }

        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid("1.3.6.1.5.5.7.3.1")], critical: false));
        request.CertificateExtensions.Add(X509AuthorityKeyIdentifierExtension.CreateFromCertificate(hierarchy.Intermediate, true, false));
        var now = TimeProvider.System.GetUtcNow();
        using var certificate = request.Create(
            hierarchy.Intermediate.SubjectName,
            X509SignatureGenerator.CreateForECDsa(hierarchy.IntermediateKey),
            now.AddDays(-1),
            now.AddDays(1),
            [1, 2, 3, 4]);
        using var withKey = certificate.CopyWithPrivateKey(key);
        return X509CertificateLoader.LoadPkcs12(withKey.Export(X509ContentType.Pkcs12), null, X509KeyStorageFlags.DefaultKeySet);
    }

    private static async Task<bool> OpensslVerifiesAsync(TemporaryFolder folder, Hierarchy hierarchy, X509Certificate2 leaf)
    {
        var output = await OpenSsl.RunAsync(
            "verify", "-purpose", "sslserver",
            "-CAfile", folder.Write("root.pem", hierarchy.Root.ExportCertificatePem()),
            "-untrusted", folder.Write("intermediate.pem", hierarchy.Intermediate.ExportCertificatePem()),
            folder.Write("leaf.pem", leaf.ExportCertificatePem()));
        var isGood = output.Trim().EndsWith("leaf.pem: OK", StringComparison.Ordinal);
        Assert.True(isGood || output.Contains("permitted subtree violation", StringComparison.Ordinal), output);
        return isGood;
    }

    private static async Task<bool> SslStreamAcceptsAsync(Hierarchy hierarchy, X509Certificate2 leaf, string host)
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        using var client = new TcpClient();
        var accepting = listener.AcceptTcpClientAsync(Cancelled);
        await client.ConnectAsync((IPEndPoint)listener.LocalEndpoint, Cancelled);
        using var accepted = await accepting;
        await using var server = new SslStream(accepted.GetStream());
        await using var stream = new SslStream(client.GetStream());
        var context = SslStreamCertificateContext.Create(leaf, [hierarchy.Intermediate], offline: true);
        var serverOptions = new SslServerAuthenticationOptions { ServerCertificateContext = context };
        var serving = server.AuthenticateAsServerAsync(serverOptions, Cancelled);
        var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        policy.CustomTrustStore.Add(hierarchy.Root);
        try
        {
            var clientOptions = new SslClientAuthenticationOptions { TargetHost = host, CertificateChainPolicy = policy };
            await stream.AuthenticateAsClientAsync(clientOptions, Cancelled);
            return true;
        }
        catch (AuthenticationException)
        {
            return false;
        }
        finally
        {
            client.Close();
            await serving.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }
}
