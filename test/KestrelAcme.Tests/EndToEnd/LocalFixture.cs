using System.Net;
using KestrelAcme.Certificates;
using KestrelAcme.Hosting;
using KestrelAcme.LocalAuthority;
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

    public static async Task<LocalFixture> StartAsync(Action<LocalAcmeAuthorityOptions>? configure = null)
        => new(await LocalAcmeAuthority.StartAsync(
            options =>
            {
                options.InMemory = true;
                configure?.Invoke(options);
            },
            TestContext.Current.CancellationToken));

    public Dictionary<string, string?> Settings(params string[] names)
    {
        var settings = new Dictionary<string, string?>
        {
            ["AcmeHttps:DirectoryUrl"] = Authority.DirectoryUrl.ToString(),
            ["AcmeHttps:TrustedRootsPath"] = RootPath,
            ["AcmeHttps:StoragePath"] = StorePath,
            ["AcmeHttps:AcceptTermsOfService"] = "true",
            ["AcmeHttps:EmailAddress"] = "admin@example.com",
        };
        for (var i = 0; i < names.Length; i++)
        {
            settings[$"AcmeHttps:DomainNames:{i}"] = names[i];
        }

        return settings;
    }

    /// <summary>Starts an application whose names the authority finds at its http endpoint.</summary>
    public async Task<AcmeApp> StartAppAsync(
        Dictionary<string, string?> settings, Action<IAcmeHttpsBuilder>? acme = null, Action<WebApplicationBuilder>? configure = null, Action<WebApplication>? pipeline = null)
    {
        // The order begins as soon as the server listens: its port must be known to the authority before.
        var port = FreePort.Tcp();
        settings.TryAdd("urls", $"http://127.0.0.1:{port};https://127.0.0.1:0");
        foreach (var name in settings.Where(s => s.Key.StartsWith("AcmeHttps:DomainNames:", StringComparison.Ordinal)).Select(s => s.Value!))
        {
            Authority.Resolve(name, new IPEndPoint(IPAddress.Loopback, port));
        }

        return await AcmeApp.StartAsync(settings, acme, configure, pipeline, TestContext.Current.CancellationToken);
    }

    /// <summary>Waits until the certificate for a name is valid.</summary>
    public static Task ObtainedAsync(AcmeApp app, string name)
        => Poll.UntilAsync(
            () => app.Certificates.Find(name) is { State: CertificateState.Valid, SerialNumber: not null },
            $"a certificate for {name}\n{app.Log}",
            TimeSpan.FromSeconds(20),
            TestContext.Current.CancellationToken);

    public async ValueTask DisposeAsync()
    {
        await Authority.DisposeAsync();
        _folder.Dispose();
    }
}
