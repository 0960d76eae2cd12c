using System.Net;
using KestrelAcme.Certificates;
using KestrelAcme.LocalAuthority;
using KestrelAcme.Storage;
using KestrelAcme.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Xunit;

namespace KestrelAcme.Browser.Tests;

/// <summary>
/// An app with a certificate from a local authority and its status page, in Development, where the page needs no authorization. It also
/// has /gallery: the same page with every state that there is.
/// </summary>
internal sealed class StatusApp : IAsyncDisposable
{
    public const string Name = "shop.test";

    private readonly TemporaryFolder _folder = new();
    private readonly LocalAcmeAuthority _authority;
    private WebApplication? _app;
    private int _port;

    private StatusApp(LocalAcmeAuthority authority) => _authority = authority;

    public string Url => $"https://{Name}:{_port}/acme-status";

    public string Gallery => $"https://{Name}:{_port}/gallery";

    public ICertificateManager Certificates => _app!.Services.GetRequiredService<ICertificateManager>();

    public static async Task<StatusApp> StartAsync(Action<IServiceCollection>? configure = null)
    {
        var app = new StatusApp(
            await LocalAcmeAuthority.StartAsync(options => options.InMemory = true, TestContext.Current.CancellationToken));
        try
        {
            await app.RunAsync(configure);
            return app;
        }
        catch
        {
            await app.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_app is not null)
        {
            await _app.StopAsync(CancellationToken.None);
            await _app.DisposeAsync();
        }

        await _authority.DisposeAsync();
        _folder.Dispose();
    }

    private async Task RunAsync(Action<IServiceCollection>? configure)
    {
        var http = FreePort.Tcp();
        _port = FreePort.Tcp();
        _authority.Resolve(Name, new IPEndPoint(IPAddress.Loopback, http));
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions
        {
            EnvironmentName = Environments.Development, Args = ["--hostBuilder:reloadConfigOnChange=false"],
        });
        builder.WebHost.UseUrls($"http://127.0.0.1:{http}", $"https://127.0.0.1:{_port}");
        builder.Logging.ClearProviders();
        builder.Services.AddSingleton<IAcmeStorage>(new InMemoryStorage(TimeProvider.System));
        configure?.Invoke(builder.Services);
        builder.Services.AddAcmeHttps(options =>
        {
            options.DirectoryUrl = _authority.DirectoryUrl.ToString();
            options.TrustedRootsPath = _folder.Write("root.pem", _authority.RootPem);
            options.AcceptTermsOfService = true;
            options.DomainNames = [Name];
        });
        _app = builder.Build();
        _app.MapAcmeHttpsStatus();
        StatusGallery.Map(_app);
        await _app.StartAsync(TestContext.Current.CancellationToken);
        await Poll.UntilAsync(() => Certificates.Find(Name) is { State: CertificateState.Valid }, $"a certificate for {Name}");
    }
}

/// <summary>One app for all tests of a class, which run one after another.</summary>
public sealed class StatusSite : IAsyncDisposable
{
    private StatusApp? _app;

    public async ValueTask DisposeAsync()
    {
        if (_app is not null)
        {
            await _app.DisposeAsync();
        }
    }

    internal async Task<StatusApp> GetAsync() => _app ??= await StatusApp.StartAsync();
}
