using KestrelAcme.Diagnostics;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.PostgreSql;

/// <summary>The log messages of the storage in PostgreSQL. Event IDs 2100 to 2199.</summary>
internal static partial class PostgreSqlLog
{
    [LoggerMessage(2100, LogLevel.Information, "Created the tables in {Place}.", EventName = nameof(SchemaCreated))]
    public static partial void SchemaCreated(this ILogger logger, Quoted place);

    [LoggerMessage(2101, LogLevel.Warning,
        "Changes by other instances cannot be followed at the moment. KestrelAcme retries until it succeeds, and then reads everything: "
        + "{Reason}",
        EventName = nameof(WatchLost))]
    public static partial void WatchLost(this ILogger logger, Quoted reason);

    [LoggerMessage(2102, LogLevel.Information,
        "Changes by other instances are followed again in {Place}.",
        EventName = nameof(WatchRestored))]
    public static partial void WatchRestored(this ILogger logger, Quoted place);

    [LoggerMessage(2103, LogLevel.Warning,
        "Lease '{Name}' could not be released. Others can acquire it when it expires: {Reason}",
        EventName = nameof(LeaseNotReleased))]
    public static partial void LeaseNotReleased(this ILogger logger, Quoted name, Quoted reason);
}
