using System.Net;
using KestrelAcme.Protocol.Problems;

namespace KestrelAcme.Protocol.Transport;

/// <summary>Decides whether and when a failed request is sent again. Stateless.</summary>
internal static class RetryPolicy
{
    /// <summary>Returns the delay before the next attempt.</summary>
    /// <param name="options">The options.</param>
    /// <param name="failure">The failure of the last attempt.</param>
    /// <param name="attempt">The number of attempts so far.</param>
    /// <param name="elapsed">The time since the first attempt started.</param>
    /// <param name="budget">The time after which no further attempt is started.</param>
    /// <param name="jitter">A random number in [0, 1).</param>
    /// <returns><see langword="null"/> to give up.</returns>
    public static TimeSpan? NextDelay(
        AcmeRetryOptions options, AcmeException failure, int attempt, TimeSpan elapsed, TimeSpan budget, double jitter)
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

            var isPause = failure.StatusCode is HttpStatusCode.TooManyRequests or HttpStatusCode.ServiceUnavailable;
            delay = isPause || asked > delay ? asked : delay;
        }

        return elapsed + delay > budget ? null : delay;
    }

    private static bool MayRepeat(AcmeException failure) => failure switch
    {
        AcmeUnreachableException { IsTlsFailure: true } => false,
        AcmeUnreachableException => failure.IsRepeatable,
        AcmeMalformedResponseException => false,
        // Ten immediate retries did not help; a retry after a delay may. The server did not process the request.
        { Problem: { } problem } when problem.Is(AcmeProblemTypes.BadNonce) => true,
        // Without a Retry-After, another request would only add to the problem.
        { StatusCode: HttpStatusCode.TooManyRequests } => failure.RetryAfter is not null,
        // Service unavailable means that the server did not process the request, unless it is a gateway that may have lost the response.
        { StatusCode: HttpStatusCode.ServiceUnavailable } => !failure.RequestMayHaveBeenProcessed,
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
