using KestrelAcme.Certificates.Revocation;
using KestrelAcme.Certificates.Scheduling;
using KestrelAcme.Configuration;
using KestrelAcme.Diagnostics;
using KestrelAcme.Protocol.Certificates;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Certificates.Engine;

/// <summary>
/// Runs everything: reads the store before Kestrel listens, orders once it does, follows what is wanted and the store, and stops without losing an order. Nothing of it stops the host.
/// </summary>
internal sealed class CertificateEngine(
    CertificateReconciler reconciler,
    CertificateCatalog catalog,
    AuthorityWarmUp warmUp,
    CertificateScheduler scheduler,
    CertificateWorker worker,
    EngineWatchers watchers,
    CertificateRevoker revoker,
    IssuanceStatus issuance,
    OrderPaceStore pace,
    ConfigurationSource configuration,
    IssuanceSettings settings,
    TimeProvider time,
    ILogger<CertificateEngine> logger) : IDisposable, IAsyncDisposable
{
    private const string Stopping = "The host is stopping; the order is made at the next start.";
    private static readonly TimeSpan AfterGrace = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan BeginAgain = TimeSpan.FromMinutes(1);

    // Never disposed: an application may still ask for something, and a change may still come in, while the host is disposed of.
    private readonly CancellationTokenSource _stopping = new();
    private readonly CancellationTokenSource _abort = new();
    private volatile bool _started;
    private IDisposable? _changes;
    private Task _beginning = Task.CompletedTask;
    private Task _running = Task.CompletedTask;

    /// <summary>Ends when nothing of it runs any more; never fails.</summary>
    public Task Ended => _running;

    /// <summary>Reads what the store holds, within a bounded time, so that it is served from the first connection on.</summary>
    public async Task LoadAsync(CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(settings.LoadTime, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, limit.Token);
        try
        {
            await reconciler.LoadAsync(_stopping.Token, both.Token);
            warmUp.Start(_stopping.Token);
        }
        catch (OperationCanceledException) when (limit.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            logger.StoreSlowAtLoad(settings.LoadTime.TotalSeconds);
        }
    }

    /// <summary>Begins to order and to follow changes.</summary>
    public void Start()
    {
        _changes = configuration.OnChange(_ => StartReconciling());
        _beginning = Task.Run(BeginAsync);
        _running = Task.Run(RunAsync);
        _started = true;
    }

    /// <summary>Stops: nothing new is asked of any authority, what was posted is still answered for a while, and the rest is resumed at the next start.</summary>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        _changes?.Dispose();
        await _stopping.CancelAsync();
        using var grace = cancellationToken.UnsafeRegister(_ => _abort.Cancel(), null);
        using var limit = new CancellationTokenSource(settings.StoppingGrace, time);
        using var end = limit.Token.UnsafeRegister(_ => _abort.Cancel(), null);
        try
        {
            // A handler or a store that ignores its token must not hold up the host.
            await _running.WaitAsync(settings.StoppingGrace + AfterGrace, time, CancellationToken.None);
        }
        catch (TimeoutException)
        {
            logger.EngineStoppedLate();
        }

        catalog.AnswerAll(Stopping);
    }

    /// <summary>Orders a successor now and waits for the outcome.</summary>
    /// <exception cref="InvalidOperationException">This instance does not order, or not yet; the message says why.</exception>
    public Task RenewAsync(ManagedCertificate certificate, CancellationToken cancellationToken) => AskAsync(certificate, force: true, cancellationToken);

    /// <summary>Waits for the attempt that is planned, and is answered with the last failure when that is far away.</summary>
    /// <exception cref="InvalidOperationException">This instance does not order, or not yet; the message says why.</exception>
    public Task ObtainAsync(ManagedCertificate certificate, CancellationToken cancellationToken) => AskAsync(certificate, force: false, cancellationToken);

    private async Task AskAsync(ManagedCertificate certificate, bool force, CancellationToken cancellationToken)
    {
        if (!_started)
        {
            throw new InvalidOperationException("Certificates are ordered once Kestrel listens, since that is where an authority looks. Ask after the application has started.");
        }

        // An application may ask as soon as it listens, before we know whether we may order. A start that failed was reported; its reason stands.
        await _beginning.WaitAsync(cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        cancellationToken.ThrowIfCancellationRequested();
        if ((_stopping.IsCancellationRequested ? Stopping : issuance.ReasonNotToOrder) is { } reason)
        {
            throw new InvalidOperationException(reason);
        }

        await reconciler.EnsureLoadedAsync(certificate);
        var request = certificate.Ask(force);
        scheduler.Schedule(certificate.Id, CertificatePlans.At(time.GetUtcNow(), certificate));
        if (_stopping.IsCancellationRequested)
        {
            // It came too late for whoever answers all requests at the stop.
            certificate.Answer(new InvalidOperationException(Stopping));
        }

        await request.Outcome.WaitAsync(cancellationToken);
    }

    /// <summary>Revokes what is served; after a key compromise orders a successor at once, without waiting for it.</summary>
    public async Task RevokeAsync(ManagedCertificate certificate, RevocationReason reason, CancellationToken cancellationToken)
    {
        await reconciler.EnsureLoadedAsync(certificate);
        if (await revoker.RevokeAsync(certificate, reason, cancellationToken) && issuance.ReasonNotToOrder is null)
        {
            scheduler.Schedule(certificate.Id, CertificatePlans.At(time.GetUtcNow(), certificate));
        }
    }

    /// <summary>Takes over what is wanted now. A failure is reported; the next change tries again.</summary>
    public async Task ReconcileAsync()
    {
        try
        {
            await reconciler.ReconcileAsync(_stopping.Token);
        }
        catch (Exception) when (_stopping.IsCancellationRequested)
        {
            // The host stops: nothing is wanted any more.
        }
        catch (Exception exception)
        {
            logger.ReconfigurationFailed(exception);
        }
    }

    /// <summary>A host that is disposed of without being stopped: nothing may go on, nor may anything of what the work uses be disposed of before it has ended.</summary>
    public async ValueTask DisposeAsync()
    {
        Dispose();
        try
        {
            await _running.WaitAsync(AfterGrace, time, CancellationToken.None);
        }
        catch (TimeoutException)
        {
            logger.EngineStoppedLate();
        }

        catalog.AnswerAll(Stopping);
    }

    public void Dispose()
    {
        _changes?.Dispose();
        _stopping.Cancel();
        _abort.Cancel();
    }

    private void StartReconciling() => _ = ReconcileAsync();

    // A store or a file that cannot be read at this moment must not end the renewals of this process.
    private async Task BeginAsync()
    {
        while (true)
        {
            try
            {
                await pace.LoadAsync(_stopping.Token);
                await reconciler.BeginAsync(_stopping.Token);
                return;
            }
            catch (Exception exception) when (!_stopping.IsCancellationRequested)
            {
                logger.EngineNotBegun(exception);
                await Task.Delay(BeginAgain, time, _stopping.Token);
            }
        }
    }

    private async Task RunAsync()
    {
        try
        {
            await _beginning;
            var following = watchers.RunAsync(ReconcileAsync, _stopping.Token);
            await scheduler.RunAsync((id, lane) => worker.WorkAsync(id, lane, _stopping.Token, _abort.Token), reconciler.PlanAll, _stopping.Token);
            await following;
        }
        catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
        {
            // The host stops.
        }
        catch (Exception exception)
        {
            logger.EngineFailed(exception);
        }
    }
}
