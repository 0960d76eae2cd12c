using KestrelAcme.Certificates.Revocation;
using KestrelAcme.Configuration;
using KestrelAcme.Diagnostics;
using KestrelAcme.Protocol.Certificates;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Certificates.Scheduling;

/// <summary>
/// Runs everything: reads the store before Kestrel listens, orders once it does, follows what is wanted and the store, and stops without losing an order. Nothing of it stops the host.
/// </summary>
internal sealed class CertificateEngine(
    CertificateReconciler reconciler,
    CertificateCatalog catalog,
    CertificateScheduler scheduler,
    CertificateWorker worker,
    EngineWatchers watchers,
    CertificateRevoker revoker,
    IssuanceStatus issuance,
    OrderPaceStore pace,
    ConfigurationSource configuration,
    IssuanceSettings settings,
    TimeProvider time,
    ILogger<CertificateEngine> logger) : IDisposable
{
    private readonly CancellationTokenSource _stopping = new();
    private readonly CancellationTokenSource _abort = new();
    private IDisposable? _changes;
    private Task _beginning = Task.CompletedTask;
    private Task _running = Task.CompletedTask;

    /// <summary>Reads what the store holds, within a bounded time, so that it is served from the first connection on.</summary>
    public async Task LoadAsync(CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(settings.LoadTime, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, limit.Token);
        try
        {
            await reconciler.LoadAsync(both.Token);
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
    }

    /// <summary>Stops: nothing new is asked of any authority, what was posted is still answered for a while, and the rest is resumed at the next start.</summary>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        _changes?.Dispose();
        await _stopping.CancelAsync();
        using var grace = cancellationToken.UnsafeRegister(_ => _abort.Cancel(), null);
        using var limit = new CancellationTokenSource(settings.StoppingGrace, time);
        using var end = limit.Token.UnsafeRegister(_ => _abort.Cancel(), null);
        await _running;
        catalog.AnswerAll("The host is stopping; the order is made at the next start.");
    }

    /// <summary>Orders a successor now and waits for the outcome.</summary>
    public async Task RenewAsync(ManagedCertificate certificate, CancellationToken cancellationToken)
    {
        // An application may ask as soon as it listens, before we know whether we may order. A start that failed was reported; its reason stands.
        await _beginning.WaitAsync(cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        cancellationToken.ThrowIfCancellationRequested();
        if (issuance.ReasonNotToOrder is { } reason)
        {
            throw new InvalidOperationException(reason);
        }

        var request = certificate.AskForRenewal();
        scheduler.Schedule(certificate.Id, CertificatePlans.At(time.GetUtcNow(), certificate));
        await request.Outcome.WaitAsync(cancellationToken);
    }

    /// <summary>Revokes what is served; after a key compromise orders a successor at once, without waiting for it.</summary>
    public async Task RevokeAsync(ManagedCertificate certificate, RevocationReason reason, CancellationToken cancellationToken)
    {
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
        catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
        {
            // The host stops.
        }
        catch (Exception exception)
        {
            logger.ReconfigurationFailed(exception);
        }
    }

    public void Dispose()
    {
        _changes?.Dispose();
        _stopping.Dispose();
        _abort.Dispose();
    }

    private void StartReconciling() => _ = ReconcileAsync();

    private async Task BeginAsync()
    {
        await pace.LoadAsync(_stopping.Token);
        await reconciler.BeginAsync(_stopping.Token);
    }

    private async Task RunAsync()
    {
        try
        {
            await _beginning;
            var following = watchers.RunAsync(ReconcileAsync, _stopping.Token);
            await scheduler.RunAsync(id => worker.WorkAsync(id, _stopping.Token, _abort.Token), _stopping.Token);
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
