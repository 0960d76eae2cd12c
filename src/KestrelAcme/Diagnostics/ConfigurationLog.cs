using Microsoft.Extensions.Logging;

namespace KestrelAcme.Diagnostics;

/// <summary>Log messages of the configuration. Event IDs 1500 to 1599.</summary>
internal static partial class ConfigurationLog
{
    [LoggerMessage(1500, LogLevel.Information,
        "The changed configuration is now used: {CertificateCount} certificates, ordered from {Authorities}.",
        EventName = nameof(ConfigurationReloaded))]
    public static partial void ConfigurationReloaded(this ILogger logger, int certificateCount, Quoted authorities);

    [LoggerMessage(1501, LogLevel.Error,
        "The changed configuration is not valid and is not used. The last valid one stays in use until these problems are fixed:{Problems}",
        EventName = nameof(ConfigurationReloadRejected))]
    public static partial void ConfigurationReloadRejected(this ILogger logger, Quoted problems);

    [LoggerMessage(1502, LogLevel.Warning,
        "{Key} has changed. The change takes effect when the app is restarted.",
        EventName = nameof(SettingIgnoredUntilRestart))]
    public static partial void SettingIgnoredUntilRestart(this ILogger logger, Quoted key);

    [LoggerMessage(1503, LogLevel.Warning,
        "The changed configuration has no certificates, while {CertificateCount} are being served. It is not used. If it is intended, "
        + "restart the app.",
        EventName = nameof(ConfigurationWithoutNames))]
    public static partial void ConfigurationWithoutNames(this ILogger logger, int certificateCount);

    public static void ConfigurationReloadFailed(this ILogger logger, Exception exception)
        => logger.ConfigurationReloadFailedQuoted(QuotedException.Of(exception));

    [LoggerMessage(1504, LogLevel.Error,
        "The changed configuration could not be read. The last valid one stays in use.",
        EventName = nameof(ConfigurationReloadFailed))]
    private static partial void ConfigurationReloadFailedQuoted(this ILogger logger, Exception exception);

    public static void ConfigurationListenerFailed(this ILogger logger, Exception exception)
        => logger.ConfigurationListenerFailedQuoted(QuotedException.Of(exception));

    [LoggerMessage(1505, LogLevel.Error,
        "A part of the app failed to apply the changed configuration.",
        EventName = nameof(ConfigurationListenerFailed))]
    private static partial void ConfigurationListenerFailedQuoted(this ILogger logger, Exception exception);

    [LoggerMessage(1506, LogLevel.Warning,
        "{Source} no longer has settings for AcmeHttps: it was removed, is being written, or cannot be read. Its last settings stay in use "
        + "until it has settings again or the app is restarted.",
        EventName = nameof(ConfigurationSourceLost))]
    public static partial void ConfigurationSourceLost(this ILogger logger, Quoted source);

    [LoggerMessage(1507, LogLevel.Information,
        "{Source} has settings for AcmeHttps again.",
        EventName = nameof(ConfigurationSourceBack))]
    public static partial void ConfigurationSourceBack(this ILogger logger, Quoted source);

    [LoggerMessage(1508, LogLevel.Warning,
        "{Keys} is missing from the changed configuration. The last value stays in use until there is another one or the app is restarted. "
        + "While the app runs, a missing setting never changes the CA or what is ordered from it.",
        EventName = nameof(ConfigurationKeysKept))]
    public static partial void ConfigurationKeysKept(this ILogger logger, Quoted keys);

    [LoggerMessage(1509, LogLevel.Warning, "{Description}", EventName = nameof(ConfigurationListMixed))]
    public static partial void ConfigurationListMixed(this ILogger logger, Quoted description);

    [LoggerMessage(1510, LogLevel.Information,
        "KestrelAcme is inactive, and its configuration is not validated: the server is {Server}, not Kestrel.",
        EventName = nameof(InactiveWithoutKestrel))]
    public static partial void InactiveWithoutKestrel(this ILogger logger, Quoted server);

    [LoggerMessage(1511, LogLevel.Information,
        "The configuration has options of LettuceEncrypt, and KestrelAcme reads them if they mean the same. Move them to the section "
        + "AcmeHttps, under its own names, when you have time:{Notes}",
        EventName = nameof(LettuceEncryptNamesRead))]
    public static partial void LettuceEncryptNamesRead(this ILogger logger, Quoted notes);

    [LoggerMessage(1512, LogLevel.Critical, "The configuration is not valid, and the app does not start with it:{Problems}")]
    public static partial void ConfigurationInvalid(this ILogger logger, Quoted problems);
}
