using KestrelAcme.Diagnostics;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.EntityFrameworkCore;

/// <summary>The log messages of the storage in the database of a context. Event IDs 2200 to 2299.</summary>
internal static partial class DbContextLog
{
    [LoggerMessage(2200, LogLevel.Warning,
        "Changes by other instances cannot be followed at the moment. KestrelAcme retries until it succeeds, and then reads everything: "
        + "{Reason}",
        EventName = nameof(WatchLost))]
    public static partial void WatchLost(this ILogger logger, Quoted reason);

    [LoggerMessage(2201, LogLevel.Information,
        "Changes by other instances are followed again in {Place}.",
        EventName = nameof(WatchRestored))]
    public static partial void WatchRestored(this ILogger logger, Quoted place);

    [LoggerMessage(2202, LogLevel.Warning,
        "Lease '{Name}' could not be released. Others can acquire it when it expires: {Reason}",
        EventName = nameof(LeaseNotReleased))]
    public static partial void LeaseNotReleased(this ILogger logger, Quoted name, Quoted reason);
}
