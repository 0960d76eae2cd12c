using Microsoft.EntityFrameworkCore;

namespace KestrelAcme.EntityFrameworkCore;

/// <summary>The rows of the store in a context.</summary>
internal static class DbContextEntries
{
    /// <summary>The rows, whatever filters the app adds to all entities.</summary>
    public static IQueryable<AcmeHttpsEntry> Entries(this DbContext context)
        => context.Set<AcmeHttpsEntry>().AsNoTracking().IgnoreQueryFilters();

    /// <summary>Inserts a row.</summary>
    /// <exception cref="DbUpdateException">It could not be inserted, such as because it exists.</exception>
    public static async Task InsertAsync(this DbContext context, AcmeHttpsEntry entry, CancellationToken cancellationToken)
    {
        context.Add(entry);
        await context.SaveChangesAsync(cancellationToken);
        context.ChangeTracker.Clear();
    }

    /// <summary>Returns the number of the next change. Call it in a transaction: others wait for its end.</summary>
    public static async Task<long> NextVersionAsync(this DbContext context, CancellationToken cancellationToken)
    {
        var counter = context.Entries().Where(e => e.Key == AcmeHttpsEntry.Counter);
        if (await counter.ExecuteUpdateAsync(row => row.SetProperty(e => e.Number, e => e.Number + 1), cancellationToken) == 0)
        {
            return await context.CreateCounterAsync(cancellationToken);
        }

        return await counter.Select(e => e.Number).SingleAsync(cancellationToken);
    }

    /// <summary>
    /// Returns the number of the last change, and the identity of the store, which is a new one after the store was emptied.
    /// </summary>
    public static Task<Position?> PositionAsync(this DbContext context, CancellationToken cancellationToken)
        => context.Entries().Where(e => e.Key == AcmeHttpsEntry.Counter).Select(e => new Position(e.Number, e.Owner!))
            .SingleOrDefaultAsync(cancellationToken);

    /// <summary>Creates the counter. Its first number is returned.</summary>
    public static async Task<long> CreateCounterAsync(this DbContext context, CancellationToken cancellationToken)
    {
        await context.InsertAsync(
            new() { Key = AcmeHttpsEntry.Counter, Number = 1, Owner = Guid.NewGuid().ToString("N") }, cancellationToken);
        return 1;
    }
}

/// <summary>The last change of a store.</summary>
/// <param name="Version">Its number.</param>
/// <param name="Store">The identity of the store.</param>
internal sealed record Position(long Version, string Store);
