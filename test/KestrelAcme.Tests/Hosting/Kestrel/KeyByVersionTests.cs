using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using KestrelAcme.Testing.Processes;
using KestrelAcme.Tests.Tls;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Xunit;

namespace KestrelAcme.Tests.Hosting.Kestrel;

/// <summary>
/// Clients that accept one type of key with TLS 1.3 and another with TLS 1.2. The versions that the endpoint supports decide, as with an
/// OpenSSL server that has both certificates.
/// </summary>
public sealed class KeyByVersionTests
{
    // Offers TLS 1.3, and for TLS 1.2 only RSA.
    private static readonly string[] RsaBelowTls13 = ["-cipher", "ECDHE-RSA-AES128-GCM-SHA256"];
    private static readonly TestAuthority Authority = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("nothing", "ECDSA", "TLSv1.3")]
    [InlineData("both versions in code", "ECDSA", "TLSv1.3")]
    [InlineData("HTTPS defaults", "RSA", "TLSv1.2")]
    [InlineData("endpoint in code", "RSA", "TLSv1.2")]
    [InlineData("OnAuthenticate", "RSA", "TLSv1.2")]
    [InlineData("cipher suites", "RSA", "TLSv1.2")]
    [InlineData("Kestrel:Endpoints", "RSA", "TLSv1.2")]
    [InlineData("Kestrel:EndpointDefaults", "RSA", "TLSv1.2")]
    [InlineData("Sni section", "RSA", "TLSv1.2")]
    public async Task Connect_RsaOnlyBelowTls13_ByWhatTheEndpointSpeaks(string limitedBy, string key, string version)
    {
        await using var app = await StartAsync(limitedBy);
        PublishBoth(app, ECCurve.NamedCurves.nistP256);

        var served = await OpenSsl.ShowCertificatesAsync(
            app.EndPoint.Port, "a.test", RsaBelowTls13, Authority.Root.ExportCertificatePem(), Token);

        Assert.Equal((key, "0 (ok)"), (KeyOf(served), served.VerifyReturnCode));
        Assert.Contains($"New, {version}", served.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Connect_RsaOnlyBelowTls13WithoutAName_ByWhatTheEndpointSpeaks()
    {
        await using var app = await StartAsync("HTTPS defaults");
        PublishBoth(app, ECCurve.NamedCurves.nistP256);
        app.Publisher.SetManagedNames(["a.test"], sole: "a.test");

        Assert.Equal("RSA", KeyOf(await OpenSsl.ShowCertificatesAsync(app.EndPoint.Port, null, RsaBelowTls13, cancellationToken: Token)));
    }

    [Fact]
    public async Task Connect_OnlyOneOfTwoKinds_ServedForEveryVersion()
    {
        await using var app = await StartAsync("nothing");
        app.Publisher.PublishStored([Authority.Issue("a.test")]);

        Assert.Equal(
            "ECDSA", KeyOf(await OpenSsl.ShowCertificatesAsync(app.EndPoint.Port, "a.test", RsaBelowTls13, cancellationToken: Token)));
    }

    [Theory]
    [InlineData("X25519", "P-256", "RSA")]
    [InlineData("P-384", "P-256", "RSA")]
    [InlineData("P-256", "P-384", "RSA")]
    [InlineData("P-256", "P-256", "ECDSA")]
    [InlineData("P-384:P-256", "P-384", "ECDSA")]
    public async Task Connect_CurveThatTheClientDoesNotKnow_Rsa(string groups, string curve, string expected)
    {
        await using var app = await StartAsync("HTTPS defaults");
        PublishBoth(app, curve == "P-256" ? ECCurve.NamedCurves.nistP256 : ECCurve.NamedCurves.nistP384);

        Assert.Equal(
            expected,
            KeyOf(await OpenSsl.ShowCertificatesAsync(app.EndPoint.Port, "a.test", ["-groups", groups], cancellationToken: Token)));
    }

    private static void PublishBoth(KestrelApp app, ECCurve curve)
    {
        app.Publisher.PublishStored(
            [Authority.Issue(["a.test"], RSA.Create(2048), "a-rsa"), Authority.Issue(["a.test"], ECDsa.Create(curve), "a-ecdsa")]);
    }

    private static string? KeyOf(ServedChain served)
    {
        if (served.CertificatesPem.Count == 0)
        {
            return null;
        }

        using var leaf = served.LoadLeaf();
        using var rsa = leaf.PublicKey.GetRSAPublicKey();
        return rsa is null ? "ECDSA" : "RSA";
    }

    private static Task<KestrelApp> StartAsync(string limitedBy) => limitedBy switch
    {
        "HTTPS defaults" => WithUrlsAsync(https => https.SslProtocols = SslProtocols.Tls12),
        "both versions in code" => WithUrlsAsync(https => https.SslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13),
        "OnAuthenticate" => WithUrlsAsync(https => https.OnAuthenticate = (_, ssl) => ssl.EnabledSslProtocols = SslProtocols.Tls12),
#pragma warning disable CA1416 // Tests with OpenSSL run only on systems that have it.
        "cipher suites" => WithUrlsAsync(https => https.OnAuthenticate = (_, ssl) => ssl.CipherSuitesPolicy = new CipherSuitesPolicy(
            [TlsCipherSuite.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, TlsCipherSuite.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256])),
#pragma warning restore CA1416
        "endpoint in code" => KestrelApp.StartAsync(
            b => b.WebHost.ConfigureKestrel(
                k => k.Listen(System.Net.IPAddress.Loopback, 0, l => l.UseHttps(https => https.SslProtocols = SslProtocols.Tls12))),
            Token),
        "Kestrel:Endpoints" => WithConfigurationAsync("Kestrel:Endpoints:Web:SslProtocols:0"),
        "Kestrel:EndpointDefaults" => WithConfigurationAsync("Kestrel:EndpointDefaults:SslProtocols:0"),
        "Sni section" => WithConfigurationAsync("Kestrel:Endpoints:Web:Sni:a.test:SslProtocols:0"),
        _ => WithUrlsAsync(_ => { }),
    };

    private static Task<KestrelApp> WithUrlsAsync(Action<Microsoft.AspNetCore.Server.Kestrel.Https.HttpsConnectionAdapterOptions> configure)
        => KestrelApp.StartAsync(
            b => b.WebHost.UseUrls("https://127.0.0.1:0").ConfigureKestrel(k => k.ConfigureHttpsDefaults(configure)), Token);

    private static Task<KestrelApp> WithConfigurationAsync(string key)
        => KestrelApp.StartAsync(
            _ => { }, Token, configuration: new() { ["Kestrel:Endpoints:Web:Url"] = "https://127.0.0.1:0", [key] = "Tls12" });
}
