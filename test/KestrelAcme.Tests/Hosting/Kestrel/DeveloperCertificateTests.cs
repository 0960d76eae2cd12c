using System.Security.Authentication;
using KestrelAcme.Tests.Tls;
using Microsoft.AspNetCore.Hosting;
using Xunit;

namespace KestrelAcme.Tests.Hosting.Kestrel;

/// <summary>The developer certificate of ASP.NET Core, together with managed certificates.</summary>
public sealed class DeveloperCertificateTests
{
    private static readonly TestAuthority Authority = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("Development", true)]
    [InlineData("Production", false)]
    public async Task DeveloperCertificate_ForeignName_InDevelopmentOnly(string environment, bool served)
    {
        using var developer = new DeveloperCertificateFile();
        await using var app = await KestrelApp.StartAsync(
            builder => builder.WebHost.UseUrls("https://127.0.0.1:0"), Token, environment: environment,
            applicationName: developer.ApplicationName,
            configuration: new() { ["Kestrel:Certificates:Development:Password"] = DeveloperCertificateFile.Password });
        app.Publisher.Publish(Authority.Issue("a.test"));

        if (served)
        {
            Assert.Equal("localhost", (await TlsProbe.ConnectAsync(app.EndPoint, "localhost", Token)).Name);
        }
        else
        {
            await Assert.ThrowsAsync<AuthenticationException>(() => TlsProbe.ConnectAsync(app.EndPoint, "localhost", Token));
        }

        Assert.Equal("a.test", (await TlsProbe.ConnectAsync(app.EndPoint, "a.test", Token)).Name);
    }
}
