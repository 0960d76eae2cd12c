using KestrelAcme.Diagnostics;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Challenges;

/// <summary>Limits how long an order waits for a store that reports changes late.</summary>
internal static class WatchDelayLimit
{
    /// <summary>If an operator has the store polled less often, no order waits for that.</summary>
    public static TimeSpan Longest { get; } = TimeSpan.FromSeconds(90);

    public static void WarnIfExceeded(TimeSpan delay, ILogger logger)
    {
        if (delay > Longest)
        {
            logger.StorePolledRarely(delay.TotalSeconds, Longest.TotalSeconds);
        }
    }
}
