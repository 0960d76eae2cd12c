using System.ComponentModel.DataAnnotations;
using Microsoft.EntityFrameworkCore;

namespace Tenants;

/// <summary>A customer's domain, and where its requests go.</summary>
public sealed class Tenant
{
    /// <summary>The domain: A-labels in lower case.</summary>
    [Key, MaxLength(253)]
    public required string Domain { get; init; }

    /// <summary>The customer's service, such as <c>http://10.0.0.7:8080/</c>.</summary>
    public required string Destination { get; init; }
}

/// <summary>The table of customers' domains.</summary>
public sealed class TenantContext(DbContextOptions<TenantContext> options) : DbContext(options)
{
    public DbSet<Tenant> Tenants => Set<Tenant>();
}
