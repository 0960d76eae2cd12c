using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using KestrelAcme.Testing;
using KestrelAcme.Tests.Tls;
using KestrelAcme.Tls;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace KestrelAcme.Tests.Hosting.Kestrel;

public sealed class ResumptionTests
{
    private static readonly TestAuthority Authority = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Handshake_TwoHundredNames_AllPinned()
    {
        await using var app = await KestrelApp.StartAsync(builder => builder.WebHost.UseUrls("https://127.0.0.1:0"), Token);
        var names = Enumerable.Range(0, 200).Select(i => $"n{i}.test").ToList();
        app.Publisher.PublishStored([.. names.Select(name => Authority.Issue(name))]);
        var pins = app.App.Services.GetRequiredService<SessionPins>();

        foreach (var name in names)
        {
            await TlsProbe.ConnectAsync(app.EndPoint, name, Token);
        }

        await Poll.UntilAsync(() => pins.Count == 200, "200 pins", cancellationToken: Token);
        app.Publisher.Withdraw("n7.test");
        Assert.Equal(199, pins.Count);
    }

    [Fact]
    public async Task Handshake_MoreNamesThanPins_BoundHolds()
    {
        await using var app = await KestrelApp.StartAsync(
            builder => builder.WebHost.UseUrls("https://127.0.0.1:0"), Token,
            new TlsSettings { SessionCacheCertificates = 5, ContextCacheSize = 10 });
        var names = Enumerable.Range(0, 30).Select(i => $"n{i}.test").ToList();
        app.Publisher.PublishStored([.. names.Select(name => Authority.Issue(name))]);

        foreach (var name in names)
        {
            Assert.Equal(name, (await TlsProbe.ConnectAsync(app.EndPoint, name, Token)).Name);
        }

        Assert.InRange(app.App.Services.GetRequiredService<SessionPins>().Count, 0, 5);
        Assert.Equal(10, app.App.Services.GetRequiredService<CertificateContexts>().Count);
    }
}
