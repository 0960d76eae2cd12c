using Microsoft.Extensions.Logging;

namespace KestrelAcme.Diagnostics;

/// <summary>What <c>Configuration/</c> logs: 1500 to 1599.</summary>
internal static partial class ConfigurationLog
{
    [LoggerMessage(1500, LogLevel.Information, "The changed configuration is in force: {CertificateCount} certificates, {AuthorityCount} authorities.", EventName = nameof(ConfigurationReloaded))]
    public static partial void ConfigurationReloaded(this ILogger logger, int certificateCount, int authorityCount);

    [LoggerMessage(1501, LogLevel.Error, "The changed configuration is not used; the last good one stays in force until this is put right:\n{Problems}", EventName = nameof(ConfigurationReloadRejected))]
    public static partial void ConfigurationReloadRejected(this ILogger logger, Quoted problems);

    [LoggerMessage(1502, LogLevel.Warning, "{Key} has changed. The change is ignored until the app is restarted.", EventName = nameof(SettingIgnoredUntilRestart))]
    public static partial void SettingIgnoredUntilRestart(this ILogger logger, Quoted key);

    [LoggerMessage(1503, LogLevel.Warning, "The changed configuration names no certificate any more, where {CertificateCount} are being served. It is not used; restart the app if that is meant.", EventName = nameof(ConfigurationWithoutNames))]
    public static partial void ConfigurationWithoutNames(this ILogger logger, int certificateCount);

    public static void ConfigurationReloadFailed(this ILogger logger, Exception exception) => logger.ConfigurationReloadFailedQuoted(QuotedException.Of(exception));

    [LoggerMessage(1504, LogLevel.Error, "The changed configuration could not be read; the last good one stays in force.", EventName = nameof(ConfigurationReloadFailed))]
    private static partial void ConfigurationReloadFailedQuoted(this ILogger logger, Exception exception);

    public static void ConfigurationListenerFailed(this ILogger logger, Exception exception) => logger.ConfigurationListenerFailedQuoted(QuotedException.Of(exception));

    [LoggerMessage(1505, LogLevel.Error, "A part of the app did not take up the changed configuration.", EventName = nameof(ConfigurationListenerFailed))]
    private static partial void ConfigurationListenerFailedQuoted(this ILogger logger, Exception exception);
}
