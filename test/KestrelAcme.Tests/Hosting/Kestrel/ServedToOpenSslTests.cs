using System.Net;
using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using KestrelAcme.Testing.Processes;
using KestrelAcme.Tests.Tls;
using KestrelAcme.Tls;
using Microsoft.AspNetCore.Hosting;
using Xunit;

namespace KestrelAcme.Tests.Hosting.Kestrel;

/// <summary>The certificates and chains that OpenSSL gets.</summary>
public sealed class ServedToOpenSslTests
{
    private static readonly TestAuthority Authority = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("-tls1_3")]
    [InlineData("-tls1_2")]
    public async Task ShowCerts_PublishedName_ChainThatVerifies(string version)
    {
        await using var app = await StartAsync();
        app.Publisher.Publish(Authority.Issue("a.test"));

        var served = await OpenSsl.ShowCertificatesAsync(
            app.EndPoint.Port, "a.test", [version], Authority.Root.ExportCertificatePem(), Token);

        Assert.Equal(2, served.CertificatesPem.Count);
        Assert.Equal("0 (ok)", served.VerifyReturnCode);
        var verified = await OpenSsl.VerifyAsync(
            string.Join('\n', served.CertificatesPem), Authority.Root.ExportCertificatePem(), "a.test", Token);
        Assert.True(verified.ExitCode == 0, verified.Output);
    }

    [Theory]
    [MemberData(nameof(OurCases))]
    public async Task ShowCerts_EveryEndpoint_FullChain(string name)
    {
        var wanted = EndpointCases.All.Single(c => c.Name == name);
        await using var app = await KestrelApp.StartAsync(
            builder => wanted.After?.Invoke(builder), Token, slim: wanted.Slim, before: wanted.Before, configuration: wanted.Configuration);
        app.Publisher.Publish(Authority.Issue("a.test"));

        var served = await OpenSsl.ShowCertificatesAsync(app.EndPoint.Port, "a.test", null, Authority.Root.ExportCertificatePem(), Token);

        Assert.True(served.VerifyReturnCode == "0 (ok)", $"{served.Output}\n{string.Join('\n', app.Logs.Lines)}");
    }

    public static TheoryData<string> OurCases => [.. EndpointCases.All.Where(c => c.Managed is null).Select(c => c.Name)];

    [Fact]
    public async Task Connect_ForeignName_AlertUnrecognizedName()
    {
        await using var app = await StartAsync();

        var served = await OpenSsl.ShowCertificatesAsync(app.EndPoint.Port, "foreign.test", cancellationToken: Token);

        Assert.Empty(served.CertificatesPem);
        Assert.Contains("unrecognized name", served.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("ECDSA+SHA256", "-tls1_3", "ECDSA")]
    [InlineData("RSA-PSS+SHA256", "-tls1_3", "RSA")]
    [InlineData("ECDSA+SHA256:RSA-PSS+SHA256", "-tls1_3", "ECDSA")]
    [InlineData("RSA+SHA256", "-tls1_2", "RSA")]
    [InlineData("ECDSA+SHA256:RSA+SHA256", "-tls1_2", "ECDSA")]
    public async Task Connect_EcdsaAndRsaSideBySide_ByTheClientsSchemes(string schemes, string version, string expected)
    {
        await using var app = await StartAsync();
        using var rsa = RSA.Create(2048);
        app.Publisher.Publish(Authority.Issue(["a.test"], rsa, "a-rsa"));
        app.Publisher.Publish(Authority.Issue(["a.test"], ECDsa.Create(ECCurve.NamedCurves.nistP256), "a-ecdsa"));

        var served = await OpenSsl.ShowCertificatesAsync(
            app.EndPoint.Port, "a.test", [version, "-sigalgs", schemes], cancellationToken: Token);

        using var leaf = served.LoadLeaf();
        Assert.Equal(expected, leaf.GetRSAPublicKey() is null ? "ECDSA" : "RSA");
    }

    [Theory]
    [InlineData("sole", "192.0.2.7")]
    [InlineData("local", "127.0.0.1")]
    [InlineData("mapping", "192.0.2.8")]
    [InlineData("mapping to a name", "a.test")]
    [InlineData("default name", "a.test")]
    [InlineData("nothing", null)]
    public async Task Connect_WithoutServerName_ByAddress(string way, string? expected)
    {
        static TlsSettings Mapped(TlsTarget target)
            => new() { LocalAddressNames = new Dictionary<IPAddress, TlsTarget> { [IPAddress.Loopback] = target } };

        var settings = way switch
        {
            "mapping" => Mapped(new TlsTarget(IPAddress.Parse("192.0.2.8"))),
            "mapping to a name" => Mapped(new TlsTarget("a.test")),
            "default name" => new TlsSettings { DefaultServerName = new TlsTarget("a.test") },
            _ => new TlsSettings(),
        };
        await using var app = await StartAsync(settings);
        app.Publisher.Publish(Authority.Issue("a.test"));
        string[] addresses =
            way switch { "sole" => ["192.0.2.7"], "local" => ["192.0.2.7", "127.0.0.1"], "mapping" => ["192.0.2.7", "192.0.2.8"], _ => [] };
        Array.ForEach(addresses, address => app.Publisher.Publish(Authority.Issue(address)));

        var served = await OpenSsl.ShowCertificatesAsync(app.EndPoint.Port, null, cancellationToken: Token);

        if (expected is null)
        {
            Assert.Empty(served.CertificatesPem);
            return;
        }

        using var leaf = served.LoadLeaf();
        Assert.Equal($"CN={expected}", leaf.Subject);
    }

    [Fact]
    public async Task Connect_WhileChallengeIsOpen_OrdinaryClientsSeeNothingOfIt()
    {
        await using var app = await StartAsync();
        var material = Authority.Issue("a.test");
        app.Publisher.Publish(material);
        using var challenge = Authority.IssueWithKey("challenge.test");
        app.Publisher.PresentChallenge("a.test", "one", challenge);
        using var ordinary = X509CertificateLoader.LoadCertificate(material.Chain[0].Span);

        var validations = 0;
        await Parallel.ForAsync(0, 1000, Token, async (i, token) =>
        {
            var protocol = i % 2 == 0 ? SslApplicationProtocol.Http2 : SslApplicationProtocol.Http11;
            var probe = await TlsProbe.ConnectAsync(app.EndPoint, "a.test", token, options => options.ApplicationProtocols = [protocol]);
            Assert.Equal((ordinary.Thumbprint, protocol), (probe.Leaf.Thumbprint, probe.Protocol));
            if (i % 50 == 0)
            {
                var validation = await TlsProbe.ConnectAsync(
                    app.EndPoint, "a.test", token, options => options.ApplicationProtocols = [new("acme-tls/1")]);
                Assert.Equal(challenge.Thumbprint, validation.Leaf.Thumbprint);
                Interlocked.Increment(ref validations);
            }
        });

        Assert.Equal(20, validations);
    }

    private static Task<KestrelApp> StartAsync(TlsSettings? settings = null) =>
        KestrelApp.StartAsync(builder => builder.WebHost.UseUrls("https://127.0.0.1:0"), Token, settings);
}
