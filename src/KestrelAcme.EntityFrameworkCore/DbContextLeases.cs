using KestrelAcme.Storage;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.EntityFrameworkCore;

/// <summary>
/// Leases: one row each, changed by conditional updates. All times are the database's: <c>DateTime.UtcNow</c> in a statement is never
/// evaluated by EF Core itself, but translated to the database's function. A provider that cannot translate it fails.
/// </summary>
internal sealed class DbContextLeases(DbContextDatabase database, TimeProvider time, ILogger logger)
{
    private long _highest;

    /// <summary>Acquires a lease, or returns <see langword="null"/> if another holder has it.</summary>
    public async ValueTask<IStorageLease?> TryAcquireAsync(string name, TimeSpan duration, CancellationToken cancellationToken)
    {
        StorageLease.ThrowIfInvalid(name, duration);
        var token = Guid.NewGuid().ToString("N");
        var asked = 0L;
        var number = await database.RunAsync(
            $"acquiring the lease '{name}'",
            (context, cancel) =>
            {
                asked = time.GetTimestamp();
                return AcquireAsync(context, AcmeHttpsEntry.OfLease(name), token, duration, cancel);
            },
            cancellationToken);
        if (number is not { } granted)
        {
            return null;
        }

        NoteNumber(granted);
        return new DbContextLease(this, token, name, granted, duration, time, asked);
    }

    /// <summary>Does some work in a transaction that nobody else can acquire the lease during.</summary>
    /// <exception cref="LeaseLostException">The lease no longer holds.</exception>
    public async Task<T> UnderAsync<T>(
        IStorageLease? lease,
        string what,
        Func<DbContext, CancellationToken, Task<(bool Commit, T Result)>> work,
        CancellationToken cancellationToken)
    {
        if (lease is null)
        {
            return await database.RunInTransactionAsync(what, work, cancellationToken);
        }

        if (lease is DbContextLease { IsOver: true } || lease.Lost.IsCancellationRequested)
        {
            throw new LeaseLostException(lease.Name);
        }

        try
        {
            return await database.RunInTransactionAsync(
                what,
                async (context, token) => await LockAsync(context, lease, token)
                    ? await work(context, token)
                    : throw new LeaseLostException(lease.Name),
                cancellationToken);
        }
        catch (LeaseLostException)
        {
            (lease as DbContextLease)?.MarkLost();
            throw;
        }
    }

    /// <summary>Extends a lease. Returns whether it still held.</summary>
    public async ValueTask<bool> RenewAsync(DbContextLease lease, CancellationToken cancellationToken)
    {
        var seconds = SecondsOf(lease.Duration);
        return await database.RunAsync(
            $"renewing the lease '{lease.Name}'",
            (context, token) => Holding(context, lease).ExecuteUpdateAsync(
#pragma warning disable RS0030 // Translated to the database's function.
                row => row.SetProperty(e => e.Expires, e => DateTime.UtcNow.AddSeconds(seconds)), token),
#pragma warning restore RS0030
            cancellationToken) > 0;
    }

    /// <summary>Releases a lease if it is still held. If that fails, it expires.</summary>
    public async ValueTask ReleaseAsync(DbContextLease lease)
    {
        var (id, token, number) = (AcmeHttpsEntry.OfLease(lease.Name), lease.Token, lease.FencingNumber);
        try
        {
            await database.RunAsync(
                $"releasing the lease '{lease.Name}'",
                (context, cancel) => context.Entries().Where(e => e.Key == id && e.Owner == token && e.Number == number)
                    .ExecuteUpdateAsync(row => row.SetProperty(e => e.Owner, (string?)null), cancel),
                CancellationToken.None);
        }
        catch (StorageUnavailableException exception)
        {
            logger.LeaseNotReleased(lease.Name, exception.Message);
        }
    }

    /// <summary>
    /// Removes leases that ended more than a day ago, released or not. Numbers grow without them, and a holder without a row is refused.
    /// </summary>
    public Task ForgetAsync(CancellationToken cancellationToken) => database.RunAsync(
        "removing old leases",
#pragma warning disable RS0030 // Translated to the database's function.
        static (context, token) => context.Entries().Where(e => e.Expires < DateTime.UtcNow.AddDays(-1)).ExecuteDeleteAsync(token),
#pragma warning restore RS0030
        cancellationToken);

