namespace KestrelAcme.EntityFrameworkCore;

/// <summary>Options of the storage in the database of a context.</summary>
public sealed class DbContextStorageOptions
{
    /// <summary>
    /// How often each instance reads one row to notice changes by other instances: 1 second to 1 hour. A certificate that another instance
    /// obtained is served after this time at the latest.
    /// </summary>
    /// <value>1 minute</value>
    public TimeSpan PollInterval { get; set; } = TimeSpan.FromMinutes(1);
}
