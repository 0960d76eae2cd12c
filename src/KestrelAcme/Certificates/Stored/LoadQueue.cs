using KestrelAcme.Certificates.Model;
using KestrelAcme.Diagnostics;
using KestrelAcme.Storage;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Certificates.Stored;

/// <summary>
/// Reads stored certificates one batch after the other, and before all others those that are asked for: the start does not take longer the
/// more there are. What cannot be read keeps nothing else back, and is tried again by itself.
/// </summary>
/// <remarks>
/// Safe for concurrent use. Each certificate is read by one at a time: nothing that was read late can take the place of what came after.
/// </remarks>
internal sealed class LoadQueue(
    CertificateLoader loader, CertificateCatalog catalog, LoadReport report, IssuanceSettings settings, TimeProvider time)
{
    // A store takes a few questions at once.
    private const int MostOnDemand = 8;
    private const int MostFailures = 3;

    // More than hang at once in most stores that hang for some values only: those that do not hang are not kept waiting.
    private const int MostRetries = 16;
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(5);

    private readonly Lock _gate = new();
    private readonly UnreadCertificates _unread = new();
    private readonly SemaphoreSlim _onDemand = new(MostOnDemand);
    private readonly List<UnreadCertificate> _failed = [];
    private Action<ManagedCertificate>? _loaded;
    private CancellationToken _stopping;
    private bool _running;
    private bool _retrying;

    /// <summary>Tells from now on of each certificate that was read, or given up, after it was.</summary>
    public void OnLoaded(Action<ManagedCertificate> loaded)
    {
        lock (_gate)
        {
            _loaded = loaded;
        }
    }

    /// <summary>Reads certificates, behind those that are being read already.</summary>
    /// <returns>Ends when each of them was looked for; never fails.</returns>
    public Task LoadAsync(IReadOnlyCollection<ManagedCertificate> certificates, CancellationToken stopping)
    {
        var added = certificates.Select(c => new UnreadCertificate(c)).ToList();
        lock (_gate)
        {
            _stopping = stopping;
            _unread.Add(added);
            catalog.HasUnread = !_unread.IsEmpty;
            if (added.Count > 0 && !_running)
            {
                _running = true;
                _ = Task.Run(RunAsync, CancellationToken.None);
            }

            return Task.WhenAll(added.Select(c => c.Looked));
        }
    }

    /// <summary>Reads what covers a name, itself or by a wildcard, before all else.</summary>
    /// <returns>Ends when each of them was looked for; never fails.</returns>
    public Task ReadNowAsync(string name)
    {
        List<UnreadCertificate> all, mine;
        lock (_gate)
        {
            all = _unread.Find(name);
            mine = all.FindAll(c => c.TryClaim());
        }

        var reading = mine.Count > 0 ? ReadOnDemandAsync(mine) : Task.CompletedTask;
        return Task.WhenAll([reading, .. all.Select(c => c.Looked)]);
    }

    private async Task RunAsync()
    {
        while (true)
        {
            List<UnreadCertificate> batch;
            lock (_gate)
            {
                batch = _unread.Next(TolerantReader.BatchSize);
                if (batch.Count == 0)
                {
                    _running = false;
                    return;
                }
            }

            await ReadAsync(batch);
        }
    }

    private async Task ReadOnDemandAsync(List<UnreadCertificate> certificates)
    {
        await _onDemand.WaitAsync(CancellationToken.None);
        try
        {
            await ReadAsync(certificates);
        }
        finally
        {
            _onDemand.Release();
        }
    }

    // Never throws, and ends in time even where the store does not heed its token: what comes too late is thrown away by the loader.
    private async Task ReadAsync(List<UnreadCertificate> batch)
    {
        Predicate<UnreadCertificate> isRead = static _ => false;
        try
        {
            using var limit = new TimeLimit(settings.LoadTime, time);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, _stopping);
            var wanted = batch.Select(c => c.Certificate).Where(c => ReferenceEquals(catalog.Find(c.Id), c)).ToList();
            var failed = await loader.LoadAsync(wanted, either.Token).WaitAsync(either.Token);
            isRead = c => !failed.Contains(c.Certificate.Id);
            report.Succeeded();
        }
        catch (Exception exception)
        {
            if (!_stopping.IsCancellationRequested)
            {
                report.Failed(exception);
            }
        }

        Settle(batch, isRead);
    }

    private void Settle(List<UnreadCertificate> batch, Predicate<UnreadCertificate> isRead)
    {
        var loaded = batch.FindAll(c => isRead(c) || c.Failures + 1 >= MostFailures || _stopping.IsCancellationRequested);
        Action<ManagedCertificate>? tell;
        lock (_gate)
        {
            foreach (var certificate in loaded)
            {
                certificate.Certificate.IsLoaded = true;
                _unread.Remove(certificate);
            }

            catalog.HasUnread = !_unread.IsEmpty;

            foreach (var certificate in batch.Except(loaded))
            {
                certificate.Release();
                _failed.Add(certificate);
            }

            if (_failed.Count > 0 && !_retrying)
            {
                _retrying = true;
                _ = Task.Run(RetryAsync, CancellationToken.None);
            }

            tell = _loaded;
        }

        batch.ForEach(c => c.EndLook());
        loaded.ForEach(c => tell?.Invoke(c.Certificate));
    }

    // Each alone: the fault may be with one of a batch. Several at once: one that hangs takes its whole time. A certificate that cannot be
    // read at all counts as loaded in the end; before it is ordered the store is asked again.
    private async Task RetryAsync()
    {
        for (var pause = Pause; ; pause *= 2)
        {
            await Task.Delay(pause, time, _stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            List<UnreadCertificate> failed;
            lock (_gate)
            {
                failed = _failed.FindAll(c => c.TryClaim());
                _failed.Clear();
                if (failed.Count == 0)
                {
                    _retrying = false;
                    return;
                }
            }

            var parallel = new ParallelOptions { MaxDegreeOfParallelism = MostRetries };
            await Parallel.ForEachAsync(failed, parallel, async (certificate, _) => await ReadAsync([certificate]));
        }
    }
}

/// <summary>Says once why stored certificates cannot be read, however many they are, and again only after some could be.</summary>
internal sealed class LoadReport(IssuanceSettings settings, ILogger<LoadReport> logger)
{
    private volatile bool _said;

    public void Succeeded() => _said = false;

    public void Failed(Exception exception)
    {
        if (_said)
        {
            return;
        }

        _said = true;
        if (exception is OperationCanceledException)
        {
            logger.StoreSlowAtLoad(settings.LoadTime.TotalSeconds);
        }
        else if (exception is StorageUnavailableException)
        {
            logger.StoreUnavailableAtLoad(exception.Message);
        }
        else
        {
            logger.LoadFailed(exception);
        }
    }
}
