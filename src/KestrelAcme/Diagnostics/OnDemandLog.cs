using Microsoft.Extensions.Logging;

namespace KestrelAcme.Diagnostics;

/// <summary>The log messages about certificates on demand. None is logged for each name that strangers ask for.</summary>
internal static partial class OnDemandLog
{
    [LoggerMessage(1700, LogLevel.Information, "{Name}: added on demand, because {Client} asked for it.")]
    public static partial void OnDemandNameAdded(this ILogger logger, Quoted name, Quoted client);

    [LoggerMessage(
        1701, LogLevel.Warning,
        "AcmeHttps:OnDemand is set, but nobody decides which names are allowed, so no certificate is issued on demand. Call AddOnDemand " +
        "with a permission, or set AcmeHttps:OnDemand:AskUrl.")]
    public static partial void OnDemandWithoutPermission(this ILogger logger);

    public static void OnDemandPermissionFailed(this ILogger logger, Exception exception)
        => logger.OnDemandPermissionFailedQuoted(QuotedException.Of(exception));

    [LoggerMessage(
        1702, LogLevel.Error,
        "The permission for names on demand failed or did not respond. Stored certificates are served; nothing new is ordered. Logged at " +
        "most once a minute.",
        EventName = nameof(OnDemandPermissionFailed))]
    private static partial void OnDemandPermissionFailedQuoted(this ILogger logger, Exception exception);

    [LoggerMessage(
        1703, LogLevel.Information,
        "Names on demand in the last minute: {Denied} were denied and {Limited} hit a limit. The last one was '{Name}': {Reason}.")]
    public static partial void OnDemandRefused(this ILogger logger, long denied, long limited, Quoted name, Quoted reason);

    public static void OnDemandFailed(this ILogger logger, long count, Exception exception)
        => logger.OnDemandFailedQuoted(count, QuotedException.Of(exception));

    [LoggerMessage(
        1704, LogLevel.Error,
        "Certificates on demand failed {Count} times in the last minute because of an unexpected error. The last one follows.",
        EventName = nameof(OnDemandFailed))]
    private static partial void OnDemandFailedQuoted(this ILogger logger, long count, Exception exception);

    [LoggerMessage(1705, LogLevel.Warning, "The names on demand in the store could not be followed. KestrelAcme tries again: {Reason}")]
    public static partial void OnDemandNamesNotFollowed(this ILogger logger, Quoted reason);

    [LoggerMessage(1706, LogLevel.Information, "{Name}: forgotten with its certificate and key. A client that asks for it starts anew.")]
    public static partial void OnDemandNameForgotten(this ILogger logger, Quoted name);

    [LoggerMessage(1707, LogLevel.Warning, "{Name}: no longer allowed, so its certificate is not served or renewed any more.")]
    public static partial void OnDemandNameDenied(this ILogger logger, Quoted name);

    [LoggerMessage(1708, LogLevel.Warning, "The records of {Count} names on demand are missing from the store. Storing them again.")]
    public static partial void OnDemandNamesGone(this ILogger logger, int count);
}
