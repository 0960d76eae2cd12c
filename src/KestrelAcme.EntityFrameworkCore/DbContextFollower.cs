using KestrelAcme.Storage;
using Microsoft.EntityFrameworkCore;

namespace KestrelAcme.EntityFrameworkCore;

/// <summary>Follows the changes of all instances by reading the counter from time to time.</summary>
internal sealed class DbContextFollower(DbContextDatabase database, DbContextStorageOptions options, TimeProvider time)
{
    /// <summary>Deletions older than this many changes are forgotten.</summary>
    public const int KeptChanges = 10_000;

    // A reader that is further behind reads everything again. Deletions are kept longer.
    private const int MaxBehind = KeptChanges / 2;
    private const string What = "watching for changes";

    /// <inheritdoc cref="FollowChanges"/>
    public async Task RunAsync(Action activate, Action<StorageChange> post, CancellationToken stop)
    {
        var last = await database.RunAsync(What, BeginAsync, stop);
        activate();
        while (true)
        {
            await Task.Delay(options.PollInterval, time, stop);
            last = await database.RunAsync(What, (context, token) => CatchUpAsync(context, last, post, token), stop);
        }
    }

    private static async Task<Position> BeginAsync(DbContext context, CancellationToken cancellationToken)
    {
        if (await context.PositionAsync(cancellationToken) is { } position)
        {
            return position;
        }

        // If another instance creates it at the same time, this fails, and is repeated.
        await context.CreateCounterAsync(cancellationToken);
        return (await context.PositionAsync(cancellationToken))!;
    }

    private static async Task<Position> CatchUpAsync(
        DbContext context, Position last, Action<StorageChange> post, CancellationToken cancellationToken)
    {
        var now = await BeginAsync(context, cancellationToken);
        if (now == last)
        {
            return last;
        }

        // Emptied, restored from a backup, or too much to report.
        if (now.Store != last.Store || now.Version < last.Version || now.Version - last.Version > MaxBehind)
        {
            post(StorageChange.Everything);
            return now;
        }

        var changes = await context.Entries().Where(e => e.Version > last.Version).Select(e => new { e.Key, e.Version })
            .ToListAsync(cancellationToken);
        foreach (var change in changes)
        {
            post(new(AcmeHttpsEntry.KeyOf(change.Key)));
        }

        // Changes after the counter was read are reported now, and not again.
        return now with { Version = Math.Max(now.Version, changes.Select(change => change.Version).DefaultIfEmpty().Max()) };
    }
}
