using System.Net;
using KestrelAcme.Certificates;
using KestrelAcme.Hosting;
using KestrelAcme.Storage;
using KestrelAcme.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Xunit;

namespace KestrelAcme.Tests.EndToEnd;

/// <summary>An application as a user writes it, on a real Kestrel with one http and one https endpoint on free ports.</summary>
internal sealed class AcmeApp : IAsyncDisposable
{
    private readonly WebApplication _app;

    private AcmeApp(WebApplication app, LogRecorder log)
    {
        _app = app;
        Log = log;
    }

    public LogRecorder Log { get; }

    public IServiceProvider Services => _app.Services;

    public ICertificateManager Certificates => Services.GetRequiredService<ICertificateManager>();

    public IPEndPoint Http => new(IPAddress.Loopback, PortOf("http://"));

    public IPEndPoint Https => new(IPAddress.Loopback, PortOf("https://"));

    public static async Task<AcmeApp> StartAsync(
        IReadOnlyDictionary<string, string?> settings,
        Action<IAcmeHttpsBuilder>? acme = null,
        Action<WebApplicationBuilder>? configure = null,
        Action<WebApplication>? pipeline = null,
        IAcmeStorage? storage = null,
        CancellationToken cancellationToken = default)
    {
        var log = new LogRecorder();
        var builder = WebApplication.CreateBuilder(
            new WebApplicationOptions { EnvironmentName = "Production", Args = ["--hostBuilder:reloadConfigOnChange=false"] });
        builder.Configuration.AddInMemoryCollection(settings);
        builder.WebHost.UseSetting(
            WebHostDefaults.ServerUrlsKey, settings.GetValueOrDefault("urls") ?? "http://127.0.0.1:0;https://127.0.0.1:0");
        builder.Logging.ClearProviders().AddProvider(log).SetMinimumLevel(LogLevel.Debug);
        configure?.Invoke(builder);
        if (storage is not null)
        {
            builder.Services.AddSingleton(storage);
        }

        var added = builder.Services.AddAcmeHttps();
        acme?.Invoke(added);

        var app = builder.Build();
        pipeline?.Invoke(app);
        app.MapGet("/", () => "Hello over HTTPS");
        try
        {
            await app.StartAsync(cancellationToken);
        }
        catch
        {
            await app.DisposeAsync();
            throw;
        }

        return new AcmeApp(app, log);
    }

    /// <summary>Waits until the certificate for a name is valid.</summary>
    public Task ObtainedAsync(string name)
        => Poll.UntilAsync(
            () => Certificates.Find(name) is { State: CertificateState.Valid, SerialNumber: not null },
            () => $"a certificate for {name}\n{Log}",
            cancellationToken: TestContext.Current.CancellationToken);

    /// <summary>Connects to the HTTPS endpoint with a server name and returns the chain that was sent, leaf first.</summary>
    public Task<TlsAnswer> ConnectAsync(string serverName, CancellationToken cancellationToken)
        => TlsAnswer.GetAsync(Https, serverName, cancellationToken);

    public Task<HttpResponseMessage> GetHttpAsync(
        string path, string? host = null, HttpMethod? method = null, CancellationToken cancellationToken = default)
        => HttpProbe.SendAsync(Http, path, host, method ?? HttpMethod.Get, cancellationToken);

    public Task StopAsync(CancellationToken cancellationToken = default) => _app.StopAsync(cancellationToken);

    /// <summary>Disposes of it as it runs, as a host does whose start failed, or that nobody stopped.</summary>
    public ValueTask DisposeUnstoppedAsync() => _app.DisposeAsync();

    /// <summary>Ends it without much grace, and waits until nothing of it uses its store any more.</summary>
    public async ValueTask DisposeAsync()
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromMilliseconds(200), TimeProvider.System);
        try
        {
            await _app.StopAsync(limit.Token);
        }
        catch (Exception exception) when (exception is OperationCanceledException or AggregateException)
        {
            // It was in the middle of something.
        }

        await _app.DisposeAsync();
    }

    private int PortOf(string scheme)
        => BindingAddress.Parse(
            Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First(
                a => a.StartsWith(scheme, StringComparison.Ordinal))).Port;
}
