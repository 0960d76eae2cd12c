using System.Collections.Concurrent;
using System.Net;
using KestrelAcme.Certificates;
using KestrelAcme.Certificates.Model;
using KestrelAcme.Configuration;
using KestrelAcme.Storage;
using KestrelAcme.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace KestrelAcme.Tests.EndToEnd.OnDemand;

/// <summary>Starts applications with certificates on demand, whose names the local authority finds at their http endpoints.</summary>
internal static class OnDemandApp
{
    /// <summary>How long a connection may wait for its certificate: on a busy machine, an order takes longer than a visitor has.</summary>
    public static TimeSpan Patience { get; } = TimeSpan.FromMinutes(2);

    public static async Task<AcmeApp> StartAsync(
        LocalFixture fixture,
        TestPermission permission,
        Action<Dictionary<string, string?>>? settings = null,
        Action<OnDemandOptions>? configure = null,
        IAcmeStorage? storage = null,
        TimeProvider? time = null,
        Action<WebApplication>? pipeline = null,
        IssuanceSettings? issuance = null,
        params string[] names)
    {
        var port = FreePort.Tcp();
        var all = fixture.Settings(names);
        all["urls"] = $"http://127.0.0.1:{port};https://127.0.0.1:0";
        all["AcmeHttps:OnDemand:CheckAddress"] = "false";
        settings?.Invoke(all);
        fixture.Authority.Resolve("*", new IPEndPoint(IPAddress.Loopback, port));
        return await AcmeApp.StartAsync(
            all,
            acme: builder => builder.AddOnDemand(
                permission.AskAsync,
                options =>
                {
                    options.Wait = Patience;
                    configure?.Invoke(options);
                }),
            configure: app =>
            {
                AllowSlowHandshakes(app);
                app.Services.AddSingleton(issuance ?? QuickIssuance.Settings);
                app.Services.AddSingleton(time ?? TimeProvider.System);
            },
            pipeline: pipeline,
            storage: storage,
            cancellationToken: TestContext.Current.CancellationToken);
    }

    /// <summary>A connection never waits longer than Kestrel lets a handshake take.</summary>
    public static void AllowSlowHandshakes(WebApplicationBuilder app)
        => app.WebHost.ConfigureKestrel(
            static kestrel => kestrel.ConfigureHttpsDefaults(static https => https.HandshakeTimeout = 2 * Patience));
}

/// <summary>Decides as the test says, and counts.</summary>
internal sealed class TestPermission(Func<string, IssuanceDecision> decide)
{
    private readonly ConcurrentQueue<string> _asked = new();

    public Func<string, IssuanceDecision> Decide { get; set; } = decide;

    public IReadOnlyCollection<string> Asked => _asked;

    public static TestPermission AllowAll() => new(static _ => IssuanceDecision.Allow());

    public static TestPermission Allow(params string[] names)
        => new(name => names.Contains(name) ? IssuanceDecision.Allow() : IssuanceDecision.Deny());

    public ValueTask<IssuanceDecision> AskAsync(string name, IssuanceContext context, CancellationToken cancellationToken)
    {
        _asked.Enqueue(name);
        return new(Decide(name));
    }
}
