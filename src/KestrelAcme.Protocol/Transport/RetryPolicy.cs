using System.Net;
using KestrelAcme.Protocol.Problems;

namespace KestrelAcme.Protocol.Transport;

/// <summary>Decides whether and when a failed request is sent again. Pure.</summary>
internal static class RetryPolicy
{
    /// <summary>The pause before the next attempt.</summary>
    /// <param name="options">The settings.</param>
    /// <param name="failure">What happened to it.</param>
    /// <param name="attempt">How many attempts there were, this one included.</param>
    /// <param name="elapsed">The time since the first began.</param>
    /// <param name="budget">The time after which no further attempt is begun.</param>
    /// <param name="jitter">A random number in [0, 1).</param>
    /// <returns><see langword="null"/> to give up.</returns>
    public static TimeSpan? NextDelay(AcmeRetryOptions options, AcmeException failure, int attempt, TimeSpan elapsed, TimeSpan budget, double jitter)
    {
        if (attempt >= options.MaxAttempts || !MayRepeat(failure))
        {
            return null;
        }

        var delay = Backoff(options, attempt, jitter);
        if (failure.RetryAfter is { } asked)
        {
            if (asked > options.MaxRetryAfter)
            {
                return null;
            }

            delay = failure.StatusCode is HttpStatusCode.TooManyRequests or HttpStatusCode.ServiceUnavailable || asked > delay ? asked : delay;
        }

        return elapsed + delay > budget ? null : delay;
    }

    private static bool MayRepeat(AcmeException failure) => failure switch
    {
        AcmeUnreachableException { IsTlsFailure: true } => false,
        AcmeUnreachableException => failure.IsRepeatable,
        AcmeMalformedResponseException => false,
        // Ten in a row at once did not help; after a pause they may. The server did nothing else.
        { Problem: { } problem } when problem.Is(AcmeProblemTypes.BadNonce) => true,
        // Without a time to wait, one more request is what the server complained of.
        { StatusCode: HttpStatusCode.TooManyRequests } => failure.RetryAfter is not null,
        // "Not now" is an answer, and it says that nothing was done.
        { StatusCode: HttpStatusCode.ServiceUnavailable } => true,
        { StatusCode: HttpStatusCode.NotImplemented } => false,
        { StatusCode: { } status } => (int)status >= 500 && failure.IsRepeatable,
        _ => false,
    };

    private static TimeSpan Backoff(AcmeRetryOptions options, int attempt, double jitter)
    {
        var delay = options.BaseDelay * Math.Pow(2, Math.Min(attempt - 1, 30));
        delay = delay > options.MaxDelay ? options.MaxDelay : delay;
        return delay * (0.5 + (jitter / 2));
    }
}
