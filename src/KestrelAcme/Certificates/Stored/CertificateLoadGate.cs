using KestrelAcme.Certificates.Model;
using KestrelAcme.Diagnostics;
using KestrelAcme.Tls;

namespace KestrelAcme.Certificates.Stored;

/// <summary>
/// What connections wait for while the store is read: their own certificate, which is read before all others, and at the start the retired
/// ones that are served in the place of missing ones.
/// </summary>
/// <remarks>Safe for concurrent use.</remarks>
internal sealed class CertificateLoadGate(
    LoadQueue queue, RetiredCertificates retired, LoadReport report, IssuanceSettings settings, TimeProvider time) : ICertificateLoadGate
{
    // A client gives up after about as long, and so does the middleware that reads its ClientHello.
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(8);

    private readonly Lock _gate = new();
    private TaskCompletionSource? _starting;
    private Task _looked = Task.CompletedTask;

    /// <inheritdoc/>
    public bool AllPublished => Started.IsCompleted;

    /// <summary>Completes when the store was searched for all certificates of the start; never fails.</summary>
    public Task Started => Volatile.Read(ref _starting)?.Task ?? Task.CompletedTask;

    /// <summary>From here to <see cref="CompleteAsync"/>, connections wait for what is read.</summary>
    public void Begin() => Volatile.Write(ref _starting, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));

    /// <summary>Reads certificates, after those that are being read already.</summary>
    /// <returns>Completes when the store was searched for each of them; never fails.</returns>
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

    /// <summary>Calls back from now on for each certificate that was read, or given up.</summary>
    public void OnLoaded(Action<ManagedCertificate> loaded) => queue.OnLoaded(loaded);

    /// <summary>
    /// Waits for <see cref="Started"/>: for all certificates if they are few, else only a moment, since a connection waits for its own.
    /// </summary>
    public Task WaitAsync(bool isWhole, CancellationToken cancellationToken)
        => WaitAsync(Started, isWhole ? Timeout.InfiniteTimeSpan : settings.LoadAhead, cancellationToken);

    /// <summary>Waits for <see cref="Started"/>, no longer than an order may be held up by a slow store.</summary>
    public Task WaitAsync(CancellationToken cancellationToken) => WaitAsync(Started, settings.LoadTime, cancellationToken);

    /// <summary>
    /// Waits until the store was searched for everything, and serves retired certificates in the place of what is missing.
    /// </summary>
    public async Task CompleteAsync(CancellationToken stopping)
    {
        var starting = _starting!;
        try
        {
            await Looked();
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
            // It goes on with what there is.
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