    private async Task<long?> AcquireAsync(
        DbContext context, string id, string token, TimeSpan duration, CancellationToken cancellationToken)
    {
        var row = context.Entries().Where(e => e.Key == id);
        if (!await TakeAsync(row, token, duration, cancellationToken))
        {
            if (await row.AnyAsync(cancellationToken))
            {
                return null;
            }

            // If another instance inserts it at the same time, this fails, and is repeated.
            await context.InsertAsync(new() { Key = id }, cancellationToken);
            if (!await TakeAsync(row, token, duration, cancellationToken))
            {
                return null;
            }
        }

        // The number is at least the database's time in milliseconds, so that it grows even if the table was emptied or restored
        // from a backup. Until it is set, nobody uses the lower one.
        var taken = await row.Where(e => e.Owner == token).Select(e => new { e.Number, e.Since }).SingleOrDefaultAsync(cancellationToken);
        if (taken is null)
        {
            return null;
        }

        var now = new DateTimeOffset(DateTime.SpecifyKind(taken.Since!.Value, DateTimeKind.Utc)).ToUnixTimeMilliseconds();
        var number = Math.Max(Math.Max(taken.Number, now), Interlocked.Read(ref _highest) + 1);
        return await row.Where(e => e.Owner == token).ExecuteUpdateAsync(
            change => change.SetProperty(e => e.Number, number), cancellationToken) > 0
            ? number
            : null;
    }

    // The same token again: the response to the first attempt was lost.
    private static async Task<bool> TakeAsync(
        IQueryable<AcmeHttpsEntry> row, string token, TimeSpan duration, CancellationToken cancellationToken)
    {
        var seconds = SecondsOf(duration);
#pragma warning disable RS0030 // Translated to the database's function.
        return await row.Where(e => e.Owner == null || e.Owner == token || e.Expires <= DateTime.UtcNow).ExecuteUpdateAsync(
            change => change
                .SetProperty(e => e.Owner, token)
                .SetProperty(e => e.Number, e => e.Number + 1)
                .SetProperty(e => e.Since, e => DateTime.UtcNow)
                .SetProperty(e => e.Expires, e => DateTime.UtcNow.AddSeconds(seconds)),
            cancellationToken) > 0;
#pragma warning restore RS0030
    }

    // An update locks the row until the end of the transaction, even if it changes nothing.
    private static async Task<bool> LockAsync(DbContext context, IStorageLease lease, CancellationToken cancellationToken)
        => await Holding(context, lease).ExecuteUpdateAsync(row => row.SetProperty(e => e.Owner, e => e.Owner), cancellationToken) > 0;

    // A lease of a wrapper of this storage has no token; its number says the same.
    private static IQueryable<AcmeHttpsEntry> Holding(DbContext context, IStorageLease lease)
    {
        var (id, number, token) = (AcmeHttpsEntry.OfLease(lease.Name), lease.FencingNumber, (lease as DbContextLease)?.Token);
#pragma warning disable RS0030 // Translated to the database's function.
        var holding = context.Entries().Where(e => e.Key == id && e.Number == number && e.Owner != null && e.Expires > DateTime.UtcNow);
#pragma warning restore RS0030
        return token is null ? holding : holding.Where(e => e.Owner == token);
    }

    // Databases differ in how they add fractions of seconds. The holder's own clock ends the lease earlier.
    private static double SecondsOf(TimeSpan duration) => Math.Ceiling(duration.TotalSeconds);

    private void NoteNumber(long number)
    {
        for (var seen = Interlocked.Read(ref _highest); seen < number;)
        {
            seen = Interlocked.CompareExchange(ref _highest, number, seen);
        }
    }
}

/// <summary>A lease of <see cref="DbContextStorage"/>.</summary>
internal sealed class DbContextLease(
    DbContextLeases leases, string token, string name, long number, TimeSpan duration, TimeProvider time, long asked)
    : StorageLease(name, number, duration, time, asked)
{
    public string Token => token;

    protected override ValueTask<bool> ExtendAsync(CancellationToken cancellationToken) => leases.RenewAsync(this, cancellationToken);

    protected override ValueTask ReleaseAsync() => leases.ReleaseAsync(this);
}
