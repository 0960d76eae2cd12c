using System.Net;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Diagnostics;

/// <summary>What the challenge handlers say.</summary>
internal static partial class ChallengesLog
{
    [LoggerMessage(1200, LogLevel.Debug, "An http-01 token was asked for by {RemoteAddress} and answered.")]
    public static partial void TokenAnswered(this ILogger logger, Quoted remoteAddress);

    [LoggerMessage(1201, LogLevel.Warning, "A challenge is answered by this instance alone: the store could not take the answer for the others. {Reason}")]
    public static partial void TokenNotShared(this ILogger logger, Quoted reason);

    [LoggerMessage(1202, LogLevel.Warning, "An http-01 token could not be looked up in the store: {Reason}")]
    public static partial void TokenLookUpFailed(this ILogger logger, Quoted reason);

    [LoggerMessage(1203, LogLevel.Warning, "{Name}: {Address}, which the name leads to, does not answer the http-01 token with ours but with {Answer}. Looking again before the authority is told to.")]
    public static partial void ForeignAnswer(this ILogger logger, Quoted name, Quoted address, Quoted answer);

    [LoggerMessage(1204, LogLevel.Warning, "{Name}: {Address}, which the name leads to, still answers the http-01 token with {Answer} after {Seconds} seconds. The authority is asked all the same: it may see another address than we do.")]
    public static partial void ForeignAnswerStays(this ILogger logger, Quoted name, Quoted address, Quoted answer, double seconds);

    [LoggerMessage(1205, LogLevel.Warning, "{Name}: our own listener {Endpoint} answers the http-01 token with {Answer}. Something in front of the application's pipeline takes the path /.well-known/acme-challenge/.")]
    public static partial void ListenerAnswersOtherwise(this ILogger logger, Quoted name, Quoted endpoint, Quoted answer);

    [LoggerMessage(
        1213,
        LogLevel.Warning,
        "{Names}: only a DNS challenge can prove a wildcard, and none is configured. These certificates can be issued only if the CA has " +
        "authorized the names beforehand; otherwise add 'dns-01' to ChallengeTypes, or name the hosts one by one.")]
    public static partial void WildcardsWithoutDnsChallenge(this ILogger logger, Quoted names);

    [LoggerMessage(1206, LogLevel.Debug, "{ServerName}: a tls-alpn-01 validation came here, and the answer of another instance could not be found: {Reason}")]
    public static partial void SharedAnswerNotFound(this ILogger logger, Quoted serverName, Quoted reason);

    [LoggerMessage(1207, LogLevel.Information,
        "{Name}: not every address that the name leads to answers here: {Seen}. "
        + "The CA may see more of them than this machine does; if it does not either, correct the A and AAAA records.")]
    public static partial void AddressesSilent(this ILogger logger, Quoted name, Quoted seen);
}
