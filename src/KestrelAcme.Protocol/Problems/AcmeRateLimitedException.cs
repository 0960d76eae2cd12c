namespace KestrelAcme.Protocol.Problems;

/// <summary>
/// The server wants fewer requests: 429, a <c>rateLimited</c> problem, or 503 with a Retry-After longer than this library waits
/// (<see cref="AcmeRetryOptions.MaxRetryAfter"/>) or more often than it tries. Wait at least <see cref="AcmeException.RetryAfter"/> where it is given.
/// </summary>
public sealed class AcmeRateLimitedException : AcmeException
{
    /// <summary>Makes an exception.</summary>
    /// <param name="message">What failed and what to do.</param>
    /// <param name="innerException">The cause.</param>
    public AcmeRateLimitedException(string message, Exception? innerException = null)
        : base(message, innerException)
    {
    }
}
