
namespace KestrelAcme.Certificates.Model;

/// <summary>A bucket of tokens that fills with time. Immutable and stored.</summary>
/// <param name="Tokens">What was in it.</param>
/// <param name="At">When that was.</param>
internal readonly record struct TokenBucket(double Tokens, DateTimeOffset At)
{
    // Shares of tokens add up to a little less than they should; the wait for so little would be no wait, over and over.
    private const double Rounding = 1e-6;

    public static TokenBucket Full(int capacity) => new(capacity, DateTimeOffset.MinValue);

    /// <returns>The bucket after it, and how long to wait when there was no token.</returns>
    public (TokenBucket Bucket, TimeSpan? Wait) Take(DateTimeOffset now, int capacity, TimeSpan interval)
    {
        // A clock that went back fills nothing.
        var elapsed = now > At ? now - At : TimeSpan.Zero;
        var tokens = Math.Min(capacity, Tokens + (elapsed / interval));
        return tokens >= 1 - Rounding
            ? (new TokenBucket(Math.Max(0, tokens - 1), now), null)
            : (new TokenBucket(tokens, now), (1 - tokens) * interval);
    }
}
