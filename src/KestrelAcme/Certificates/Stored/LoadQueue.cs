using KestrelAcme.Certificates.Model;
using KestrelAcme.Diagnostics;
using KestrelAcme.Storage;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Certificates.Stored;

/// <summary>
/// Reads stored certificates in batches, and those that connections wait for first, so that the start takes no longer with many
/// certificates. A certificate that cannot be read holds back no other, and is tried again.
/// </summary>
/// <remarks>
/// Safe for concurrent use. Only one task reads a certificate at a time, so a late response cannot replace a newer certificate.
/// </remarks>
internal sealed class LoadQueue(
    CertificateLoader loader, CertificateCatalog catalog, LoadReport report, IssuanceSettings settings, TimeProvider time)
{
    // A store handles a few reads at once.
    private const int MostOnDemand = 8;
    private const int MostFailures = 3;

    // More than the values that hang at once in most stores, so that the others do not wait.
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

    /// <summary>Sets the callback for each certificate that was read or given up.</summary>
    public void OnLoaded(Action<ManagedCertificate> loaded)
    {
        lock (_gate)
        {
            _loaded = loaded;
        }
    }

    /// <summary>Reads certificates, after those that are being read already.</summary>
    /// <returns>Completes when the store was asked for each of them, after the callbacks; never fails.</returns>
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

    /// <summary>Reads the certificates that cover a name, exactly or by a wildcard, before all others.</summary>
    /// <returns>Completes when the store was asked for each of them; never fails.</returns>
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

    // Never throws, and ends in time even if the store ignores its token: the loader discards what comes too late.
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

        // In this order: what was read is told of when the look is over.
        loaded.ForEach(c => tell?.Invoke(c.Certificate));
        batch.ForEach(c => c.EndLook());
    }

    // One by one, because the fault may be with one certificate of a batch; several at once, because one that hangs takes the whole time. A
    // certificate that cannot be read at all counts as loaded in the end, and the store is asked again before it is ordered.
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

/// <summary>Logs once why stored certificates cannot be read, however many they are, and again only after some could be read.</summary>
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
