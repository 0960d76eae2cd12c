using System.Net;
using KestrelAcme.Hosting.Kestrel;
using KestrelAcme.Testing;
using KestrelAcme.Tls;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Tests.Hosting.Kestrel;

/// <summary>A real Kestrel with the TLS of KestrelAcme, configured by the test.</summary>
internal sealed class KestrelApp : IAsyncDisposable
{
    private KestrelApp(WebApplication app, LogRecorder logs)
    {
        App = app;
        Logs = logs;
    }

    public WebApplication App { get; }

    public LogRecorder Logs { get; }

    public ITlsPublisher Publisher => App.Services.GetRequiredService<ITlsPublisher>();

    public KestrelEndpoints Endpoints => App.Services.GetRequiredService<KestrelEndpoints>();

    public IReadOnlyList<Uri> Addresses
        => [.. App.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Select(a => new Uri(a))];

    public IPEndPoint EndPoint => new(IPAddress.Loopback, Addresses[0].Port);

    public static async Task<KestrelApp> StartAsync(
        Action<WebApplicationBuilder> configure, CancellationToken cancellationToken, TlsSettings? settings = null,
        string environment = "Production", bool slim = false, string applicationName = "KestrelAcme.Tests",
        Action<WebApplicationBuilder>? before = null, Dictionary<string, string?>? configuration = null)
    {
        var options = new WebApplicationOptions
        {
            EnvironmentName = environment, ApplicationName = applicationName, Args = ["--hostBuilder:reloadConfigOnChange=false"],
        };
        var builder = slim ? WebApplication.CreateSlimBuilder(options) : WebApplication.CreateBuilder(options);
        var logs = new LogRecorder();
        builder.Logging.ClearProviders().AddProvider(logs).SetMinimumLevel(LogLevel.Debug);
        builder.Configuration.AddInMemoryCollection(configuration ?? []);
        before?.Invoke(builder);
        builder.Services.AddSingleton<ITlsSettingsSource>(new FixedTlsSettings(settings ?? new TlsSettings()));
        builder.Services.AddKestrelTls();
        configure(builder);
        var app = builder.Build();
        app.MapGet("/", (HttpContext context) => $"{context.Request.Protocol} {context.Connection.ClientCertificate?.Subject}");
        await app.StartAsync(cancellationToken);
        return new KestrelApp(app, logs);
    }

    public async ValueTask DisposeAsync() => await App.DisposeAsync();
}
