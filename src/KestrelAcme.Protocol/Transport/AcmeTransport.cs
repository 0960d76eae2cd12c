using System.Runtime.ExceptionServices;
using KestrelAcme.Protocol.Jose;
using KestrelAcme.Protocol.Problems;

namespace KestrelAcme.Protocol.Transport;

/// <summary>Sends requests and repeats them as far as <see cref="RetryPolicy"/> allows; signs them anew, with a new nonce, each time. Thread-safe.</summary>
internal sealed class AcmeTransport(AcmeClientOptions options, HttpExchange exchange)
{
    private readonly TimeProvider _timeProvider = options.TimeProvider;
    private readonly AcmeRetryOptions _retry = options.Retry;
    private readonly Func<double> _jitter = options.Jitter;
    private long _budget = options.Retry.TotalBudget.Ticks;

    /// <summary>The time after which no further attempt at a request is begun.</summary>
    public TimeSpan Budget
    {
        get => TimeSpan.FromTicks(Interlocked.Read(ref _budget));
        set => Interlocked.Exchange(ref _budget, value.Ticks);
    }

    /// <summary>The nonces at hand.</summary>
    public NoncePool Nonces { get; } = new(options.TimeProvider);

    /// <summary>The pace of POSTs.</summary>
    public PostPace Pace { get; } = new(options.Retry.IntervalAfterFailures, options.TimeProvider);

    /// <summary>Fetches without a signature: the directory and renewal information.</summary>
    public Task<AcmeResponse> GetAsync(AcmeCall call, CancellationToken cancellationToken) =>
        RepeatAsync(call, _ => exchange.SendAsync(call, HttpMethod.Get, jws: null, cancellationToken), cancellationToken);

    /// <summary>Sends a signed POST.</summary>
    /// <param name="call">What for and where.</param>
    /// <param name="newNonceUrl">Where nonces come from.</param>
    /// <param name="sender">Who signs.</param>
    /// <param name="payload">The payload; empty for POST-as-GET.</param>
    /// <param name="cancellationToken">Ends it.</param>
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

    /// <summary>Runs attempts until one succeeds or the policy gives up.</summary>
    private async Task<AcmeResponse> RepeatAsync(AcmeCall call, Func<string?, Task<AcmeResponse>> attempt, CancellationToken cancellationToken)
    {
        var started = _timeProvider.GetTimestamp();
        var lostBefore = false;
        for (var attempts = 1; ; attempts++)
        {
            var (answer, failure) = await TryAsync(call, attempt, started).ConfigureAwait(false);
            if (failure is null)
            {
                return answer!;
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

    /// <summary>One attempt; badNonce is answered at once, with the nonce that came with it.</summary>
    private async Task<(AcmeResponse? Answer, AcmeException? Failure)> TryAsync(
        AcmeCall call, Func<string?, Task<AcmeResponse>> attempt, long started)
    {
        try
        {
            var answer = await attempt(null).ConfigureAwait(false);
            for (var badNonces = 0; badNonces < _retry.MaxBadNonceRetries && IsBadNonce(answer) && IsWithinBudget(started); badNonces++)
            {
                answer = await attempt(NextNonce(answer)).ConfigureAwait(false);
            }

            Nonces.Add(answer.Nonce);
            var isGood = answer.IsSuccess || (answer.IsRedirect && call.TakesRedirects);
            return isGood ? (answer, null) : (null, ResponseFailure.From(answer));
        }
        catch (AcmeException e)
        {
            return (null, e);
        }
    }

    // A server that is slow to say badNonce must not get eleven answers in for each attempt.
    private bool IsWithinBudget(long started) => _timeProvider.GetElapsedTime(started) < Budget;

    private static bool IsBadNonce(AcmeResponse answer) => !answer.IsSuccess && answer.ReadProblem()?.Is(AcmeProblemTypes.BadNonce) == true;

    // RFC 8555 section 6.5: the error brings the nonce for the next attempt. Those kept are older than the one refused.
    private string? NextNonce(AcmeResponse answer)
    {
        Nonces.Clear();
        return NoncePool.IsValid(answer.Nonce) ? answer.Nonce : null;
    }

    private async Task<string> FetchNonceAsync(AcmeCall call, Uri newNonceUrl, CancellationToken cancellationToken)
    {
        // A lost nonce does no harm, so the original call's rule about repetition does not apply to it.
        var nonceCall = new AcmeCall($"{call.Operation} (fetching a nonce)", newNonceUrl)
        {
            HasEffect = false,
            Kind = AcmeRequestKind.NewNonce,
        };
        var answer = await exchange.SendAsync(nonceCall, HttpMethod.Head, jws: null, cancellationToken).ConfigureAwait(false);
        if (!answer.IsSuccess)
        {
            throw ResponseFailure.From(answer);
        }

        return NoncePool.IsValid(answer.Nonce) ? answer.Nonce! : throw answer.Malformed("without a valid Replay-Nonce header");
    }
}
