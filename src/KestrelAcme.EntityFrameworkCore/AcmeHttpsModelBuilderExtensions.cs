using KestrelAcme.EntityFrameworkCore;

// The namespace where contexts look for extension methods of their model builder.
namespace Microsoft.EntityFrameworkCore;

/// <summary>Adds the store of KestrelAcme to a model.</summary>
public static class AcmeHttpsModelBuilderExtensions
{
    /// <summary>
    /// Adds the table for accounts, keys, certificates and leases. Call it in <c>OnModelCreating</c>, and create a migration. The context
    /// is then passed to <c>PersistToDbContext</c>.
    /// </summary>
    /// <param name="modelBuilder">The model builder.</param>
    /// <param name="tableName">The name of the table.</param>
    /// <param name="schema">The schema of the table; by default, that of the model.</param>
    /// <returns>The model builder.</returns>
    public static ModelBuilder AddAcmeHttps(this ModelBuilder modelBuilder, string tableName = "AcmeHttps", string? schema = null)
    {
        ArgumentNullException.ThrowIfNull(modelBuilder);
        ArgumentException.ThrowIfNullOrWhiteSpace(tableName);
        return modelBuilder.Entity<AcmeHttpsEntry>(entry =>
        {
            entry.ToTable(tableName, schema);
            entry.HasKey(e => e.Key);
            entry.Property(e => e.Key).HasMaxLength(AcmeHttpsEntry.MaxKeyLength).IsUnicode(false).ValueGeneratedNever();
            entry.Property(e => e.Owner).HasMaxLength(32).IsUnicode(false);

            // By which changes are found. 0 for leases and the counter.
            entry.HasIndex(e => e.Version);
        });
    }
}
