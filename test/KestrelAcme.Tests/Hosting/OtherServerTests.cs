using System.Net;
using KestrelAcme.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.TestHost;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Xunit;

namespace KestrelAcme.Tests.Hosting;

/// <summary>Tests and tools that start the app without Kestrel, and apps without names.</summary>
public sealed class OtherServerTests
{
    // Files with secrets, which exist only in production.
    internal static readonly Dictionary<string, string?> SecretsElsewhere = new()
    {
        ["AcmeHttps:AcceptTermsOfService"] = "true",
        ["AcmeHttps:DomainNames:0"] = "app.example.com",
        ["AcmeHttps:ChallengeTypes:0"] = "dns-01",
        ["AcmeHttps:DirectoryUrl"] = "ZeroSsl",
        ["AcmeHttps:EmailAddress"] = "ops@example.com",
        ["AcmeHttps:DnsProviders:0:Type"] = "Cloudflare",
        ["AcmeHttps:DnsProviders:0:ApiTokenFile"] = "/run/secrets/not-here/cloudflare",
        ["AcmeHttps:ExternalAccountBinding:KeyId"] = "kid-1",
        ["AcmeHttps:ExternalAccountBinding:HmacKeyFile"] = "/run/secrets/not-here/eab",
    };

    private readonly LogRecorder _log = new();

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task TestServer_SecretsMissing_StartsInertWithOneLine()
    {
        using var folder = new TemporaryFolder();
        var storage = Path.Combine(folder.Path, "store");
        var builder = Builder(new(SecretsElsewhere) { ["AcmeHttps:StoragePath"] = storage });
        builder.WebHost.UseTestServer();
        await using var app = builder.Build();
        app.MapGet("/", () => "hello");

        await app.StartAsync(Cancelled);

        Assert.Equal("hello", await app.GetTestClient().GetStringAsync("/", Cancelled));
        await app.StopAsync(Cancelled);
        var line = Assert.Single(Ours());
        Assert.Equal(("InactiveWithoutKestrel", LogLevel.Information), (line.Event.Name, line.Level));
        Assert.Contains("TestServer", line.Message, StringComparison.Ordinal);
        Assert.False(Directory.Exists(storage));
    }

    [Fact]
    public async Task BuildTool_OwnServerAndNoHostedServices_StartsInert()
    {
        var builder = Builder(SecretsElsewhere);
        await using var app = Build(builder, services =>
        {
            services.AddSingleton<IServer, NoServer>();
            foreach (var hosted in services
                .Where(s => s.ServiceType == typeof(IHostedService) && s.ImplementationType?.Name != "GenericWebHostService")
                .ToList())
            {
                services.Remove(hosted);
            }
        });

        await app.StartAsync(Cancelled);

        Assert.Single(Ours());
    }

    [Fact]
    public async Task Kestrel_SecretsMissing_StillFails()
    {
        var builder = Builder(SecretsElsewhere);
        builder.WebHost.UseTestServer();
        builder.WebHost.UseKestrel();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        await using var app = builder.Build();

        var exception = await Assert.ThrowsAnyAsync<OptionsValidationException>(() => app.StartAsync(Cancelled));

        Assert.Contains(
            $"{Environment.NewLine}  AcmeHttps:DnsProviders:0:ApiTokenFile: names a file that does not exist",
            exception.Message,
            StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Production")]
    [InlineData("Development")]
    public async Task Kestrel_NoHttpsAndNoNames_NothingAboveInformation(string environment)
    {
        using var folder = new TemporaryFolder();
        var builder = Builder(new() { ["AcmeHttps:StoragePath"] = folder.Path }, environment);
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        await using var app = builder.Build();
        app.MapGet("/", () => "hello");

        await app.StartAsync(Cancelled);
        await Poll.UntilAsync(() => _log.Has("NoDomainNames"), "the endpoints are looked at", cancellationToken: Cancelled);
        await app.StopAsync(Cancelled);

        Assert.Empty(_log.Lines.Where(line => line.Level > LogLevel.Information).Select(line => line.ToString()));
    }

    private static WebApplication Build(WebApplicationBuilder builder, Action<IServiceCollection> change)
    {
        change(builder.Services);
        return builder.Build();
    }

    private WebApplicationBuilder Builder(Dictionary<string, string?> settings, string environment = "Production")
    {
        var builder = WebApplication.CreateBuilder(
            new WebApplicationOptions { EnvironmentName = environment, Args = ["--hostBuilder:reloadConfigOnChange=false"] });
        builder.Configuration.AddInMemoryCollection(settings);
        builder.Logging.ClearProviders().AddProvider(_log);
        builder.Services.AddAcmeHttps();
        return builder;
    }

    private IEnumerable<LogLine> Ours()
        => _log.Lines.Where(
            line => line.Category.StartsWith("KestrelAcme", StringComparison.Ordinal) && line.Level >= LogLevel.Information);

    private sealed class NoServer : IServer
    {
        public IFeatureCollection Features { get; } = new FeatureCollection();

        public Task StartAsync<TContext>(IHttpApplication<TContext> application, CancellationToken cancellationToken)
            where TContext : notnull => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public void Dispose()
        {
        }
    }
}
