using System.Net;
using KestrelAcme.Hosting;
using KestrelAcme.LocalAuthority;
using KestrelAcme.LocalAuthority.Requests;
using KestrelAcme.Storage;
using KestrelAcme.Testing;
using Microsoft.AspNetCore.Builder;
using Xunit;

namespace KestrelAcme.Tests.EndToEnd;

/// <summary>A local authority, a store in a temporary folder, and applications that use both.</summary>
internal sealed class LocalFixture : IAsyncDisposable
{
    private readonly TemporaryFolder _folder = new();

    private LocalFixture(LocalAcmeAuthority authority)
    {
        Authority = authority;
        RootPath = _folder.Write("root.pem", authority.RootPem);
    }

    public LocalAcmeAuthority Authority { get; }

    public string RootPath { get; }

    public string StorePath => _folder.Combine("store");

    /// <summary>How many challenges the authority was told to validate.</summary>
    public int PostedChallenges => Authority.Requests.Count(r => r is { Resource: ResourceKind.Challenge, StatusCode: 200 });

    public static async Task<LocalFixture> StartAsync(Action<LocalAcmeAuthorityOptions>? configure = null)
        => new(await LocalAcmeAuthority.StartAsync(
            options =>
            {
                options.InMemory = true;
                configure?.Invoke(options);
            },
            TestContext.Current.CancellationToken));

    public Dictionary<string, string?> Settings(params string[] names) => new Dictionary<string, string?>
    {
        ["AcmeHttps:DirectoryUrl"] = Authority.DirectoryUrl.ToString(),
        ["AcmeHttps:TrustedRootsPath"] = RootPath,
        ["AcmeHttps:StoragePath"] = StorePath,
        ["AcmeHttps:AcceptTermsOfService"] = "true",
        ["AcmeHttps:EmailAddress"] = "admin@example.com",
    }.AddNames(names);

    /// <summary>Starts an application whose names the authority finds at its http endpoint.</summary>
    public async Task<AcmeApp> StartAppAsync(
        Dictionary<string, string?> settings,
        Action<IAcmeHttpsBuilder>? acme = null,
        Action<WebApplicationBuilder>? configure = null,
        Action<WebApplication>? pipeline = null,
        IAcmeStorage? storage = null)
    {
        // The order begins as soon as the server listens: its port must be known to the authority before.
        var port = FreePort.Tcp();
        settings.TryAdd("urls", $"http://127.0.0.1:{port};https://127.0.0.1:0");
        foreach (var name in settings.AllNames())
        {
            Authority.Resolve(name, new IPEndPoint(IPAddress.Loopback, port));
        }

        return await AcmeApp.StartAsync(settings, acme, configure, pipeline, storage, TestContext.Current.CancellationToken);
    }

    /// <summary>Starts an application and waits until it has the certificate for each of its names.</summary>
    public Task<AcmeApp> ServeAsync(params string[] names) => ServeAsync(Settings(names));

    /// <summary>Starts an application and waits until it has the certificate for each of its names.</summary>
    public async Task<AcmeApp> ServeAsync(
        Dictionary<string, string?> settings, Action<WebApplicationBuilder>? configure = null, IAcmeStorage? storage = null)
    {
        var app = await StartAppAsync(settings, configure: configure, storage: storage);
        try
        {
            foreach (var name in settings.SingleNames())
            {
                await app.ObtainedAsync(name);
            }
        }
        catch
        {
            await app.DisposeAsync();
            throw;
        }

        return app;
    }

    /// <summary>Lets an application obtain certificates and stop: what it leaves behind is in the store.</summary>
    public async Task FillStoreAsync(params string[] names)
    {
        await using var app = await ServeAsync(names);
        await app.StopAsync(TestContext.Current.CancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        await Authority.DisposeAsync();
        _folder.Dispose();
    }
}
