using System.Net;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using KestrelAcme.Testing;
using KestrelAcme.Tests.Tls;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace KestrelAcme.Tests.Hosting.Kestrel;

/// <summary>Endpoints that a reload of the configuration adds or changes.</summary>
public sealed class EndpointReloadTests
{
    private static readonly TestAuthority Authority = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task EndpointAddedByReload_Https_Served()
    {
        var port = FreePort.Tcp();
        await using var app = await KestrelApp.StartAsync(
            _ => { }, Token, configuration: new() { ["Kestrel:Endpoints:First:Url"] = "https://127.0.0.1:0" });
        app.Publisher.Publish(Authority.Issue("a.test"));
        var configuration = (IConfigurationRoot)app.App.Services.GetRequiredService<IConfiguration>();
        configuration["Kestrel:Endpoints:Second:Url"] = $"https://127.0.0.1:{port}";
        configuration.Reload();

        TlsProbe? probe = null;
        await Poll.UntilAsync(
            async token =>
            {
                probe = await TlsProbe.ConnectAsync(new IPEndPoint(IPAddress.Loopback, port), "a.test", token);
                return true;
            },
            "the endpoint that the reload added", cancellationToken: Token);

        Assert.Equal("a.test", probe!.Name);
        Assert.Single(probe.Sent);
    }

    [Fact]
    public async Task EndpointGetsACertificate_ByReload_ItsOwnIsServedAndOursAfterwards()
    {
        using var folder = new TemporaryFolder();
        var path = folder.Combine("own.pfx");
        using (var own = Authority.IssueWithKey("own.test"))
        {
            await File.WriteAllBytesAsync(path, own.Export(X509ContentType.Pkcs12, "secret"), Token);
        }

        var port = FreePort.Tcp();
        var endPoint = new IPEndPoint(IPAddress.Loopback, port);
        await using var app = await KestrelApp.StartAsync(
            _ => { }, Token, configuration: new() { ["Kestrel:Endpoints:Web:Url"] = $"https://127.0.0.1:{port}" });
        app.Publisher.Publish(Authority.Issue("a.test"));
        Assert.Equal("a.test", (await TlsProbe.ConnectAsync(endPoint, "a.test", Token)).Name);
        var configuration = (IConfigurationRoot)app.App.Services.GetRequiredService<IConfiguration>();

        configuration["Kestrel:Endpoints:Web:Certificate:Path"] = path;
        configuration["Kestrel:Endpoints:Web:Certificate:Password"] = "secret";
        configuration.Reload();
        await ServedAsync("own.test");

        configuration["Kestrel:Endpoints:Web:Certificate:Path"] = null;
        configuration["Kestrel:Endpoints:Web:Certificate:Password"] = null;
        configuration.Reload();
        await ServedAsync("a.test");
        Assert.Single((await TlsProbe.ConnectAsync(endPoint, "a.test", Token)).Sent);

        Task ServedAsync(string name) => Poll.UntilAsync(
            async token =>
            {
                try
                {
                    return (await TlsProbe.ConnectAsync(endPoint, "a.test", token)).Name == name;
                }
                catch (Exception exception) when (exception is SocketException or IOException or AuthenticationException)
                {
                    // Kestrel closes the endpoint, then opens it again.
                    return false;
                }
            },
            $"the certificate {name}", cancellationToken: Token);
    }
}
