using Microsoft.Extensions.Logging;

namespace KestrelAcme.Diagnostics;

/// <summary>The log messages about instances that share a store.</summary>
internal static partial class ChallengesLog
{
    [LoggerMessage(
        1229, LogLevel.Information,
        "This instance could not be registered in the store, so other instances do not wait for it before a challenge is validated. " +
        "{Reason}")]
    public static partial void ReplicaNotRegistered(this ILogger logger, Quoted reason);

    [LoggerMessage(1230, LogLevel.Debug, "The instance {Id} has not changed its record for a while. Its record was removed.")]
    public static partial void ReplicaGone(this ILogger logger, Quoted id);

    [LoggerMessage(
        1231, LogLevel.Warning,
        "{Count} instances that share the store did not confirm within {Seconds} seconds that they can respond to a challenge: {Hosts}. " +
        "KestrelAcme submits the challenge anyway, and does not wait for these instances until it hears from them. " +
        "If they still run, check their connection to the store.")]
    public static partial void ReplicasSilent(this ILogger logger, int count, Quoted hosts, double seconds);

    [LoggerMessage(
        1232, LogLevel.Warning,
        "Changes of challenges in the store could not be followed. Until they can, this instance may not respond to a challenge that " +
        "another instance ordered. {Reason}")]
    public static partial void ChallengesNotFollowed(this ILogger logger, Quoted reason);

    [LoggerMessage(
        1233, LogLevel.Information,
        "The store reports changes late, so {Count} other instances have up to {Seconds:0} seconds to confirm that they can respond to a " +
        "challenge before it is submitted.")]
    public static partial void AcknowledgmentsAwaited(this ILogger logger, int count, double seconds);
}
