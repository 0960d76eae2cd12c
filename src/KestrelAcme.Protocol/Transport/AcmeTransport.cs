using System.Runtime.ExceptionServices;
using KestrelAcme.Protocol.Jose;
using KestrelAcme.Protocol.Problems;

namespace KestrelAcme.Protocol.Transport;

/// <summary>
/// Sends requests and retries them as <see cref="RetryPolicy"/> allows. Each attempt is signed again, with a new nonce.
/// Thread-safe.
/// </summary>
internal sealed class AcmeTransport(AcmeClientOptions options, HttpExchange exchange)
{
    private readonly TimeProvider _timeProvider = options.TimeProvider;
    private readonly AcmeRetryOptions _retry = options.Retry;
    private readonly Func<double> _jitter = options.Jitter;
    private long _budget = options.Retry.TotalBudget.Ticks;

    /// <summary>The time after which no further attempt at a request is started.</summary>
    public TimeSpan Budget
    {
        get => TimeSpan.FromTicks(Interlocked.Read(ref _budget));
        set => Interlocked.Exchange(ref _budget, value.Ticks);
    }

    /// <summary>The unused nonces.</summary>
    public NoncePool Nonces { get; } = new(options.TimeProvider);

    /// <summary>The rate of POST requests after failures.</summary>
    public PostPace Pace { get; } = new(options.Retry.IntervalAfterFailures, options.TimeProvider);

    /// <summary>Sends an unsigned GET request, for the directory and renewal information.</summary>
    public Task<AcmeResponse> GetAsync(AcmeCall call, CancellationToken cancellationToken) =>
        RepeatAsync(call, _ => exchange.SendAsync(call, HttpMethod.Get, jws: null, cancellationToken), cancellationToken);

    /// <summary>Sends a signed POST request.</summary>
    /// <param name="call">The request.</param>
    /// <param name="newNonceUrl">The URL for new nonces.</param>
    /// <param name="sender">The signer.</param>
    /// <param name="payload">The payload; empty for POST-as-GET.</param>
    /// <param name="cancellationToken">Cancels the operation.</param>
    public Task<AcmeResponse> PostAsync(
        AcmeCall call, Uri newNonceUrl, JwsSender sender, ReadOnlyMemory<byte> payload, CancellationToken cancellationToken) =>
        RepeatAsync(
            call,
            async nonce =>
            {
                await Pace.WaitAsync(cancellationToken).ConfigureAwait(false);
                nonce ??= Nonces.TryTake() ?? await FetchNonceAsync(call, newNonceUrl, cancellationToken).ConfigureAwait(false);
                var jws = FlattenedJws.ForRequest(sender, call.Url, nonce, payload.Span);
                return await Pace.CountAsync(exchange.SendAsync(call, HttpMethod.Post, jws, cancellationToken)).ConfigureAwait(false);
            },
            cancellationToken);

    /// <summary>Runs attempts until one succeeds or the policy allows no more.</summary>
    private async Task<AcmeResponse> RepeatAsync(
        AcmeCall call, Func<string?, Task<AcmeResponse>> attempt, CancellationToken cancellationToken)
    {
        var started = _timeProvider.GetTimestamp();
        var lostBefore = false;
        for (var attempts = 1; ; attempts++)
        {
            var (response, failure) = await TryAsync(call, attempt, started).ConfigureAwait(false);
            if (failure is null)
            {
                return response!;
            }

            failure.FollowsLostAttempt = lostBefore;
            lostBefore |= failure.MayHaveTakenEffect;
            var delay = RetryPolicy.NextDelay(_retry, failure, attempts, _timeProvider.GetElapsedTime(started), Budget, _jitter());
            if (delay is null)
            {
                ExceptionDispatchInfo.Throw(failure);
            }

            await Task.Delay(delay.Value, _timeProvider, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Runs one attempt. badNonce errors are retried at once with the nonce of the error.</summary>
    private async Task<Outcome> TryAsync(
        AcmeCall call, Func<string?, Task<AcmeResponse>> attempt, long started)
    {
        try
        {
            var response = await attempt(null).ConfigureAwait(false);
            for (var badNonces = 0; badNonces < _retry.MaxBadNonceRetries && IsBadNonce(response) && IsWithinBudget(started); badNonces++)
            {
                response = await attempt(NextNonce(response)).ConfigureAwait(false);
            }

            Nonces.Add(response.Nonce);
            var isGood = response.IsSuccess || (response.IsRedirect && call.TakesRedirects);
            return isGood ? new Outcome(response, null) : new Outcome(null, ResponseFailure.From(response));
        }
        catch (AcmeException e)
        {
            return new Outcome(null, e);
        }
    }

    // A server that responds slowly with badNonce must not get eleven requests for each attempt.
    private bool IsWithinBudget(long started) => _timeProvider.GetElapsedTime(started) < Budget;

    private static bool IsBadNonce(AcmeResponse response) =>
        !response.IsSuccess && response.ReadProblem()?.Is(AcmeProblemTypes.BadNonce) == true;

    // RFC 8555 section 6.5: the error brings the nonce for the next attempt. The nonces in the pool are older than the rejected one.
    private string? NextNonce(AcmeResponse response)
    {
        Nonces.Clear();
        return NoncePool.IsValid(response.Nonce) ? response.Nonce : null;
    }

    private async Task<string> FetchNonceAsync(AcmeCall call, Uri newNonceUrl, CancellationToken cancellationToken)
    {
        // A lost nonce does no harm, so this request can be repeated even if the original call cannot.
        var nonceCall = new AcmeCall($"{call.Operation} (fetching a nonce)", newNonceUrl)
        {
            HasEffect = false,
            Kind = AcmeRequestKind.NewNonce,
        };
        var response = await exchange.SendAsync(nonceCall, HttpMethod.Head, jws: null, cancellationToken).ConfigureAwait(false);
        if (!response.IsSuccess)
        {
            throw ResponseFailure.From(response);
        }

        return NoncePool.IsValid(response.Nonce) ? response.Nonce! : throw response.Malformed("without a valid Replay-Nonce header");
    }

    private sealed record Outcome(AcmeResponse? Response, AcmeException? Failure);
}

/// <summary>A request to a server: its operation, its URL, and whether it may be repeated if the response is lost.</summary>
internal sealed record AcmeCall(string Operation, Uri Url)
{
    /// <summary>
    /// Whether a second copy does no harm. False for a new order or a finalization: the first copy may have been
    /// processed.
    /// </summary>
    public bool IsRepeatable { get; init; } = true;

    /// <summary>Whether the caller handles redirects.</summary>
    public bool TakesRedirects { get; init; }

    /// <summary>Whether the request changes anything on the server; fetching a nonce does not.</summary>
    public bool HasEffect { get; init; } = true;

    /// <summary>The server's rate limit that the request counts against.</summary>
    public AcmeRequestKind Kind { get; init; }

    public string Accept { get; init; } = "application/json";

    /// <summary>Advice for the operator, appended to error messages.</summary>
    public string? Hint { get; init; }
}
