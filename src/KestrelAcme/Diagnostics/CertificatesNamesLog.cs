using Microsoft.Extensions.Logging;

namespace KestrelAcme.Diagnostics;

/// <summary>The log messages about names that are added at run time.</summary>
internal static partial class CertificatesNamesLog
{
    [LoggerMessage(
        1160, LogLevel.Warning,
        "The domain source {Source} returned no names. The {Count} names that it returned before are kept until it returns " +
        "others or the app restarts.")]
    public static partial void DomainSourceEmpty(this ILogger logger, Quoted source, int count);

    public static void DomainSourceFailed(
        this ILogger logger, Quoted source, int count, Exception exception)
        => logger.DomainSourceFailedQuoted(source, count, QuotedException.Of(exception));

    [LoggerMessage(
        1161, LogLevel.Error,
        "The domain source {Source} failed. The {Count} names that it returned before are kept.",
        EventName = nameof(DomainSourceFailed))]
    private static partial void DomainSourceFailedQuoted(this ILogger logger, Quoted source, int count, Exception exception);

    [LoggerMessage(1162, LogLevel.Warning, "The name '{Name}' {Reason}. {Fix}. The name is ignored.")]
    public static partial void DomainRefused(this ILogger logger, Quoted name, Quoted reason, Quoted fix);

    [LoggerMessage(1163, LogLevel.Warning, "{Count} more names are ignored. Correct the names above first; the next ones are logged then.")]
    public static partial void MoreDomainsRefused(this ILogger logger, int count);

    [LoggerMessage(
        1164, LogLevel.Warning,
        "The names that were added at run time could not be read. KestrelAcme keeps the names that it knows: {Reason}")]
    public static partial void DomainsNotRead(this ILogger logger, Quoted reason);

    [LoggerMessage(1165, LogLevel.Warning, "The last known names of the domain source {Source} could not be read from the store: {Reason}")]
    public static partial void DomainSourceNotRecalled(this ILogger logger, Quoted source, Quoted reason);

    [LoggerMessage(
        1166, LogLevel.Warning,
        "The names of the domain source {Source} could not be stored. If the source fails at the next start, KestrelAcme does " +
        "not know them: {Reason}")]
    public static partial void DomainSourceNotKept(this ILogger logger, Quoted source, Quoted reason);

    public static void DomainSourceNotFollowed(
        this ILogger logger, Quoted source, Exception exception)
        => logger.DomainSourceNotFollowedQuoted(source, QuotedException.Of(exception));

    [LoggerMessage(
        1167, LogLevel.Error,
        "The domain source {Source} failed to return a change token. KestrelAcme asks it for its names every ten minutes instead.",
        EventName = nameof(DomainSourceNotFollowed))]
    private static partial void DomainSourceNotFollowedQuoted(this ILogger logger, Quoted source, Exception exception);

    [LoggerMessage(1168, LogLevel.Warning, "The {Count} names that were added at run time are missing from the store. Storing them again.")]
    public static partial void DomainsGone(this ILogger logger, int count);
}
