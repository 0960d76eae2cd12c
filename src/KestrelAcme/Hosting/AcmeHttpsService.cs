using KestrelAcme.Certificates.Engine;
using KestrelAcme.Certificates.Events;
using KestrelAcme.Certificates.Model;
using KestrelAcme.Challenges;
using KestrelAcme.Challenges.Http01;
using KestrelAcme.Configuration.Snapshot;
using KestrelAcme.Diagnostics;
using KestrelAcme.Tls;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Hosting;

/// <summary>
/// Runs the engine in the host: it reads the store before Kestrel listens, starts orders after that, and answers open challenges until
/// Kestrel stops. No exception of KestrelAcme stops the host.
/// </summary>
internal sealed class AcmeHttpsService(
    CertificateEngine engine,
    ChallengeFeed fleet,
    EngineStart start,
    StatelessResponses stateless,
    EndpointReport endpoints,
    ConfigurationSource configuration,
    TimeProvider time,
    ILogger<AcmeHttpsService> logger)
    : IHostedLifecycleService
{
    // A slow store delays the start no longer than this, together with loading. Until other instances know of this one, they do not wait
    // for it, and until it has learned of their challenges, it cannot respond to them.
    private static readonly TimeSpan RegistrationTime = TimeSpan.FromSeconds(15);

    private bool _isStarting;
    private bool _started;

    private bool Active => configuration.Current.Enabled && endpoints.KestrelIsUsed;

    public async Task StartingAsync(CancellationToken cancellationToken)
    {
        _isStarting = true;
        if (configuration.Current.Enabled && !endpoints.KestrelIsUsed)
        {
            logger.InactiveWithoutKestrel(endpoints.ServerName);
        }

        if (Active)
        {
            start.Prepare();

            // Known to other instances, and ready for what they order, before a CA can reach this one.
            var began = time.GetTimestamp();
            fleet.Start();
            await GuardAsync(() => engine.LoadAsync(cancellationToken));
            await GuardAsync(() => stateless.LoadAsync(cancellationToken));
            var rest = RegistrationTime - time.GetElapsedTime(began);
            await fleet.WaitAsync(rest > TimeSpan.Zero ? rest : TimeSpan.Zero, cancellationToken);
        }
    }

    public Task StartAsync(CancellationToken cancellationToken)
    {
        // The hosts from before ASP.NET Core 3.0 call only this method and StopAsync.
        if (!_isStarting && Active)
        {
            logger.HostWithoutLifecycle();
        }

        return Task.CompletedTask;
    }

    public async Task StartedAsync(CancellationToken cancellationToken)
    {
        if (!Active)
        {
            return;
        }

        // An error in the report must not keep the engine from starting.
        await GuardAsync(() =>
        {
            endpoints.Report();
            return Task.CompletedTask;
        });
        await GuardAsync(() =>
        {
            start.Run();
            _started = true;
            return Task.CompletedTask;
        });
        if (_started && configuration.Current.RequireCertificateOnStartup is { } limit)
        {
            await RequireCertificatesAsync(limit, cancellationToken);
        }
    }

    // Kestrel listens already, so the CA can validate; the host is not started yet, so its failure is a failure of the start.
    private async Task RequireCertificatesAsync(TimeSpan limit, CancellationToken cancellationToken)
    {
        try
        {
            await engine.RequireCertificatesAsync(limit, cancellationToken);
        }
        catch
        {
            // The host is disposed of without being stopped.
            await StoppingAsync(CancellationToken.None);
            throw;
        }
    }

    public Task StoppingAsync(CancellationToken cancellationToken)
        => _started ? GuardAsync(() => Task.WhenAll(fleet.LeaveAsync(), engine.StopAsync(cancellationToken))) : Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    private async Task GuardAsync(Func<Task> action)
    {
        try
        {
            await action();
        }
        catch (OperationCanceledException)
        {
            // The host's time-out elapsed, or the host is stopping.
        }
        catch (Exception exception)
        {
            logger.HostingFailed(exception);
        }
    }
}

/// <summary>
/// Starts the engine once Kestrel listens: at once if a certificate is missing. After a restart with all certificates in the store, nothing
/// is urgent, and the first client gets the processor.
/// </summary>
internal sealed class EngineStart(
    CertificateEngine engine,
    CertificateEventHub events,
    CertificateGauges gauges,
    CertificateContexts contexts,
    IssuanceSettings settings,
    TimeProvider time)
{
    /// <summary>Creates what the app added, before anything happens that it is told of.</summary>
    public void Prepare() => events.CreateHandlers();

    /// <summary>Starts the engine.</summary>
    public void Run()
    {
        var after = engine.IsAnyMissing ? Task.CompletedTask : FirstClientAsync();
        engine.Start(after);
        _ = PublishAsync(after);
    }

    private async Task PublishAsync(Task after)
    {
        await after;
        gauges.Publish();
    }

    private async Task FirstClientAsync()
    {
        if (settings.FirstClient > TimeSpan.Zero)
        {
            using var limit = new TimeLimit(settings.FirstClient, time);
            await contexts.FirstServed.WaitAsync(limit.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (!limit.IsCancellationRequested)
            {
                await Task.Delay(settings.FirstResponse, time, CancellationToken.None);
            }
        }
    }
}
