using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using KestrelAcme.Tests.Tls;
using Microsoft.AspNetCore.Hosting;
using Xunit;

namespace KestrelAcme.Tests.Hosting.Kestrel;

public sealed class TlsAlpnTests
{
    private static readonly TestAuthority Authority = new();
    private static readonly SslApplicationProtocol AcmeTls = new("acme-tls/1");

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Handshake_AcmeTlsOnly_ChallengeCertificate()
    {
        await using var app = await StartAsync();
        using var challenge = SelfSigned("a.test");
        app.Publisher.PresentChallenge("A.test", "one", challenge);

        var probe = await ProbeAsync(app, "a.test", AcmeTls);

        Assert.Equal(challenge.Thumbprint, probe.Leaf.Thumbprint);
        Assert.Equal(AcmeTls, probe.Protocol);
    }

    [Fact]
    public async Task Handshake_AcmeTlsAmongOthers_OrdinaryCertificate()
    {
        await using var app = await StartAsync();
        using var challenge = SelfSigned("a.test");
        app.Publisher.PresentChallenge("a.test", "one", challenge);

        var probe = await ProbeAsync(app, "a.test", SslApplicationProtocol.Http2, AcmeTls);

        Assert.NotEqual(challenge.Thumbprint, probe.Leaf.Thumbprint);
        Assert.Equal(SslApplicationProtocol.Http2, probe.Protocol);
    }

    [Fact]
    public async Task Handshake_AcmeTlsAfterWithdrawal_Refused()
    {
        await using var app = await StartAsync();
        using var challenge = SelfSigned("a.test");
        app.Publisher.PresentChallenge("a.test", "one", challenge);
        app.Publisher.WithdrawChallenge("a.test", "one");

        await Assert.ThrowsAsync<AuthenticationException>(() => ProbeAsync(app, "a.test", AcmeTls));
    }

    [Fact]
    public async Task Handshake_OneOfTwoAnswersWithdrawn_TheOtherIsGiven()
    {
        await using var app = await StartAsync();
        using var first = SelfSigned("a.test");
        using var second = SelfSigned("a.test");
        app.Publisher.PresentChallenge("a.test", "one", first);
        app.Publisher.PresentChallenge("a.test", "two", second);

        app.Publisher.WithdrawChallenge("a.test", "one");
        Assert.Equal(second.Thumbprint, (await ProbeAsync(app, "a.test", AcmeTls)).Leaf.Thumbprint);

        app.Publisher.WithdrawChallenge("a.test", "one");
        Assert.Equal(second.Thumbprint, (await ProbeAsync(app, "a.test", AcmeTls)).Leaf.Thumbprint);

        app.Publisher.PresentChallenge("a.test", "three", first);
        app.Publisher.WithdrawChallenge("a.test", "three");
        Assert.Equal(second.Thumbprint, (await ProbeAsync(app, "a.test", AcmeTls)).Leaf.Thumbprint);
    }

    [Fact]
    public async Task Handshake_ReverseNameOfAddress_ChallengeCertificate()
    {
        await using var app = await StartAsync();
        using var challenge = SelfSigned("127.0.0.1");
        app.Publisher.PresentChallenge("1.0.0.127.in-addr.arpa", "one", challenge);

        Assert.Equal(challenge.Thumbprint, (await ProbeAsync(app, "1.0.0.127.in-addr.arpa", AcmeTls)).Leaf.Thumbprint);
    }

    private static async Task<KestrelApp> StartAsync()
    {
        var app = await KestrelApp.StartAsync(builder => builder.WebHost.UseUrls("https://127.0.0.1:0"), Token);
        app.Publisher.Publish(Authority.Issue("a.test"));
        return app;
    }

    private static Task<TlsProbe> ProbeAsync(KestrelApp app, string name, params SslApplicationProtocol[] protocols) =>
        TlsProbe.ConnectAsync(app.EndPoint, name, Token, options => options.ApplicationProtocols = [.. protocols]);

    private static X509Certificate2 SelfSigned(string name)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var now = TimeProvider.System.GetUtcNow();
        return new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256).CreateSelfSigned(now.AddDays(-1), now.AddDays(7));
    }
}
