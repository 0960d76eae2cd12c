namespace KestrelAcme.Protocol;

/// <summary>How an order or an authorization is polled: fast at first, then slower; a Retry-After of the server wins.</summary>
public sealed class AcmePollingOptions
{
    /// <summary>The pause after the first look; it grows by half each time.</summary>
    /// <value>50 milliseconds.</value>
    public TimeSpan InitialDelay { get; set; } = TimeSpan.FromMilliseconds(50);

    /// <summary>The longest pause that the server did not ask for.</summary>
    /// <value>5 seconds.</value>
    public TimeSpan MaxDelay { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>The least that a Retry-After counts for.</summary>
    /// <value>1 second.</value>
    public TimeSpan MinRetryAfter { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>The most that a Retry-After counts for.</summary>
    /// <value>1 minute.</value>
    public TimeSpan MaxRetryAfter { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>How long to go on at most; after that an <see cref="Problems.AcmePollingTimeoutException"/> is thrown.</summary>
    /// <value>5 minutes.</value>
    public TimeSpan Timeout { get; set; } = TimeSpan.FromMinutes(5);
}
