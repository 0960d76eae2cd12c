using System.Net;
using KestrelAcme.Testing;
using Microsoft.AspNetCore.Builder;
using Xunit;

namespace KestrelAcme.Tests.EndToEnd.OnDemand;

/// <summary>The permission is a URL on the same machine, whose environment has a proxy.</summary>
public sealed class AskUrlTests
{
    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Connect_ProxyInTheEnvironment_IsNotUsedForThisMachine()
    {
        await using var fixture = await LocalFixture.StartAsync();
        var builder = WebApplication.CreateSlimBuilder();
        await using var source = builder.Build();
        var asks = $"http://127.0.0.1:{FreePort.Tcp()}";
        source.Urls.Add(asks);
        source.MapGet("/ask", static () => "yes");
        await source.StartAsync(Cancelled);
        var port = FreePort.Tcp();
        fixture.Authority.Resolve("*", new IPEndPoint(IPAddress.Loopback, port));
        var settings = fixture.Settings();
        settings["AcmeHttps:OnDemand:CheckAddress"] = "false";
        settings["AcmeHttps:OnDemand:AskUrl"] = $"{asks}/ask";
        settings["http_proxy"] = settings["https_proxy"] = "http://127.0.0.1:1";
        await using var app = TestAppProcess.Start(settings, port);
        await app.ListeningAsync();

        await Poll.UntilAsync(
            async _ => await app.ConnectAsync("shop.test") is { Refusal: null, IsSelfSigned: false },
            () => $"the certificate\n{app.Output}",
            cancellationToken: Cancelled);

        Assert.Single(fixture.Authority.Issued);
    }
}
