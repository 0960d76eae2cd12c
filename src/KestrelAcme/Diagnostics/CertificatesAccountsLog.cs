using Microsoft.Extensions.Logging;

namespace KestrelAcme.Diagnostics;

/// <summary>The log messages about accounts and certificate authorities.</summary>
internal static partial class CertificatesAccountsLog
{
    [LoggerMessage(1149, LogLevel.Information, "The account {AccountUrl} at {DirectoryUrl} is ready.")]
    public static partial void AccountReady(this ILogger logger, Quoted accountUrl, Quoted directoryUrl);

    [LoggerMessage(
        1150, LogLevel.Warning,
        "The CA at {DirectoryUrl} no longer knows the account {AccountUrl}, or not with this key. Registering it again with " +
        "{Key} key. Update CAA and dns-persist-01 records that name the old account. {Reason}")]
    public static partial void AccountLost(this ILogger logger, Quoted accountUrl, Quoted directoryUrl, Quoted key, Quoted reason);

    [LoggerMessage(1151, LogLevel.Warning, "The state of the order rate limits could not be stored or read: {Reason}")]
    public static partial void PaceNotStored(this ILogger logger, Quoted reason);

    [LoggerMessage(1152, LogLevel.Information, "The account {AccountUrl} at {DirectoryUrl} has a new key.")]
    public static partial void AccountKeyChanged(this ILogger logger, Quoted accountUrl, Quoted directoryUrl);

    [LoggerMessage(
        1153, LogLevel.Warning,
        "The trusted roots in {Path} could not be read again. KestrelAcme keeps the roots that it read before. {Reason}")]
    public static partial void TrustedRootsNotRead(this ILogger logger, Quoted path, Quoted reason);

    [LoggerMessage(1154, LogLevel.Information, "The trusted roots in {Path} changed. Read {Count} certificates.")]
    public static partial void TrustedRootsRead(this ILogger logger, Quoted path, int count);

    [LoggerMessage(
        1155, LogLevel.Error,
        "The CA at {DirectoryUrl} refuses orders whatever their names are: {Reason} The next attempt is at {NextAttempt:u}.")]
    public static partial void AccountBlocked(this ILogger logger, Quoted directoryUrl, Quoted reason, DateTimeOffset nextAttempt);

    [LoggerMessage(
        1156, LogLevel.Warning,
        "The stored data of the account at {DirectoryUrl} was damaged, but its key was not. The CA knows the key as " +
        "{AccountUrl}, so KestrelAcme keeps using that account.")]
    public static partial void AccountRepaired(this ILogger logger, Quoted directoryUrl, Quoted accountUrl);

    [LoggerMessage(
        1157, LogLevel.Warning,
        "The account at {DirectoryUrl} is at a rate limit, as an earlier run or another instance found out. Nothing is ordered " +
        "there until {Until:u}.")]
    public static partial void AccountStillHeld(this ILogger logger, Quoted directoryUrl, DateTimeOffset until);

    [LoggerMessage(1158, LogLevel.Warning, "The account {AccountUrl} at {DirectoryUrl} was missing from the store. Storing it again.")]
    public static partial void AccountStoredAgain(this ILogger logger, Quoted accountUrl, Quoted directoryUrl);

    [LoggerMessage(
        1159, LogLevel.Warning,
        "The CA at {DirectoryUrl} refuses orders for unrelated names because of a rate limit, so the limit may be that of the " +
        "account. Orders for new names are placed one at a time, the next one at {Until:u}, until one is accepted. Renewals " +
        "continue.")]
    public static partial void AccountHeld(this ILogger logger, Quoted directoryUrl, DateTimeOffset until);

    [LoggerMessage(
        1190, LogLevel.Error,
        "The stored account at {DirectoryUrl} has another key, and nothing proves that an instance with the current key replaced it. " +
        "KestrelAcme continues with the key that it holds. If you replaced the account, restart the app. Otherwise find out who can " +
        "write to the store: a restart would use the account there.")]
    public static partial void AccountKeyNotProved(this ILogger logger, Quoted directoryUrl);
}
