namespace KestrelAcme.Protocol;

/// <summary>How an <see cref="AcmeClient"/> repeats one request. What it may not repeat (a new order or a finalization whose answer was lost) it never does.</summary>
public sealed class AcmeRetryOptions
{
    /// <summary>How many times a request is sent at most; badNonce answers count apart (<see cref="MaxBadNonceRetries"/>).</summary>
    /// <value>5; 1 turns repetition off.</value>
    public int MaxAttempts { get; set; } = 5;

    /// <summary>How many badNonce answers in a row are met at once, with the nonce from the error; after that the failure counts as one attempt.</summary>
    /// <value>10; 0 counts each as an attempt.</value>
    public int MaxBadNonceRetries { get; set; } = 10;

    /// <summary>The pause after the first failure; it doubles with each further one, and up to half of it is random.</summary>
    /// <value>500 milliseconds.</value>
    public TimeSpan BaseDelay { get; set; } = TimeSpan.FromMilliseconds(500);

    /// <summary>The longest pause between two attempts that the server did not ask for.</summary>
    /// <value>15 seconds.</value>
    public TimeSpan MaxDelay { get; set; } = TimeSpan.FromSeconds(15);

    /// <summary>The longest Retry-After that is waited for; a longer one ends the operation and is in the exception.</summary>
    /// <value>30 seconds.</value>
    public TimeSpan MaxRetryAfter { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>The time after which no further attempt is begun.</summary>
    /// <value>2 minutes.</value>
    public TimeSpan TotalBudget { get; set; } = TimeSpan.FromMinutes(2);

    /// <summary>The shortest time between two POSTs once three in a row have failed, or three orders in a row that <see cref="AcmeClient.ReportOrder"/> was told of: until one succeeds.</summary>
    /// <value>0: requests follow each other at any pace.</value>
    public TimeSpan IntervalAfterFailures { get; set; }

    /// <summary>A copy that later changes do not reach.</summary>
    /// <exception cref="ArgumentException">A value makes no sense.</exception>
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
