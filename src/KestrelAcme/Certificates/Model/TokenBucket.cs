
namespace KestrelAcme.Certificates.Model;

/// <summary>A token bucket that fills with time. Immutable and stored.</summary>
/// <param name="Tokens">The tokens at that time.</param>
/// <param name="At">The time.</param>
internal readonly record struct TokenBucket(double Tokens, DateTimeOffset At)
{
    // The sum of shares is slightly less than it should be. The wait for the rest would be no wait, over and over.
    private const double Rounding = 1e-6;

    public static TokenBucket Full(int capacity) => new(capacity, DateTimeOffset.MinValue);

    /// <returns>The bucket afterward, and the wait if there was no token.</returns>
    public (TokenBucket Bucket, TimeSpan? Wait) Take(DateTimeOffset now, int capacity, TimeSpan interval)
    {
        // A clock that went back adds no tokens.
        var elapsed = now > At ? now - At : TimeSpan.Zero;
        var tokens = Math.Min(capacity, Tokens + (elapsed / interval));
        return tokens >= 1 - Rounding
            ? (new TokenBucket(Math.Max(0, tokens - 1), now), null)
            : (new TokenBucket(tokens, now), (1 - tokens) * interval);
    }
}
