namespace KestrelAcme.Protocol;

/// <summary>How orders and authorizations are polled: fast at first, then more slowly. The server's Retry-After takes precedence.</summary>
public sealed class AcmePollingOptions
{
    /// <summary>The delay after the first request. It grows by half each time.</summary>
    /// <value>50 milliseconds by default.</value>
    public TimeSpan InitialDelay { get; set; } = TimeSpan.FromMilliseconds(50);

    /// <summary>The longest delay, unless the server asks for more.</summary>
    /// <value>5 seconds by default.</value>
    public TimeSpan MaxDelay { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>The shortest delay for a Retry-After; shorter values are raised to it.</summary>
    /// <value>1 second by default.</value>
    public TimeSpan MinRetryAfter { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>The longest delay for a Retry-After; longer values are lowered to it.</summary>
    /// <value>1 minute by default.</value>
    public TimeSpan MaxRetryAfter { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>How long to poll before an <see cref="Problems.AcmePollingTimeoutException"/> is thrown.</summary>
    /// <value>5 minutes by default.</value>
    public TimeSpan Timeout { get; set; } = TimeSpan.FromMinutes(5);
}
