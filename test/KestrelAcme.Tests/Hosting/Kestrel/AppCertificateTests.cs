using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using KestrelAcme.Testing;
using KestrelAcme.Tests.Tls;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Xunit;

namespace KestrelAcme.Tests.Hosting.Kestrel;

/// <summary>Certificates that the app configured itself are served like Kestrel would serve them.</summary>
public sealed class AppCertificateTests
{
    private static readonly TestAuthority Authority = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task OwnCertificate_WithoutItsChain_DownloadedChainIsSent(bool byDefault)
    {
        // Without a chain, Kestrel downloads the issuer from the URL in the certificate, once, before it listens.
        var builder = WebApplication.CreateSlimBuilder(["--hostBuilder:reloadConfigOnChange=false"]);
        builder.Logging.ClearProviders();
        await using var files = builder.Build();
        files.Urls.Add("http://127.0.0.1:0");
        files.MapGet("/issuer.cer", () => Results.Bytes(Authority.Intermediate.RawData, "application/pkix-cert"));
        await files.StartAsync(Token);
        using var folder = new TemporaryFolder();
        var path = folder.Combine("own.pfx");
        using (var own = WithIssuerAt(new Uri($"{files.Urls.First()}/issuer.cer"), "own.test"))
        {
            await File.WriteAllBytesAsync(path, own.Export(X509ContentType.Pkcs12, "secret"), Token);
        }

        var section = byDefault ? "Kestrel:Certificates:Default" : "Kestrel:Endpoints:Web:Certificate";
        Dictionary<string, string?> configuration = new()
        {
            ["Kestrel:Endpoints:Web:Url"] = "https://127.0.0.1:0",
            [$"{section}:Path"] = path,
            [$"{section}:Password"] = "secret",
        };
        await using var plain = await StartPlainAsync(configuration);
        await using var app = await KestrelApp.StartAsync(_ => { }, Token, configuration: configuration);

        var without = await TlsProbe.ConnectAsync(new IPEndPoint(IPAddress.Loopback, new Uri(plain.Urls.First()).Port), "own.test", Token);
        var with = await TlsProbe.ConnectAsync(app.EndPoint, "own.test", Token);

        Assert.Equal(Authority.Intermediate.Thumbprint, Assert.Single(without.Sent).Thumbprint);
        Assert.Equal(("own.test", Authority.Intermediate.Thumbprint), (with.Name, Assert.Single(with.Sent).Thumbprint));
    }

    [Fact]
    public async Task DefaultCertificate_FileReplaced_ForeignNamesGetTheNewOne()
    {
        using var folder = new TemporaryFolder();
        var path = folder.Combine("default.pfx");
        var first = Write(path);
        await using var app = await KestrelApp.StartAsync(
            builder => builder.WebHost.UseUrls("https://127.0.0.1:0"), Token,
            configuration: new() { ["Kestrel:Certificates:Default:Path"] = path, ["Kestrel:Certificates:Default:Password"] = "secret" });
        Assert.Equal(first, (await TlsProbe.ConnectAsync(app.EndPoint, "foreign.test", Token)).Leaf.SerialNumber);

        var second = Write(path);

        await Poll.UntilAsync(
            async token => (await TlsProbe.ConnectAsync(app.EndPoint, "foreign.test", token)).Leaf.SerialNumber == second,
            "the new certificate", cancellationToken: Token);
    }

    [Fact]
    public async Task DefaultCertificate_FileDamaged_ForeignNamesGetTheLastGoodOne()
    {
        using var folder = new TemporaryFolder();
        var path = folder.Combine("default.pfx");
        var first = Write(path);
        var time = new FakeTimeProvider();
        await using var app = await KestrelApp.StartAsync(
            builder => builder.WebHost.UseUrls("https://127.0.0.1:0"), Token,
            before: builder => builder.Services.AddSingleton<TimeProvider>(time),
            configuration: new() { ["Kestrel:Certificates:Default:Path"] = path, ["Kestrel:Certificates:Default:Password"] = "secret" });

        await File.WriteAllTextAsync(path, "spoilt", Token);
        await Poll.UntilAsync(
            () => app.Logs.Lines.Any(
                entry => entry.Level >= LogLevel.Error
                    && entry.Category.StartsWith("Microsoft.AspNetCore.Server.Kestrel", StringComparison.Ordinal)),
            "Kestrel's complaint", cancellationToken: Token);
        time.Advance(TimeSpan.FromMinutes(1));

        Assert.Equal(first, (await TlsProbe.ConnectAsync(app.EndPoint, "foreign.test", Token)).Leaf.SerialNumber);
    }

    [Fact]
    public async Task DefaultCertificate_SettingsFileDamaged_ForeignNamesGetTheLastGoodOne()
    {
        using var folder = new TemporaryFolder();
        var (path, settings) = (folder.Combine("default.pfx"), folder.Combine("settings.json"));
        var first = Write(path);
        await File.WriteAllTextAsync(
            settings,
            $$"""{ "Kestrel:Certificates:Default:Path": "{{path}}", "Kestrel:Certificates:Default:Password": "secret" }""",
            Token);
        var time = new FakeTimeProvider();
        await using var app = await KestrelApp.StartAsync(
            builder => builder.WebHost.UseUrls("https://127.0.0.1:0"), Token,
            before: builder =>
            {
                builder.Services.AddSingleton<TimeProvider>(time);
                builder.Configuration.AddJsonFile(settings, optional: false, reloadOnChange: true);
            });
        Assert.Equal(first, (await TlsProbe.ConnectAsync(app.EndPoint, "foreign.test", Token)).Leaf.SerialNumber);

        await File.WriteAllTextAsync(settings, "{", Token);
        await Poll.UntilAsync(
            () => app.App.Configuration["Kestrel:Certificates:Default:Path"] is null, "the loss of the settings", cancellationToken: Token);
        time.Advance(TimeSpan.FromMinutes(1));

        Assert.Equal(first, (await TlsProbe.ConnectAsync(app.EndPoint, "foreign.test", Token)).Leaf.SerialNumber);
    }

    private static async Task<WebApplication> StartPlainAsync(Dictionary<string, string?> configuration)
    {
        var builder = WebApplication.CreateBuilder(["--hostBuilder:reloadConfigOnChange=false"]);
        builder.Logging.ClearProviders();
        builder.Configuration.AddInMemoryCollection(configuration);
        var app = builder.Build();
        await app.StartAsync(Token);
        return app;
    }

    private static string Write(string path)
    {
        using var certificate = Authority.IssueWithKey("default.test");
        var next = path + ".new";
        File.WriteAllBytes(next, certificate.Export(X509ContentType.Pkcs12, "secret"));
        File.Move(next, path, overwrite: true);
        return certificate.SerialNumber;
    }

    private static X509Certificate2 WithIssuerAt(Uri url, string name)
    {
        var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(X509AuthorityKeyIdentifierExtension.CreateFromCertificate(Authority.Intermediate, true, false));
        request.CertificateExtensions.Add(new X509AuthorityInformationAccessExtension(ocspUris: null, caIssuersUris: [url.ToString()]));
        var now = TimeProvider.System.GetUtcNow();
        return request.Create(Authority.Intermediate, now.AddDays(-1), now.AddDays(30), [1, 2, 3, 4]).CopyWithPrivateKey(key);
    }
}
