namespace KestrelAcme.Protocol.Problems;

/// <summary>
/// The server wants fewer requests: 429, or a <c>rateLimited</c> problem. Wait at least <see cref="AcmeException.RetryAfter"/> if it is given. A 503 is no rate limit, even
/// if it says when to come back: that is an <see cref="AcmeException"/> with its <see cref="AcmeException.RetryAfter"/>.
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
