using KestrelAcme.Certificates.Attempts;
using KestrelAcme.Certificates.Authorities;
using KestrelAcme.Certificates.Domains;
using KestrelAcme.Certificates.Model;
using KestrelAcme.Certificates.Revocation;
using KestrelAcme.Certificates.Scheduling;
using KestrelAcme.Certificates.Stored;
using KestrelAcme.Certificates.Upkeep;
using KestrelAcme.Configuration;
using KestrelAcme.Configuration.Snapshot;
using KestrelAcme.Diagnostics;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Certificates.Engine;

/// <summary>
/// Runs everything: reads the store before Kestrel listens, orders once it does, follows the configuration and the store, and stops without
/// losing an order. None of its failures stops the host.
/// </summary>
internal sealed class CertificateEngine(
    CertificateReconciler reconciler,
    BackgroundLoops loops,
    EngineRequests requests,
    AuthorityRegistry authorities,
    ConfigurationSource configuration,
    IssuanceSettings settings,
    TimeProvider time,
    ILogger<CertificateEngine> logger) : IDisposable, IAsyncDisposable
{
    private static readonly TimeSpan AfterGrace = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan BeginAgain = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan LookAgain = TimeSpan.FromMilliseconds(200);
    private const int MostMissing = 20;

    // Never disposed: the application may still ask for something, and a change may still come in, while the host is disposed of.
    private readonly CancellationTokenSource _stopping = new();
    private readonly CancellationTokenSource _abort = new();
    private IDisposable? _changes;
    private Task _beginning = Task.CompletedTask;
    private Task _running = Task.CompletedTask;

    /// <summary>Whether it ended because of an unexpected error: nothing is renewed any more.</summary>
    public bool HasFailed { get; private set; }

    /// <summary>Completes when nothing of the engine runs any more; never fails.</summary>
    public Task Ended => _running;

    /// <summary>Reads what the store holds, within a bounded time, so that it is served from the first connection.</summary>
    public async Task LoadAsync(CancellationToken cancellationToken)
    {
        using var limit = new TimeLimit(settings.LoadTime, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, limit.Token);
        try
        {
            await reconciler.LoadAsync(_stopping.Token, both.Token);
            if (configuration.Current is { Issuance: IssuanceMode.Automatic, Authorities: [var first, ..] } && reconciler.IsAnyMissing)
            {
                authorities.WarmUp(first, _stopping.Token);
            }
        }
        catch (OperationCanceledException) when (limit.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            logger.StoreSlowAtLoad(settings.LoadTime.TotalSeconds);
        }
    }

    /// <summary>Whether a certificate that is wanted does not exist yet.</summary>
    public bool IsAnyMissing => reconciler.IsAnyMissing;

    /// <summary>Starts to order and to follow changes.</summary>
    /// <param name="after">Completes when the work may begin; <see langword="null"/> for at once.</param>
    public void Start(Task? after = null)
    {
        _changes = configuration.OnChange(_ =>
        {
            authorities.TryBlockedSoon();
            StartReconciling();
        });
        authorities.Lifted = reconciler.PlanAll;
        _beginning = Task.Run(() => BeginAsync(after ?? Task.CompletedTask));
        _running = Task.Run(RunAsync);
        requests.Open(_beginning);
    }

    /// <summary>Waits until there is a certificate for each name that is wanted.</summary>
    /// <exception cref="InvalidOperationException">The time is over. The message names what is missing, and why.</exception>
    public async Task RequireCertificatesAsync(TimeSpan limit, CancellationToken cancellationToken)
    {
        for (var began = time.GetTimestamp(); ; await Task.Delay(LookAgain, time, cancellationToken))
        {
            var missing = reconciler.DescribeMissing(time.GetUtcNow());
            if (missing.Count == 0)
            {
                return;
            }

            if (time.GetElapsedTime(began) >= limit)
            {
                throw new InvalidOperationException(QuotedText.Of(
                    $"The start failed, because {missing.Count} certificates are missing after {limit:c} "
                    + $"(AcmeHttps:RequireCertificateOnStartup): {string.Join("; ", missing.Take(MostMissing))}"));
            }
        }
    }

    /// <summary>
    /// Stops: nothing new is asked of any authority, a posted challenge is still answered for a while, and the rest is resumed at the next
    /// start.
    /// </summary>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        _changes?.Dispose();
        requests.Close();
        await _stopping.CancelQuietlyAsync();
        using var grace = cancellationToken.UnsafeRegister(_ => _abort.CancelQuietly(), null);
        using var limit = new TimeLimit(settings.StoppingGrace, time);
        using var end = limit.Token.UnsafeRegister(_ => _abort.CancelQuietly(), null);
        try
        {
            // A handler or a store that ignores its token must not hold up the host.
            await _running.WaitAsync(settings.StoppingGrace + AfterGrace, time, CancellationToken.None);
        }
        catch (TimeoutException)
        {
            logger.EngineStoppedLate();
        }

        await AnswerAllAsync(cancellationToken);
    }

    /// <summary>Takes over the certificates that are wanted now. A failure is reported; the next change tries again.</summary>
    public async Task ReconcileAsync()
    {
        try
        {
            await reconciler.ReconcileAsync(_stopping.Token);
        }
        catch (Exception) when (_stopping.IsCancellationRequested)
        {
            // The host stops: what is wanted no longer matters.
        }
        catch (Exception exception)
        {
            logger.ReconfigurationFailed(exception);
        }
    }

    /// <summary>
    /// If a host is disposed of without being stopped, nothing may go on, and what the work uses must not be disposed of before the work
    /// has ended.
    /// </summary>
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

        await AnswerAllAsync(CancellationToken.None);
    }

    public void Dispose()
    {
        _changes?.Dispose();
        requests.Close();
        _stopping.CancelQuietly();
        _abort.CancelQuietly();
    }

    private void StartReconciling() => _ = ReconcileAsync();

    // A store that hangs must not hold up the host, either.
    private async Task AnswerAllAsync(CancellationToken cancellationToken)
    {
        using var limit = new TimeLimit(AfterGrace, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, limit.Token);
        await requests.AnswerAllAsync(both.Token);
    }

    // A store or a file that cannot be read for a moment must not end the renewals of this process.
    private async Task BeginAsync(Task after)
    {
        await after.WaitAsync(_stopping.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        while (true)
        {
            try
            {
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
            await loops.RunAsync(ReconcileAsync, _stopping.Token, _abort.Token);
        }
        catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
        {
            // The host stops.
        }
        catch (Exception exception)
        {
            HasFailed = true;
            logger.EngineFailed(exception);
        }
    }
}

/// <summary>
/// What runs until the host stops: the scheduler, and beside it what watches the store, the names and revocation lists, exports what was
/// loaded, and tidies up.
/// </summary>
internal sealed class BackgroundLoops(
    CertificateAgenda agenda,
    CertificateWorker worker,
    CertificateCommitter committer,
    CertificateLoadGate loading,
    StorageWatcher store,
    DomainWatcher domains,
    RevocationWatcher revocations,
    Housekeeper housekeeper)
{
    /// <param name="reconcile">Takes over the wanted names when they change.</param>
    /// <param name="stopping">Ends the loops; what was posted is still answered.</param>
    /// <param name="abort">Ends the work that is under way.</param>
    public async Task RunAsync(Func<Task> reconcile, CancellationToken stopping, CancellationToken abort)
    {
        var watching = Task.WhenAll(
            store.RunAsync(stopping),
            domains.RunAsync(reconcile, stopping),
            WatchRevocationsAsync(stopping),
            ExportAllAsync(stopping),
            housekeeper.RunAsync(stopping));
        await agenda.RunAsync((id, lane) => worker.WorkAsync(id, lane, stopping, abort), stopping);
        await watching;
    }

    // A list is read once a day for all certificates that name it, so not before they are there.
    private async Task WatchRevocationsAsync(CancellationToken stopping)
    {
        await loading.Started;
        await revocations.RunAsync(stopping);
    }

    private async Task ExportAllAsync(CancellationToken stopping)
    {
        await loading.Started;
        await committer.ExportAllAsync(stopping);
    }
}
