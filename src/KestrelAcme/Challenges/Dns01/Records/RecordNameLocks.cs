using KestrelAcme.Diagnostics;
using KestrelAcme.Storage;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Challenges.Dns01.Records;

/// <summary>Allows only one change of a name at a time, in this process and in all that share the store.</summary>
internal sealed class RecordNameLocks(BoundedStorage storage, TimeProvider time, ILogger<RecordNameLocks> logger)
{
    // Names that share a lock wait for each other, which only takes time: a caller never holds two locks.
    private const int Stripes = 256;

    private static readonly TimeSpan LeaseDuration = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan LongestWait = TimeSpan.FromMinutes(2);
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan LongestPause = TimeSpan.FromMilliseconds(500);

    private readonly BoundedStorage _storage = storage.Within(RecordKeys.StoreTimeout);
    private readonly SemaphoreSlim[] _stripes = [.. Enumerable.Range(0, Stripes).Select(_ => new SemaphoreSlim(1, 1))];

    /// <exception cref="ChallengeException">Another instance held the lock of the name for too long.</exception>
    public async Task RunAsync(string name, Func<Task> change, CancellationToken cancellationToken)
    {
        var stripe = _stripes[(uint)name.GetHashCode(StringComparison.Ordinal) % Stripes];
        await stripe.WaitAsync(cancellationToken);
        try
        {
            await using var lease = await AcquireAsync(name, cancellationToken);
            await change();
        }
        finally
        {
            stripe.Release();
        }
    }

    private async Task<LeaseKeeper?> AcquireAsync(string name, CancellationToken cancellationToken)
    {
        var start = time.GetTimestamp();
        try
        {
            for (var pause = FirstPause; ; pause = pause * 2 < LongestPause ? pause * 2 : LongestPause)
            {
                var lease = RecordKeys.NameLease(name);
                if (await LeaseKeeper.TryAcquireAsync(_storage, lease, LeaseDuration, time, cancellationToken) is { } keeper)
                {
                    return keeper;
                }

                if (time.GetElapsedTime(start) > LongestWait)
                {
                    throw new ChallengeException(
                        $"{name}: another instance has been changing its records for more than {LongestWait.TotalMinutes:0} minutes.")
                    {
                        Fault = ChallengeFault.Local,
                    };
                }

                await Task.Delay(pause, time, cancellationToken);
            }
        }
        catch (StorageUnavailableException exception)
        {
            logger.DnsNameNotLocked(name, exception.Message);
            return null;
        }
    }
}
