using System.Threading.Channels;
using KestrelAcme.Certificates.Attempts;
using KestrelAcme.Certificates.Model;
using KestrelAcme.Certificates.Persistence;
using KestrelAcme.Diagnostics;
using KestrelAcme.Storage;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Certificates.Stored;

/// <summary>Writes back what this instance has in memory to a store that was emptied.</summary>
internal sealed class StoreFiller(
    CertificateCatalog catalog,
    BoundedStorage storage,
    StoredCertificateAdopter adoption,
    CertificateCommitter committer,
    StoreSentinel sentinel,
    IssuanceSettings settings,
    TimeProvider time,
    ILogger<StoreFiller> logger)
{
    private static readonly TimeSpan FollowAgain = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan FirstPause = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestPause = TimeSpan.FromMinutes(1);

    // Each certificate is stored by its own job. Another instance that is about to order it has the lease for a moment, and waits for the
    // end of the filling: it must not last until that job tries again.
    private static readonly TimeSpan SavePause = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan LongestSavePause = TimeSpan.FromMilliseconds(800);
    private const int MaxSaves = 8;

    private readonly Channel<bool> _emptied
        = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });

    /// <param name="lookAtAll">Compares all certificates with their stored values, and marks those that are to be stored again.</param>
    /// <param name="stopping">Ends it.</param>
    public Task RunAsync(Func<CancellationToken, Task> lookAtAll, CancellationToken stopping)
        => Task.WhenAll(FollowIdentityAsync(stopping), FillAsync(lookAtAll, stopping));

    private Task FollowIdentityAsync(CancellationToken stopping) => BackgroundLoop.RunAsync(
        async token =>
        {
            await foreach (var change in storage.WatchAsync(StorageLayout.IdentityPrefix, token))
            {
                var fills = adoption.MayStoreAgain
                    && catalog.All.Any(c => c.Current is not null || c.State != CertificateStateRecord.Empty);
                if ((change.Key is null || change.Key == StorageLayout.Identity) && await sentinel.IsEmptiedAsync(fills, token))
                {
                    // The watch goes on: if the store is emptied again meanwhile, others learn at once that it is filled again.
                    _emptied.Writer.TryWrite(true);
                }
            }
        },
        first: TimeSpan.Zero,
        FollowAgain,
        time,
        // The watch of the certificates reports what is wrong with the store.
        static _ => { },
        stopping);

    private Task FillAsync(Func<CancellationToken, Task> lookAtAll, CancellationToken stopping) => BackgroundLoop.RunAsync(
        async token =>
        {
            await _emptied.Reader.ReadAsync(token);
            using var filling = CancellationTokenSource.CreateLinkedTokenSource(token);
            var reporting = sentinel.ReportAsync(filling.Token);
            try
            {
                await FillWhollyAsync(lookAtAll, token);
            }
            finally
            {
                await filling.CancelQuietlyAsync();
                await reporting;
            }
        },
        first: TimeSpan.Zero,
        pause: TimeSpan.Zero,
        time,
        static _ => { },
        stopping);

    // Others wait only as long as this takes. So what fails is tried again here, but not forever, or they would wait forever, too.
    private async Task FillWhollyAsync(Func<CancellationToken, Task> lookAtAll, CancellationToken cancellationToken)
    {
        var (began, pause) = (time.GetTimestamp(), FirstPause);
        while (true)
        {
            var isFilled = await TryFillAsync(lookAtAll, began, cancellationToken);
            if (isFilled)
            {
                await sentinel.AwaitNoticeAsync(cancellationToken);
            }

            if (_emptied.Reader.TryRead(out _))
            {
                (began, pause) = (time.GetTimestamp(), FirstPause);
            }
            else if (isFilled || IsOver(began))
            {
                return;
            }
            else
            {
                await Task.Delay(pause, time, cancellationToken);
                pause = pause * 2 < LongestPause ? pause * 2 : LongestPause;
            }
        }
    }

    private bool IsOver(long began) => time.GetElapsedTime(began) >= settings.StoreFilling;

    /// <returns>Whether it is not to be tried again.</returns>
    private async Task<bool> TryFillAsync(Func<CancellationToken, Task> lookAtAll, long began, CancellationToken cancellationToken)
    {
        try
        {
            // Orders under way first: there are few, and no other instance must place them again.
            var isFilled = await committer.SaveOthersAgainAsync(cancellationToken);
            await lookAtAll(cancellationToken);
            var pause = SavePause;
            for (var saves = 0; catalog.All.Any(c => c.Unsaved) && !IsOver(began); saves++)
            {
                await Task.Delay(pause, time, cancellationToken);
                pause = pause * 2 < LongestSavePause ? pause * 2 : LongestSavePause;
                if (_emptied.Reader.TryPeek(out _))
                {
                    return false;
                }

                foreach (var certificate in saves < MaxSaves ? catalog.All.Where(c => c.Unsaved) : [])
                {
                    await committer.SaveAgainAsync(certificate, cancellationToken);
                }
            }

            return isFilled;
        }
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
        {
            logger.FollowingFailed(exception.Message);
            return false;
        }
    }
}
