using System.Net;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Diagnostics;

/// <summary>The log messages of the challenge handlers.</summary>
internal static partial class ChallengesLog
{
    [LoggerMessage(1200, LogLevel.Debug, "{RemoteAddress} requested an http-01 token and got it.")]
    public static partial void TokenAnswered(this ILogger logger, Quoted remoteAddress);

    [LoggerMessage(1201, LogLevel.Warning,
        "Only this instance can respond to a challenge, because the response could not be stored for other instances. {Reason}")]
    public static partial void TokenNotShared(this ILogger logger, Quoted reason);

    [LoggerMessage(1202, LogLevel.Warning, "An http-01 token could not be looked up in the store: {Reason}")]
    public static partial void TokenLookUpFailed(this ILogger logger, Quoted reason);

    [LoggerMessage(1203, LogLevel.Warning,
        "{Name}: {Address}, an address of the name, does not return the http-01 token but {Answer}. "
        + "KestrelAcme checks again before it submits the challenge to the CA.")]
    public static partial void ForeignAnswer(this ILogger logger, Quoted name, Quoted address, Quoted answer);

    [LoggerMessage(1204, LogLevel.Warning,
        "{Name}: {Address}, an address of the name, still returns {Answer} instead of the http-01 token after {Seconds} seconds. "
        + "KestrelAcme submits the challenge anyway, because the CA may see another address.")]
    public static partial void ForeignAnswerStays(this ILogger logger, Quoted name, Quoted address, Quoted answer, double seconds);

    [LoggerMessage(1205, LogLevel.Warning,
        "{Name}: the app's own endpoint {Endpoint} returns {Answer} instead of the http-01 token. "
        + "Something before KestrelAcme in the app's pipeline handles the path /.well-known/acme-challenge/.")]
    public static partial void ListenerAnswersOtherwise(this ILogger logger, Quoted name, Quoted endpoint, Quoted answer);

    [LoggerMessage(1206, LogLevel.Debug, "The challenge that another instance stored under {Key} cannot be responded to: {Reason}")]
    public static partial void ChallengeNotLearned(this ILogger logger, Quoted key, Quoted reason);

    [LoggerMessage(1207, LogLevel.Information,
        "{Name}: not every address of the name responds from this machine: {Seen}. "
        + "The CA may reach more of them. If it does not, correct the A and AAAA records.")]
    public static partial void AddressesSilent(this ILogger logger, Quoted name, Quoted seen);

    [LoggerMessage(1208, LogLevel.Warning,
        "{Names}: only a DNS challenge can prove a wildcard, and none is configured. These certificates can be issued only if the CA has "
        + "authorized the names beforehand; otherwise add 'dns-01' to ChallengeTypes, or configure the host names one by one.")]
    public static partial void WildcardsWithoutDnsChallenge(this ILogger logger, Quoted names);
}
