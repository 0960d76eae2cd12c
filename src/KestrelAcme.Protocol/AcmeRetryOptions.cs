namespace KestrelAcme.Protocol;

/// <summary>
/// How an <see cref="AcmeClient"/> retries a failed request. Requests that must not be repeated (a new order or a
/// finalization whose response was lost) are never retried.
/// </summary>
public sealed class AcmeRetryOptions
{
    /// <summary>How often a request is sent at most. badNonce errors are counted separately (<see cref="MaxBadNonceRetries"/>).</summary>
    /// <value>5 by default; 1 turns retries off.</value>
    public int MaxAttempts { get; set; } = 5;

    /// <summary>
    /// How many badNonce errors in a row are retried at once, with the nonce of the error. After that, the failure
    /// counts as one attempt.
    /// </summary>
    /// <value>10 by default; 0 counts each as an attempt.</value>
    public int MaxBadNonceRetries { get; set; } = 10;

    /// <summary>The delay after the first failure. It doubles with each further failure, and up to half of it is random.</summary>
    /// <value>500 milliseconds by default.</value>
    public TimeSpan BaseDelay { get; set; } = TimeSpan.FromMilliseconds(500);

    /// <summary>The longest delay between two attempts, unless the server asks for more.</summary>
    /// <value>15 seconds by default.</value>
    public TimeSpan MaxDelay { get; set; } = TimeSpan.FromSeconds(15);

    /// <summary>The longest Retry-After to wait for. A longer one ends the operation and is reported in the exception.</summary>
    /// <value>30 seconds by default.</value>
    public TimeSpan MaxRetryAfter { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>The time after which no further attempt is started.</summary>
    /// <value>2 minutes by default.</value>
    public TimeSpan TotalBudget { get; set; } = TimeSpan.FromMinutes(2);

    /// <summary>
    /// The shortest time between two POST requests after three failed requests in a row, or three failed orders in a row reported to
    /// <see cref="AcmeClient.ReportOrder"/>. It applies until one succeeds.
    /// </summary>
    /// <value>Zero by default: requests are not spaced.</value>
    public TimeSpan IntervalAfterFailures { get; set; }

    /// <summary>Checks the values and returns a copy that later changes do not affect.</summary>
    /// <exception cref="ArgumentException">A value is out of range.</exception>
    internal AcmeRetryOptions Validated()
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(MaxAttempts, 1);
        ArgumentOutOfRangeException.ThrowIfNegative(MaxBadNonceRetries);
        ArgumentOutOfRangeException.ThrowIfLessThan(BaseDelay, TimeSpan.Zero);
        ArgumentOutOfRangeException.ThrowIfLessThan(MaxDelay, TimeSpan.Zero);
        ArgumentOutOfRangeException.ThrowIfLessThan(MaxRetryAfter, TimeSpan.Zero);
        ArgumentOutOfRangeException.ThrowIfLessThan(TotalBudget, TimeSpan.Zero);
        ArgumentOutOfRangeException.ThrowIfLessThan(IntervalAfterFailures, TimeSpan.Zero);
        return (AcmeRetryOptions)MemberwiseClone();
    }
}
