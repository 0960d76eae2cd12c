using System.Net;
using System.Security.Cryptography.X509Certificates;
using KestrelAcme.Hosting.Kestrel;
using KestrelAcme.Testing;
using KestrelAcme.Tests.Tls;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Xunit;

namespace KestrelAcme.Tests.Hosting.Kestrel;

/// <summary>If KestrelAcme is disabled, HTTPS works as it would without it.</summary>
public sealed class DisabledTests
{
    private static readonly TestAuthority Authority = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Endpoint_Disabled_OnlyKestrel(bool inCode)
    {
        using var folder = new TemporaryFolder();
        var path = folder.Combine("default.pfx");
        using (var certificate = Authority.IssueWithKey("default.test"))
        {
            await File.WriteAllBytesAsync(path, certificate.Export(X509ContentType.Pkcs12, "secret"), Token);
        }

        HttpsConnectionAdapterOptions? https = null;
        var builder = WebApplication.CreateBuilder(["--hostBuilder:reloadConfigOnChange=false"]);
        builder.Logging.ClearProviders();
        builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["AcmeHttps:Enabled"] = "false",
            ["AcmeHttps:DomainNames:0"] = "a.test",
            ["Kestrel:Certificates:Default:Path"] = path,
            ["Kestrel:Certificates:Default:Password"] = "secret",
        });
        builder.Services.AddAcmeHttps();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, endpoint =>
        {
            _ = inCode ? endpoint.UseAcmeHttps() : endpoint.UseHttps(options => https = options);
        }));
        await using var app = builder.Build();
        await app.StartAsync(Token);
        var port = new Uri(app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First()).Port;

        Assert.Equal("default.test", (await TlsProbe.ConnectAsync(new IPEndPoint(IPAddress.Loopback, port), "a.test", Token)).Name);
        Assert.False(app.Services.GetRequiredService<KestrelEndpoints>().IsApplied);
        Assert.Null(https?.ServerCertificateSelector);
        Assert.Null(https?.OnAuthenticate);
    }
}
