using System.Collections.Concurrent;
using System.Threading.Channels;
using KestrelAcme.Certificates.Model;
using KestrelAcme.Certificates.Persistence;
using KestrelAcme.Diagnostics;
using KestrelAcme.Storage;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Certificates.Stored;

/// <summary>
/// Watches what other instances put into the store. A certificate that cannot be read is read again later, and holds back no other.
/// </summary>
internal sealed class StorageWatcher(
    CertificateCatalog catalog,
    CertificateStore store,
    StoredCertificateAdopter adoption,
    StoreFiller filler,
    TimeProvider time,
    ILogger<StorageWatcher> logger)
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan LongestPause = TimeSpan.FromMinutes(10);

    // Leaves time for other work: ten thousand certificates are checked within three minutes.
    private static readonly TimeSpan BatchPause = TimeSpan.FromSeconds(1);

    private readonly Channel<StorageChange> _everything
        = Channel.CreateBounded<StorageChange>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    private readonly ConcurrentDictionary<string, bool> _failed = new(StringComparer.Ordinal);

    public Task RunAsync(CancellationToken stopping)
        => Task.WhenAll(
            FollowAsync(stopping),
            filler.RunAsync(LookAtAllAsync, stopping),
            LookAtEverythingAsync(stopping),
            LookAgainAsync(stopping));

    private Task FollowAsync(CancellationToken stopping) => BackgroundLoop.RunAsync(
        async token =>
        {
            await foreach (var change in store.Storage.WatchAsync(StorageLayout.CertificatesPrefix, token))
            {
                await FollowAsync(change, token);
            }
        },
        first: TimeSpan.Zero,
        Pause,
        time,
        exception => logger.FollowingFailed(exception.Message),
        stopping);

    private async Task FollowAsync(StorageChange change, CancellationToken cancellationToken)
    {
        if (change.Key is null)
        {
            _everything.Writer.TryWrite(StorageChange.Everything);
        }
        else if (catalog.Find(StorageLayout.IdOf(change.Key)) is { } certificate && StorageLayout.Certificate(certificate.Id) == change.Key)
        {
            await LookAtAsync(certificate, cancellationToken);
        }
    }

    private async Task LookAtEverythingAsync(CancellationToken stopping)
    {
        while (!stopping.IsCancellationRequested)
        {
            try
            {
                await _everything.Reader.ReadAsync(stopping);
                await LookAtAllAsync(stopping);
            }
            catch (OperationCanceledException) when (stopping.IsCancellationRequested)
            {
                return;
            }
            catch (Exception exception)
            {
                logger.FollowingFailed(exception.Message);
                await Task.Delay(Pause, time, stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                _everything.Writer.TryWrite(StorageChange.Everything);
            }
        }
    }

    private async Task LookAtAllAsync(CancellationToken cancellationToken)
    {
        foreach (var batch in catalog.All.Chunk(TolerantReader.BatchSize))
        {
            await LookAtAllAsync(batch, cancellationToken);
            await Task.Delay(batch.Length < TolerantReader.BatchSize ? TimeSpan.Zero : BatchPause, time, cancellationToken);
        }
    }

    private async Task LookAtAllAsync(ManagedCertificate[] certificates, CancellationToken cancellationToken)
    {
        var missing = certificates.ToDictionary(c => c.Id, StringComparer.Ordinal);
        void Fail(string id)
        {
            missing.Remove(id);
            _failed[id] = true;
        }

        var read = new List<(ManagedCertificate, CertificateRecord)>();
        await foreach (var (id, record) in store.ReadCertificatesAsync([.. missing.Keys], Fail, cancellationToken))
        {
            missing.Remove(id, out var certificate);
            read.Add((certificate!, record));
        }

        foreach (var (certificate, record) in read)
        {
            await GuardAsync(
                certificate,
                () => adoption.TakeOverAsync(
                    certificate, record, () => new(store.ReadStateAsync(certificate.Id, cancellationToken)), cancellationToken),
                cancellationToken);
        }

        foreach (var certificate in missing.Values)
        {
            adoption.StoreAgain(certificate);
        }
    }

    private Task LookAtAsync(ManagedCertificate certificate, CancellationToken cancellationToken) => GuardAsync(
        certificate,
        async () =>
        {
            if (await store.ReadBothAsync(certificate.Id, cancellationToken) is ({ } record, var state))
            {
                await adoption.TakeOverAsync(certificate, record, () => new(state), cancellationToken);
            }
            else
            {
                adoption.StoreAgain(certificate);
            }
        },
        cancellationToken);

    private async Task LookAgainAsync(CancellationToken stopping)
    {
        var pause = Pause;
        while (!stopping.IsCancellationRequested)
        {
            await Task.Delay(pause, time, stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            foreach (var id in _failed.Keys)
            {
                if (catalog.Find(id) is { } certificate)
                {
                    await LookAtAsync(certificate, stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                }
                else
                {
                    _failed.TryRemove(id, out _);
                }
            }

            pause = _failed.IsEmpty ? Pause : TimeSpan.FromTicks(Math.Min(pause.Ticks * 2, LongestPause.Ticks));
        }
    }

    // A failure of one certificate does not concern the next.
    private async Task GuardAsync(ManagedCertificate certificate, Func<Task> look, CancellationToken cancellationToken)
    {
        try
        {
            await look();
            _failed.TryRemove(certificate.Id, out _);
        }
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
        {
            if (_failed.TryAdd(certificate.Id, true))
            {
                logger.StoredCertificateNotFollowed(certificate.Id, exception.Message);
            }
        }
    }
}
