using KestrelAcme.Certificates.Revocation;
using KestrelAcme.Configuration;
using KestrelAcme.Diagnostics;
using KestrelAcme.Protocol.Certificates;
using KestrelAcme.Storage;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Certificates.Scheduling;

/// <summary>
/// Runs everything: reads the store before Kestrel listens, orders once it does, follows the configuration and the store, and stops without losing an order. Nothing of it stops the host.
/// </summary>
internal sealed class CertificateEngine(
    CertificateCatalog catalog,
    CertificateLoader loader,
    CertificateScheduler scheduler,
    CertificateWorker worker,
    StoreFollower follower,
    RevocationWatcher revocations,
    CertificateRevoker revoker,
    IssuanceStatus issuance,
    OrderPaceStore pace,
    ConfigurationSource configuration,
    IAcmeStorage storage,
    IssuanceSettings settings,
    TimeProvider time,
    ILogger<CertificateEngine> logger) : IDisposable
{
    private readonly CancellationTokenSource _stopping = new();
    private readonly CancellationTokenSource _abort = new();
    private readonly SemaphoreSlim _applying = new(1, 1);
    private IDisposable? _changes;
    private Task _running = Task.CompletedTask;
    private Task _following = Task.CompletedTask;

    /// <summary>Reads what the store holds, within a bounded time, so that it is served from the first connection on.</summary>
    public async Task LoadAsync(CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(settings.LoadTime, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, limit.Token);
        var (added, _) = catalog.Apply(configuration.Current);
        try
        {
            await loader.LoadAsync(added, both.Token);
        }
        catch (OperationCanceledException) when (limit.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            logger.StoreSlowAtLoad(settings.LoadTime.TotalSeconds);
        }
    }

    /// <summary>Begins to order and to follow changes.</summary>
    public void Start()
    {
        _changes = configuration.OnChange(_ => StartReconfiguring());
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
        await _following;
    }

    /// <summary>Orders a successor now and waits for the outcome.</summary>
    public async Task RenewAsync(ManagedCertificate certificate, CancellationToken cancellationToken)
    {
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

    public void Dispose()
    {
        _changes?.Dispose();
        _stopping.Dispose();
        _abort.Dispose();
        _applying.Dispose();
    }

    private async Task RunAsync()
    {
        try
        {
            await UpdateIssuanceAsync();
            await pace.LoadAsync(_stopping.Token);
            ScheduleAll(catalog.All);
            _following = Task.WhenAll(follower.RunAsync(_stopping.Token), revocations.RunAsync(_stopping.Token));
            await scheduler.RunAsync(id => worker.WorkAsync(id, _stopping.Token, _abort.Token), _stopping.Token);
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

    private void StartReconfiguring() => _ = ReconfigureAsync();

    private async Task ReconfigureAsync()
    {
        try
        {
            await _applying.WaitAsync(_stopping.Token);
            try
            {
                var (added, removed) = catalog.Apply(configuration.Current);
                logger.ConfigurationApplied(added.Count, removed.Count);
                await loader.LoadAsync(added, _stopping.Token);
                await UpdateIssuanceAsync();
                foreach (var id in removed)
                {
                    scheduler.Remove(id);
                }

                ScheduleAll(catalog.All);
            }
            finally
            {
                _applying.Release();
            }
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

    private async Task UpdateIssuanceAsync()
    {
        var report = await storage.CheckAsync(_stopping.Token);
        if (report is { Explanation: { } explanation } and ({ Readable: false } or { Writable: false }))
        {
            logger.StoreNeedsAttention(report.Place, explanation);
        }

        issuance.ReasonNotToOrder = IssuanceGate.ReasonNotToOrder(configuration.Current, report);
        if (issuance.ReasonNotToOrder is { } reason && catalog.All.Count > 0)
        {
            logger.NothingIsOrdered(reason);
        }
    }

    private void ScheduleAll(ICollection<ManagedCertificate> certificates)
    {
        foreach (var certificate in certificates)
        {
            if (worker.Plan(certificate) is { } work)
            {
                scheduler.Schedule(certificate.Id, work);
            }
        }
    }
}
