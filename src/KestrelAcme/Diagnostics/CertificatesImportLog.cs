using Microsoft.Extensions.Logging;

namespace KestrelAcme.Diagnostics;

/// <summary>The log messages about the import from other ACME clients.</summary>
internal static partial class CertificatesImportLog
{
    [LoggerMessage(
        1193, LogLevel.Information,
        "{Certificate}: serving certificate {SerialNumber}, imported from '{Path}', valid until {NotAfter:u}. It is renewed when it is " +
        "due.")]
    public static partial void CertificateImported(
        this ILogger logger, Quoted certificate, Quoted serialNumber, Quoted path, DateTimeOffset notAfter);

    [LoggerMessage(1194, LogLevel.Information, "Imported the account {AccountUrl} at {DirectoryUrl} from '{Path}'.")]
    public static partial void AccountImported(this ILogger logger, Quoted accountUrl, Quoted directoryUrl, Quoted path);

    [LoggerMessage(1195, LogLevel.Warning, "'{Path}' was not imported: {Reason}. {Fix}.")]
    public static partial void ImportSkipped(this ILogger logger, Quoted path, Quoted reason, Quoted fix);

    [LoggerMessage(1196, LogLevel.Warning, "{Count} more certificates or accounts were not imported.")]
    public static partial void MoreImportsSkipped(this ILogger logger, int count);

    [LoggerMessage(
        1197, LogLevel.Information,
        "Read '{Path}' of {Client}: {Certificates} certificates for configured names, {Accounts} accounts at configured CAs, and " +
        "{Foreign} certificates for other names. Remove the folder from ImportFrom when everything has moved.")]
    public static partial void ImportRead(
        this ILogger logger, Quoted path, Quoted client, int certificates, int accounts, int foreign);

    [LoggerMessage(
        1198, LogLevel.Warning,
        "{Count} certificates are missing, and a folder in ImportFrom, where they and the account may be, or the store cannot be read, " +
        "or the folder has nothing of use. They are not ordered before {Until:u}. Both are read again every minute.")]
    public static partial void OrdersHeldForImport(this ILogger logger, int count, DateTimeOffset until);

    public static void ImportFailed(this ILogger logger, Exception exception) => logger.ImportFailedQuoted(QuotedException.Of(exception));

    [LoggerMessage(
        1199, LogLevel.Error,
        "The import from other ACME clients failed unexpectedly. Startup continues without the rest of it.",
        EventName = nameof(ImportFailed))]
    private static partial void ImportFailedQuoted(this ILogger logger, Exception exception);
}

/// <summary>More log messages about the import: the IDs of the other ones are used up.</summary>
internal static partial class ImportLog
{
    [LoggerMessage(
        1800, LogLevel.Information,
        "{Names}: serving certificate {SerialNumber} from '{Path}', valid until {NotAfter:u}, until their own certificates are obtained.")]
    public static partial void ImportServedMeanwhile(
        this ILogger logger, Quoted names, Quoted serialNumber, Quoted path, DateTimeOffset notAfter);

    [LoggerMessage(
        1801, LogLevel.Warning,
        "Certificates of '{Issuer}' were imported, the first one from '{Path}'. This machine does not trust that CA, and they are not " +
        "known to be from a configured one: clients may refuse them. They are renewed when they are due. If clients do not trust them, " +
        "renew them now.")]
    public static partial void ImportUntrusted(this ILogger logger, Quoted issuer, Quoted path);
}
