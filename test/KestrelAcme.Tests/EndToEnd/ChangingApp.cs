using System.Net;
using System.Security.Cryptography.X509Certificates;
using KestrelAcme.Certificates;
using KestrelAcme.Configuration.Binding;
using KestrelAcme.Testing;
using KestrelAcme.Testing.Processes;
using KestrelAcme.Tests.Configuration;
using Microsoft.Extensions.Configuration;
using Xunit;

namespace KestrelAcme.Tests.EndToEnd;

/// <summary>An application whose settings can be replaced as a whole.</summary>
internal sealed class ChangingApp(
    LocalFixture fixture, ChangingConfiguration configuration, IPEndPoint http, AcmeApp app, FakeTimeProvider reloaderClock)
    : IAsyncDisposable
{
    public AcmeApp App { get; } = app;

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    public static async Task<ChangingApp> StartAsync(LocalFixture fixture, Dictionary<string, string?> settings)
    {
        var http = new IPEndPoint(IPAddress.Loopback, FreePort.Tcp());
        Resolve(fixture, http, settings);
        var configuration = new ChangingConfiguration();
        configuration.Change(Values(settings));
        var clock = new FakeTimeProvider();
        var app = await fixture.StartAppAsync(
            new() { ["urls"] = $"http://{http};https://127.0.0.1:0" },
            acme => acme.Services.SetReloaderClock(clock),
            builder =>
            {
                QuickIssuance.Apply(builder);
                ((IConfigurationBuilder)builder.Configuration).Add(configuration);
            });
        return new ChangingApp(fixture, configuration, http, app, clock);
    }

    /// <summary>Replaces the settings, and lets the time pass after which they are read.</summary>
    public void Reload(Dictionary<string, string?> settings)
    {
        Resolve(fixture, http, settings);
        configuration.Change(Values(settings));
        reloaderClock.Advance(ConfigurationReloader.Quiet);
    }

    /// <summary>Waits until the status reports a certificate for all that is wanted, and looks at what clients get.</summary>
    public async Task SettledAsync(int count, Func<CertificateStatus, bool>? all = null)
    {
        await Poll.UntilAsync(
            () => App.Certificates.List() is var list
                && list.Count == count
                && list.All(s => s.SerialNumber is not null && (all?.Invoke(s) ?? true)),
            () => $"{count} certificates\n{App.Log}", cancellationToken: Cancelled);
        await AssertServedAsReportedAsync();
    }

    /// <summary>
    /// Every name is served by a certificate that the status reports for it, and every certificate is served to the clients that can
    /// use no other.
    /// </summary>
    public async Task AssertServedAsReportedAsync()
    {
        var reported = App.Certificates.List();
        foreach (var name in reported.SelectMany(s => s.DomainNames).Distinct())
        {
            Assert.Contains(
                await SerialNumberAsync(name), reported.Where(s => s.DomainNames.Contains(name)).Select(s => s.SerialNumber));
        }

        foreach (var status in reported)
        {
            var schemes = status.Id.Contains("+rsa", StringComparison.Ordinal) ? "RSA-PSS+SHA256"
                : status.Id.Contains("+ecdsap384", StringComparison.Ordinal) ? "ECDSA+SHA384"
                : "ECDSA+SHA256";
            var served = await OpenSsl.ShowCertificatesAsync(
                App.Https.Port, status.DomainNames[0], ["-tls1_3", "-sigalgs", schemes], cancellationToken: Cancelled);
            Assert.Equal(status.SerialNumber, served.LoadLeaf().SerialNumber);
        }
    }

    public async Task<string?> SerialNumberAsync(string? name)
    {
        var served = await OpenSsl.ShowCertificatesAsync(App.Https.Port, name, cancellationToken: Cancelled);
        return served.CertificatesPem.Count == 0 ? null : served.LoadLeaf().SerialNumber;
    }

    public async Task<bool> ServesRsaAsync(string name)
        => (await OpenSsl.ShowCertificatesAsync(
            App.Https.Port, name, cancellationToken: Cancelled)).LoadLeaf().PublicKey.GetRSAPublicKey() is not null;

    public ValueTask DisposeAsync() => App.DisposeAsync();

    private static (string Key, string? Value)[] Values(Dictionary<string, string?> settings)
        => [.. settings.Select(s => (s.Key["AcmeHttps:".Length..], s.Value))];

    private static void Resolve(LocalFixture fixture, IPEndPoint http, Dictionary<string, string?> settings)
    {
        foreach (var name in settings.AllNames())
        {
            fixture.Authority.Resolve(name, http);
        }
    }
}
