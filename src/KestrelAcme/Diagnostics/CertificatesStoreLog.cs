using Microsoft.Extensions.Logging;

namespace KestrelAcme.Diagnostics;

/// <summary>The log messages about stored certificates.</summary>
internal static partial class CertificatesStoreLog
{
    [LoggerMessage(1169, LogLevel.Information, "{Certificate}: now serving certificate {SerialNumber}, which another instance obtained.")]
    public static partial void CertificateAdopted(this ILogger logger, Quoted certificate, Quoted serialNumber);

    [LoggerMessage(
        1170, LogLevel.Information,
        "{Certificate}: serving certificate {SerialNumber} from the store, valid until {NotAfter:u}.")]
    public static partial void CertificateLoaded(this ILogger logger, Quoted certificate, Quoted serialNumber, DateTimeOffset notAfter);

    [LoggerMessage(1171, LogLevel.Error, "{Certificate}: the stored certificate cannot be served: {Reason}")]
    public static partial void StoredCertificateRefused(this ILogger logger, Quoted certificate, Quoted reason);

    [LoggerMessage(1172, LogLevel.Warning, "{Certificate}: the state could not be stored: {Reason}")]
    public static partial void StateNotStored(this ILogger logger, Quoted certificate, Quoted reason);

    [LoggerMessage(
        1173, LogLevel.Error,
        "{Certificate}: the new certificate is served from memory, but could not be stored. Retrying every minute: {Reason}")]
    public static partial void CertificateNotStored(this ILogger logger, Quoted certificate, Quoted reason);

    [LoggerMessage(1174, LogLevel.Error, "{Certificate}: the certificate could not be exported to {Path}: {Reason}")]
    public static partial void ExportFailed(this ILogger logger, Quoted certificate, Quoted path, Quoted reason);

    [LoggerMessage(
        1175, LogLevel.Error,
        "The store could not be read at startup. Its certificates are served as soon as it can be read: {Reason}")]
    public static partial void StoreUnavailableAtLoad(this ILogger logger, Quoted reason);

    [LoggerMessage(1176, LogLevel.Error, "The store could not be read within {Seconds} seconds. Startup continues without it.")]
    public static partial void StoreSlowAtLoad(this ILogger logger, double seconds);

    [LoggerMessage(1177, LogLevel.Warning, "The store at {Place} needs attention: {Explanation}")]
    public static partial void StoreNeedsAttention(this ILogger logger, Quoted place, Quoted explanation);

    [LoggerMessage(1178, LogLevel.Warning,
        "Changes in the store could not be watched, or what it lost could not be written back. Retrying within a minute: {Reason}")]
    public static partial void FollowingFailed(this ILogger logger, Quoted reason);

    [LoggerMessage(
        1179, LogLevel.Warning,
        "The time of the next check of the revocation list {Url} could not be stored. After a restart, KestrelAcme checks the " +
        "list again. {Reason}")]
    public static partial void RevocationLookNotStored(this ILogger logger, Quoted url, Quoted reason);

    [LoggerMessage(1180, LogLevel.Warning, "Cleaning up the store failed. Retrying in a day: {Reason}")]
    public static partial void HousekeepingFailed(this ILogger logger, Quoted reason);

    [LoggerMessage(1181, LogLevel.Information, "Removed '{Key}' from the store, because nothing has used it for two weeks.")]
    public static partial void LeftoverRemoved(this ILogger logger, Quoted key);

    [LoggerMessage(
        1182, LogLevel.Warning,
        "{Certificate}: the new certificate is served from memory only. No other order is placed before {Until:u}, even if the " +
        "store recovers.")]
    public static partial void NoOrderWhileUnstored(this ILogger logger, Quoted certificate, DateTimeOffset until);

    [LoggerMessage(
        1183, LogLevel.Error,
        "{Certificate}: the stored certificate could not be taken over. Retrying from time to time: {Reason}")]
    public static partial void StoredCertificateNotFollowed(this ILogger logger, Quoted certificate, Quoted reason);

    [LoggerMessage(1184, LogLevel.Warning, "{Certificate}: the certificate is missing from the store. Storing it again.")]
    public static partial void StoredCertificateGone(this ILogger logger, Quoted certificate);

    [LoggerMessage(1191, LogLevel.Warning, "The store was emptied or replaced. KestrelAcme writes back what it has in memory.")]
    public static partial void StoreIsFilledAgain(this ILogger logger);

    [LoggerMessage(1192, LogLevel.Information,
        "Another instance writes back what it has in memory to the store, which was emptied. Nothing is ordered until it has finished.")]
    public static partial void WaitingUntilStoreIsFilled(this ILogger logger);

    [LoggerMessage(
        1185, LogLevel.Error,
        "{Certificate}: the certificate is revoked, but that could not be stored. It is stored with the next order: {Reason}")]
    public static partial void RevocationNotStored(this ILogger logger, Quoted certificate, Quoted reason);

    [LoggerMessage(
        1186, LogLevel.Warning,
        "{Certificate}: ignoring the stored certificate {StoredSerialNumber}, because {Reason}. Still serving {SerialNumber}.")]
    public static partial void StoredCertificateWorse(
        this ILogger logger, Quoted certificate, Quoted storedSerialNumber, Quoted reason, Quoted serialNumber);

    [LoggerMessage(
        1187, LogLevel.Information,
        "Serving the retired certificate {Certificate} from the store, valid until {NotAfter:u}, until the configured " +
        "certificates exist.")]
    public static partial void RetiredCertificateServed(this ILogger logger, Quoted certificate, DateTimeOffset notAfter);

    public static void LoadFailed(this ILogger logger, Exception exception) => logger.LoadFailedQuoted(QuotedException.Of(exception));

    [LoggerMessage(
        1188, LogLevel.Error,
        "Stored certificates could not be read. KestrelAcme reads the rest again before it orders anything.",
        EventName = nameof(LoadFailed))]
    private static partial void LoadFailedQuoted(this ILogger logger, Exception exception);
}
