using System.Runtime.CompilerServices;
using KestrelAcme.Storage;
using KestrelAcme.Testing;

namespace KestrelAcme.Tests.Challenges;

/// <summary>A store without notifications: what others have changed is reported once in an interval.</summary>
internal sealed class PollingStorage(IAcmeStorage inner, TimeSpan interval, TimeProvider time) : DelegatingStorage(inner)
{
    public override TimeSpan WatchDelay => interval;

    public override async IAsyncEnumerable<StorageChange> WatchAsync(
        string prefix, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        var last = time.GetTimestamp();
        var isFirst = true;
        await foreach (var change in base.WatchAsync(prefix, cancellationToken))
        {
            if (!isFirst && time.GetElapsedTime(last) < interval)
            {
                await Task.Delay(interval - time.GetElapsedTime(last), time, cancellationToken);
                last = time.GetTimestamp();
            }

            isFirst = false;
            yield return change;
        }
    }
}
