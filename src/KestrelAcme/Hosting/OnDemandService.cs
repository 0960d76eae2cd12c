using KestrelAcme.Certificates.OnDemand;
using KestrelAcme.Configuration.Snapshot;
using KestrelAcme.Diagnostics;
using KestrelAcme.Tls;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Hosting;

/// <summary>Begins certificates on demand before Kestrel listens, if they are configured. Otherwise nothing of them is created.</summary>
internal sealed class OnDemandService(
    IServiceProvider services, ConfigurationSource configuration, EndpointReport endpoints, ILogger<OnDemandService> logger)
    : IHostedLifecycleService, IDisposable
{
    // Not disposed: what still runs may ask for it.
    private readonly CancellationTokenSource _stopping = new();
    private OnDemandGate? _gate;
    private Task _running = Task.CompletedTask;

    public Task StartingAsync(CancellationToken cancellationToken)
    {
        if (configuration.Current is { Enabled: true, OnDemand: not null } && endpoints.KestrelIsUsed)
        {
            Begin();
        }

        return Task.CompletedTask;
    }

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public async Task StoppingAsync(CancellationToken cancellationToken)
    {
        _gate?.Stop();
        await _stopping.CancelQuietlyAsync();
        await _running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>A host whose start failed is disposed of without being stopped.</summary>
    public void Dispose()
    {
        _gate?.Stop();
        _stopping.CancelQuietly();
    }

    private void Begin()
    {
        if (!services.GetRequiredService<OnDemandPermission>().Exists)
        {
            logger.OnDemandWithoutPermission();
        }

        _gate = services.GetRequiredService<OnDemandGate>();
        services.GetRequiredService<TlsSelector>().OnDemand = _gate;
        var upkeep = services.GetRequiredService<OnDemandUpkeep>();
        _running = Task.Run(() => upkeep.RunAsync(_stopping.Token), CancellationToken.None);
    }
}
