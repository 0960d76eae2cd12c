using System.Security.Authentication;
using KestrelAcme.Tests.Tls;
using KestrelAcme.Tls;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Logging;
using Xunit;

namespace KestrelAcme.Tests.Hosting.Kestrel;

public sealed class KestrelTlsTests
{
    private static readonly TestAuthority Authority = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Handshake_PublishedName_FullChain()
    {
        await using var app = await StartAsync();
        app.Publisher.Publish(Authority.Issue("a.test", "*.b.test"));

        var exact = await TlsProbe.ConnectAsync(app.EndPoint, "a.test", Token);
        var wildcard = await TlsProbe.ConnectAsync(app.EndPoint, "X.b.test", Token);

        Assert.Equal("a.test", exact.Name);
        Assert.Equal(Authority.Intermediate.Thumbprint, Assert.Single(exact.Sent).Thumbprint);
        Assert.Equal(exact.Leaf.Thumbprint, wildcard.Leaf.Thumbprint);
    }

    [Fact]
    public async Task Handshake_StoredName_ContextMadeAtFirstUse()
    {
        await using var app = await StartAsync();
        Assert.Empty(app.Publisher.PublishStored([Authority.Issue("a.test"), Authority.Issue("b.test")]));

        Assert.Equal("b.test", (await TlsProbe.ConnectAsync(app.EndPoint, "b.test", Token)).Name);
    }

    [Fact]
    public async Task Handshake_ForeignName_RefusedAndLoggedAtDebugOnly()
    {
        await using var app = await StartAsync();
        app.Publisher.Publish(Authority.Issue("a.test"));

        await Assert.ThrowsAsync<AuthenticationException>(() => TlsProbe.ConnectAsync(app.EndPoint, "foreign.test", Token));

        Assert.DoesNotContain(app.Logs.Lines, entry => entry.Level > LogLevel.Information);
    }

    [Fact]
    public async Task Handshake_ManagedNameWithoutCertificate_PlaceholderLoggedOnce()
    {
        await using var app = await StartAsync();
        app.Publisher.SetManagedNames(["a.test"]);

        var first = await TlsProbe.ConnectAsync(app.EndPoint, "a.test", Token);
        await TlsProbe.ConnectAsync(app.EndPoint, "a.test", Token);

        Assert.Contains("placeholder", first.Name, StringComparison.Ordinal);
        Assert.Single(
            app.Logs.Lines, entry => entry.Level == LogLevel.Warning && entry.Message.Contains("a.test", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Handshake_ManyNamesOfAManagedWildcard_LoggedOnceUnderTheWildcard()
    {
        await using var app = await StartAsync();
        app.Publisher.SetManagedNames(["*.a.test"]);
        for (var i = 0; i < 5; i++)
        {
            await TlsProbe.ConnectAsync(app.EndPoint, $"x{i}.a.test", Token);
        }

        var warning = Assert.Single(app.Logs.Lines, entry => entry.Level == LogLevel.Warning);
        Assert.Contains("*.a.test", warning.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Handshake_ManagedAddressWithoutCertificate_NotThatOfAnotherAddress()
    {
        await using var app = await KestrelApp.StartAsync(builder => builder.WebHost.UseUrls("https://127.0.0.1:0"), Token);
        app.Publisher.SetManagedNames(["127.0.0.1", "192.0.2.1"]);
        app.Publisher.Publish(Authority.Issue("192.0.2.1"));

        Assert.StartsWith("placeholder", (await TlsProbe.ConnectAsync(app.EndPoint, "", Token)).Name, StringComparison.Ordinal);

        // Behind NAT, the local address is in no certificate, so the sole certificate is served.
        app.Publisher.SetManagedNames(["192.0.2.1"]);
        Assert.Equal("192.0.2.1", (await TlsProbe.ConnectAsync(app.EndPoint, "", Token)).Name);
    }

    [Fact]
    public async Task Handshake_MissingCertificateRefuse_Refused()
    {
        await using var app = await StartAsync(new TlsSettings { MissingCertificate = MissingCertificate.Refuse });
        app.Publisher.SetManagedNames(["a.test"]);

        await Assert.ThrowsAsync<AuthenticationException>(() => TlsProbe.ConnectAsync(app.EndPoint, "a.test", Token));
    }

    private static Task<KestrelApp> StartAsync(TlsSettings? settings = null) =>
        KestrelApp.StartAsync(builder => builder.WebHost.UseUrls("https://127.0.0.1:0"), Token, settings);
}
