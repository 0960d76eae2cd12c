namespace KestrelAcme.PostgreSql;

/// <summary>Options of the storage in PostgreSQL.</summary>
public sealed class PostgreSqlStorageOptions
{
    /// <summary>
    /// The schema of the tables: lower-case letters, digits and <c>_</c>. KestrelAcme creates it at first use if it does not exist and the
    /// user is allowed to. Apps with separate certificates in one database need separate schemas or prefixes.
    /// </summary>
    /// <value><c>kestrelacme</c></value>
    public string Schema { get; set; } = "kestrelacme";

    /// <summary>
    /// A prefix for the names of the tables <c>entries</c>, <c>leases</c> and <c>counter</c>: lower-case letters, digits and <c>_</c>.
    /// </summary>
    /// <value>Empty.</value>
    public string TablePrefix { get; set; } = "";

    /// <summary>
    /// Whether one connection is kept open to be notified of changes by other instances at once (<c>LISTEN</c>). Set it to
    /// <see langword="false"/> behind a pooler that shares connections between transactions, such as PgBouncer with
    /// <c>pool_mode = transaction</c>: changes are then noticed within <see cref="PollInterval"/>.
    /// </summary>
    /// <value><see langword="true"/></value>
    public bool ListenForChanges { get; set; } = true;

    /// <summary>
    /// How often each instance reads one row to notice changes, in addition to the notifications: 1 second to 1 hour. It also shows
    /// whether the connection for notifications still works.
    /// </summary>
    /// <value>1 minute</value>
    public TimeSpan PollInterval { get; set; } = TimeSpan.FromMinutes(1);
}
