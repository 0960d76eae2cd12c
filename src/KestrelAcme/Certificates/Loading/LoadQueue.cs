using KestrelAcme.Diagnostics;
using KestrelAcme.Storage;
using KestrelAcme.Tls;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Certificates.Loading;

/// <summary>
/// Reads stored certificates one batch after the other, and before all others those that a connection waits for: the start does not take longer the more there are.
/// </summary>
/// <remarks>Safe for concurrent use. Each certificate is read once: nothing that was read late can take the place of what came after.</remarks>
internal sealed class LoadQueue(CertificateLoader loader, SupersededCertificates superseded, TimeProvider time, ILogger<LoadQueue> logger) : ILateCertificates
{
    // A client gives up about then, and so does the look at its ClientHello.
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(8);

    private readonly Lock _gate = new();
    private readonly Queue<UnreadCertificate> _order = new();
    private readonly Dictionary<string, List<UnreadCertificate>> _unread = new(StringComparer.Ordinal);
    private Task _loading = Task.CompletedTask;
    private bool _running;
    private volatile bool _allPublished = true;

    /// <inheritdoc/>
    public bool AllPublished => _allPublished;

    /// <summary>Ends when all that was asked for until now is served, or was given up; never fails.</summary>
    public Task Completion
    {
        get
        {
            lock (_gate)
            {
                return _loading;
            }
        }
    }

    /// <summary>Reads certificates, behind those that are being read already.</summary>
    /// <returns>Ends when all that was asked for until now is served.</returns>
    public Task LoadAsync(IReadOnlyCollection<ManagedCertificate> certificates, CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            foreach (var certificate in certificates)
            {
                Add(new UnreadCertificate(certificate));
            }

            if (certificates.Count > 0 && !_running)
            {
                (_running, _allPublished) = (true, false);
                _loading = Task.Run(() => RunAsync(cancellationToken), CancellationToken.None);
            }

            return _loading;
        }
    }

    /// <inheritdoc/>
    public async Task PublishAsync(string name)
    {
        var (mine, all) = Claim(name);
        try
        {
            var reading = mine.Count > 0 ? ReadAsync(mine, CancellationToken.None) : Task.CompletedTask;
            await Task.WhenAll([reading, .. all.Select(c => c.Read)]).WaitAsync(LongestWait, time);
        }
        catch (TimeoutException)
        {
            // The connection gets what there is.
        }
        catch (Exception exception)
        {
            logger.LoadFailed(exception);
        }
    }

    /// <inheritdoc/>
    public async Task PublishAllAsync()
    {
        try
        {
            await Completion.WaitAsync(LongestWait, time);
        }
        catch (TimeoutException)
        {
            // The connection gets what there is.
        }
    }

    private async Task RunAsync(CancellationToken cancellationToken)
    {
        try
        {
            do
            {
                while (Next() is { Count: > 0 } batch)
                {
                    await ReadAsync(batch, cancellationToken);
                }

                await Task.WhenAll(Unfinished());
                await superseded.PublishAsync(cancellationToken);
            }
            while (!TryEnd());
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            GiveUp();
        }
        catch (Exception exception)
        {
            logger.LoadFailed(exception);
            GiveUp();
        }
    }

    private async Task ReadAsync(List<UnreadCertificate> batch, CancellationToken cancellationToken)
    {
        try
        {
            await loader.LoadAsync([.. batch.Select(c => c.Certificate)], cancellationToken);
        }
        finally
        {
            lock (_gate)
            {
                batch.ForEach(Remove);
            }

            batch.ForEach(c => c.Finish());
        }
    }

    private bool TryEnd()
    {
        lock (_gate)
        {
            var end = _order.Count == 0;
            (_running, _allPublished) = (!end, end);
            return end;
        }
    }

    // Nobody must wait for what is read no more.
    private void GiveUp()
    {
        lock (_gate)
        {
            (_running, _allPublished) = (false, true);
            while (_order.TryDequeue(out var certificate))
            {
                Remove(certificate);
                certificate.Finish();
            }
        }
    }

    private List<UnreadCertificate> Next()
    {
        var batch = new List<UnreadCertificate>(TolerantReader.BatchSize);
        lock (_gate)
        {
            while (batch.Count < TolerantReader.BatchSize && _order.TryDequeue(out var certificate))
            {
                if (certificate.TryClaim())
                {
                    batch.Add(certificate);
                }
            }
        }

        return batch;
    }

    private (List<UnreadCertificate> Mine, List<UnreadCertificate> All) Claim(string name)
    {
        var dot = name.IndexOf('.', StringComparison.Ordinal);
        lock (_gate)
        {
            List<UnreadCertificate> all = [.. _unread.GetValueOrDefault(name, []), .. dot > 0 ? _unread.GetValueOrDefault($"*{name[dot..]}", []) : []];
            return (all.FindAll(c => c.TryClaim()), all);
        }
    }

    private List<Task> Unfinished()
    {
        lock (_gate)
        {
            return [.. _unread.Values.SelectMany(c => c).Select(c => c.Read)];
        }
    }

    private void Add(UnreadCertificate certificate)
    {
        _order.Enqueue(certificate);
        foreach (var name in certificate.Names)
        {
            if (!_unread.TryGetValue(name, out var certificates))
            {
                _unread[name] = certificates = new(1);
            }

            certificates.Add(certificate);
        }
    }

    private void Remove(UnreadCertificate certificate)
    {
        foreach (var name in certificate.Names)
        {
            if (_unread.TryGetValue(name, out var certificates) && certificates.Remove(certificate) && certificates.Count == 0)
            {
                _unread.Remove(name);
            }
        }
    }
}
