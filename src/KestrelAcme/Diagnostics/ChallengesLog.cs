using System.Net;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Diagnostics;

/// <summary>What the challenge handlers say.</summary>
internal static partial class ChallengesLog
{
    [LoggerMessage(1200, LogLevel.Debug, "An http-01 token was asked for by {RemoteAddress} and answered.")]
    public static partial void TokenAnswered(this ILogger logger, IPAddress? remoteAddress);

    [LoggerMessage(1201, LogLevel.Warning, "An http-01 token is answered by this instance alone: the store could not take it for the others. {Reason}")]
    public static partial void TokenNotShared(this ILogger logger, string reason);

    [LoggerMessage(1202, LogLevel.Warning, "An http-01 token could not be looked up in the store: {Reason}")]
    public static partial void TokenLookUpFailed(this ILogger logger, string reason);
}
