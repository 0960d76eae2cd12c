using Microsoft.EntityFrameworkCore;

namespace KestrelAcme.EntityFrameworkCore.Tests;

/// <summary>The context of an app, with an entity of its own and a filter for all entities.</summary>
internal sealed class AppDbContext(DbContextOptions<AppDbContext> options) : DbContext(options)
{
    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        modelBuilder.AddAcmeHttps();
        modelBuilder.Entity<Customer>();
        modelBuilder.Entity<AcmeHttpsEntry>().HasQueryFilter(entry => false);
    }

    /// <summary>An entity of the app.</summary>
    internal sealed class Customer
    {
        public int Id { get; set; }
    }
}

/// <summary>A context that does not add the store.</summary>
internal sealed class OtherDbContext(DbContextOptions<OtherDbContext> options) : DbContext(options);
