using System.Net;
using KestrelAcme.Certificates;
using KestrelAcme.Testing;
using KestrelAcme.Testing.Faults;
using KestrelAcme.Testing.Processes;
using KestrelAcme.Testing.Servers;
using KestrelAcme.Tests.EndToEnd;
using Microsoft.AspNetCore.Builder;
using Xunit;

namespace KestrelAcme.Tests.Servers;

/// <summary>
/// A Pebble, with or without the proxy in front, a store in a temporary folder, and applications that use both. Every name leads Pebble to
/// the application.
/// </summary>
internal sealed class PebbleFixture : IAsyncDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly FaultyProxy? _proxy;
    private readonly bool _isShared;

    private PebbleFixture(PebbleServer pebble, FaultyProxy? proxy, bool isShared = false)
    {
        (Pebble, _proxy, _isShared) = (pebble, proxy, isShared);
        RootsPath = _folder.Write("https-root.pem", proxy?.TrustedRootsPem ?? pebble.TrustedRootsPem);
    }

    public PebbleServer Pebble { get; }

    public FaultyProxy Proxy => _proxy ?? throw new InvalidOperationException("Started without a proxy.");

    /// <summary>The signed requests that came through the proxy, without those that read only.</summary>
    public IEnumerable<ProxiedRequest> Changes => Proxy.Requests.Where(r => r.Method == "POST" && r.DecodePayload() is not null);

    public IEnumerable<ProxiedRequest> NewOrders => Proxy.Requests.Where(r => r.Path == "/order-plz");

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    /// <summary>A file with the root of the HTTPS of the CA.</summary>
    public string RootsPath { get; }

    public static async Task<PebbleFixture> StartAsync(PebbleOptions? options = null)
        => new(await PebbleServer.StartAsync(options, Cancelled), null);

    public static async Task<PebbleFixture> StartBehindProxyAsync(PebbleOptions? options = null)
    {
        var pebble = await PebbleServer.StartAsync(options, Cancelled);
        return new PebbleFixture(pebble, await FaultyProxy.StartAsync(pebble, Cancelled));
    }

    /// <summary>Uses the Pebble of the test's class. Each app has an account of its own.</summary>
    public static async Task<PebbleFixture> StartAsync(SharedPebble shared) => new(await shared.GetAsync(), null, isShared: true);

    /// <summary>Uses the Pebble of the test's class, behind a proxy of the test's own.</summary>
    public static async Task<PebbleFixture> StartBehindProxyAsync(SharedPebble shared)
    {
        var pebble = await shared.GetAsync();
        return new PebbleFixture(pebble, await FaultyProxy.StartAsync(pebble, Cancelled), isShared: true);
    }

    public Dictionary<string, string?> Settings(params string[] names) => new Dictionary<string, string?>
    {
        ["AcmeHttps:DirectoryUrl"] = (_proxy?.DirectoryUrl ?? Pebble.DirectoryUrl).ToString(),
        ["AcmeHttps:TrustedRootsPath"] = RootsPath,
        ["AcmeHttps:StoragePath"] = _folder.Combine("store"),
        ["AcmeHttps:AcceptTermsOfService"] = "true",
        ["AcmeHttps:EmailAddress"] = "admin@example.com",
        ["urls"] = $"http://127.0.0.1:{Pebble.HttpPort};https://127.0.0.1:0",
    }.AddNames(names);

    public static Task<AcmeApp> StartAppAsync(Dictionary<string, string?> settings, Action<WebApplicationBuilder>? configure = null)
        => AcmeApp.StartAsync(settings, configure: configure ?? QuickRetries.Configure, cancellationToken: Cancelled);

    public Task<AcmeApp> StartAppAsync(params string[] names) => StartAppAsync(Settings(names));

    /// <summary>Waits for the failure of any of some names that has led to a state.</summary>
    public static async Task<CertificateFailure> FailedAsync(AcmeApp app, CertificateState state, params string[] names)
    {
        CertificateFailure? failure = null;
        await Poll.UntilAsync(
            () => (failure = names.Select(n => app.Certificates.Find(n)!).FirstOrDefault(s => s.State == state)?.Failure) is not null,
            () => $"one of {string.Join(", ", names)} to be {state}\n{app.Log}",
            cancellationToken: Cancelled);
        return failure!;
    }

    /// <summary>Renews until the order needed a validation of its own.</summary>
    /// <remarks>
    /// Even when it is told to reuse no valid authorization, Pebble reuses one in a hundred: its condition is "a random number from 0 to 99
    /// is greater than 0".
    /// </remarks>
    /// <returns>What was served before that order, and how it failed.</returns>
    public static async Task<(string SerialNumber, Exception? Failure)> RenewWithValidationAsync(AcmeApp app, string name)
    {
        while (true)
        {
            var (before, reused) = ((await app.ConnectAsync(name, Cancelled)).SerialNumber, ReusedAuthorizations(app));
            var failure = await Record.ExceptionAsync(() => app.Certificates.RenewAsync(name, Cancelled));
            if (ReusedAuthorizations(app) == reused)
            {
                return (before, failure);
            }
        }
    }

    /// <summary>What openssl finds at the application's endpoint, with one of Pebble's roots as the only one that is trusted.</summary>
    public async Task<ServedChain> ServedAsync(AcmeApp app, string? serverName, int root = 0)
        => await OpenSsl.ShowCertificatesAsync(
            app.Https.Port, serverName, rootsPem: await Pebble.GetIssuingRootPemAsync(root, Cancelled), cancellationToken: Cancelled);

    public async Task<CommandResult> VerifyAsync(ServedChain served, string name, int root = 0)
        => await OpenSsl.VerifyAsync(
            string.Join('\n', served.CertificatesPem), await Pebble.GetIssuingRootPemAsync(root, Cancelled), name, Cancelled);

    private static int ReusedAuthorizations(AcmeApp app) => app.Log.Lines.Count(l => l.Event.Name == "AuthorizationAlreadyValid");

    public async ValueTask DisposeAsync()
    {
        if (_proxy is not null)
        {
            await _proxy.DisposeAsync();
        }

        if (!_isShared)
        {
            await Pebble.DisposeAsync();
        }

        _folder.Dispose();
    }
}

/// <summary>
/// A Pebble for the tests of a class that do not change it, started by the first one, so that a missing Pebble skips tests. Its keys take
/// half a second of processor time.
/// </summary>
public sealed class SharedPebble : IAsyncDisposable
{
    private PebbleServer? _server;

    internal async Task<PebbleServer> GetAsync() => _server ??= await PebbleServer.StartAsync();

    public async ValueTask DisposeAsync()
    {
        if (_server is not null)
        {
            await _server.DisposeAsync();
        }
    }
}
