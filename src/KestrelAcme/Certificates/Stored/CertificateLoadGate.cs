using KestrelAcme.Certificates.Import;
using KestrelAcme.Certificates.Model;
using KestrelAcme.Certificates.Persistence;
using KestrelAcme.Configuration.Snapshot;
using KestrelAcme.Diagnostics;
using KestrelAcme.Tls;

namespace KestrelAcme.Certificates.Stored;

/// <summary>
/// Holds connections while the store is read: each waits for its own certificate, which is read before all others, and at startup for the
/// retired ones that are served in place of missing ones.
/// </summary>
/// <remarks>Safe for concurrent use.</remarks>
internal sealed class CertificateLoadGate(
    LoadQueue queue,
    RetiredCertificates retired,
    StoreSentinel sentinel,
    LoadReport report,
    Func<CertificateImport> import,
    ConfigurationSource configuration,
    IssuanceSettings settings,
    TimeProvider time) : ICertificateLoadGate
{
    // A client gives up after about the same time, and so does the middleware that reads its ClientHello.
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(8);

    private readonly Lock _gate = new();
    private TaskCompletionSource? _starting;
    private Task _looked = Task.CompletedTask;

    /// <summary>Whether the startup imports what other ACME clients left. The doctor only looks at it.</summary>
    public bool Imports { get; set; } = true;

    private bool IsToImport => Imports && configuration.Current.ImportFrom.Count > 0;

    /// <inheritdoc/>
    public bool AllPublished => Started.IsCompleted;

    /// <summary>Completes when the store was searched for all certificates of the startup. Never fails.</summary>
    public Task Started => Volatile.Read(ref _starting)?.Task ?? Task.CompletedTask;

    /// <summary>Between this call and <see cref="CompleteAsync"/>, connections wait for the certificates that are being read.</summary>
    public void Begin()
    {
        Volatile.Write(ref _starting, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
        if (IsToImport)
        {
            import().HoldOrders();
        }
    }

    /// <summary>Reads certificates, after those that are being read already.</summary>
    /// <returns>Completes when the store was searched for each of them. Never fails.</returns>
    public Task LoadAsync(IReadOnlyCollection<ManagedCertificate> certificates, CancellationToken stopping)
    {
        var looked = queue.LoadAsync(certificates, stopping);
        lock (_gate)
        {
            if (!AllPublished)
            {
                _looked = Task.WhenAll(_looked, looked);
            }
        }

        return looked;
    }

    /// <summary>Sets the callback for each certificate that was read or given up.</summary>
    public void OnLoaded(Action<ManagedCertificate> loaded) => queue.OnLoaded(loaded);

    /// <summary>
    /// Waits for <see cref="Started"/> if there are few certificates; otherwise only a moment, because a connection waits for its own.
    /// </summary>
    public Task WaitAsync(bool isWhole, CancellationToken cancellationToken)
        => WaitAsync(Started, isWhole ? Timeout.InfiniteTimeSpan : settings.LoadAhead, cancellationToken);

    /// <summary>
    /// Waits for <see cref="Started"/>, but no longer than a slow store may delay an order, and for what others write back to a store that
    /// was emptied.
    /// </summary>
    public async Task WaitAsync(CancellationToken cancellationToken)
    {
        await WaitAsync(Started, settings.LoadTime, cancellationToken);
        await sentinel.BeginAsync(cancellationToken);
    }

    /// <summary>
    /// Waits until the store was searched for everything, imports what other ACME clients left, and serves retired certificates in place of
    /// missing ones.
    /// </summary>
    public async Task CompleteAsync(CancellationToken stopping)
    {
        var starting = _starting!;
        try
        {
            await Looked();
            if (IsToImport)
            {
                await import().RunAsync(stopping);
            }

            using var limit = new TimeLimit(settings.LoadTime, time);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, stopping);
            await retired.PublishAsync(either.Token).WaitAsync(either.Token);
        }
        catch (Exception exception)
        {
            if (!stopping.IsCancellationRequested)
            {
                report.Failed(exception);
            }
        }
        finally
        {
            starting.TrySetResult();
        }
    }

    /// <inheritdoc/>
    public Task PublishAsync(string name) => WaitAsync(queue.ReadNowAsync(name), LongestWait, CancellationToken.None);

    /// <inheritdoc/>
    public Task PublishAllAsync() => WaitAsync(Started, LongestWait, CancellationToken.None);

    private async Task WaitAsync(Task published, TimeSpan limit, CancellationToken cancellationToken)
    {
        try
        {
            await published.WaitAsync(limit, time, cancellationToken);
        }
        catch (TimeoutException)
        {
            // Startup continues with the certificates that were read.
        }
    }

    private Task Looked()
    {
        lock (_gate)
        {
            return _looked;
        }
    }
}
