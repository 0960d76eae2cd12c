using System.Collections.Concurrent;
using System.Net;
using KestrelAcme.Diagnostics;
using KestrelAcme.Storage;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Challenges.Http01;

/// <summary>The answers to open http-01 challenges: in memory for this instance, in the store for the others that share it.</summary>
/// <remarks>Safe for concurrent use. An answer is given as often as it is asked for: an authority looks from several networks at once.</remarks>
internal sealed class Http01TokenTable(BoundedStorage storage, TimeProvider time, ILogger<Http01TokenTable> logger)
{
    public const string StoragePrefix = "challenges/http-01/";

    // Strangers can ask for tokens that nobody knows: they may keep the store a little busy, not more.
    private const int MaxLookUps = 8;
    private const int MaxAsked = 100;
    private static readonly TimeSpan LookUpTime = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan ReportInterval = TimeSpan.FromMinutes(1);

    private readonly ConcurrentDictionary<string, Http01Answer> _answers = new(StringComparer.Ordinal);
    private readonly SharedAnswers _shared = new(storage, time, StoragePrefix);
    private readonly Lock _gate = new();
    private readonly SemaphoreSlim _lookUps = new(MaxLookUps, MaxLookUps);
    private long _reported = -1;
    private int _asked;

    public async Task AddAsync(string token, string keyAuthorization, CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            // An authority may give two orders one pending authorization, and with it one token.
            (_answers.GetValueOrDefault(token) is { } known && known.KeyAuthorization == keyAuthorization ? known : _answers[token] = new Http01Answer(keyAuthorization)).Users++;
        }

        try
        {
            await _shared.AddAsync(token, keyAuthorization, cancellationToken);
        }
        catch (StorageUnavailableException exception)
        {
            // A single instance needs no store to answer; replicas will not know the token.
            logger.TokenNotShared(exception.Message);
        }
    }

    /// <summary>Takes an answer out once everybody who added it has done so.</summary>
    public async Task RemoveAsync(string token, CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            if (!_answers.TryGetValue(token, out var answer) || --answer.Users <= 0)
            {
                _answers.TryRemove(token, out _);
            }
        }

        await _shared.RemoveAsync(token, cancellationToken);
    }

    /// <summary>The answer to a token, counted for whoever asks.</summary>
    public ValueTask<string?> FindAsync(string token, IPAddress? remote, CancellationToken cancellationToken)
    {
        if (!_answers.TryGetValue(token, out var answer))
        {
            return FindSharedAsync(token, cancellationToken);
        }

        answer.Requests.Add(remote);
        return ValueTask.FromResult<string?>(answer.KeyAuthorization);
    }

    /// <summary>Who asked this instance for a token that it answers itself.</summary>
    public TokenRequests? RequestsFor(string token) => _answers.GetValueOrDefault(token)?.Requests;

    private async ValueTask<string?> FindSharedAsync(string token, CancellationToken cancellationToken)
    {
        if (Interlocked.Increment(ref _asked) > MaxAsked)
        {
            Interlocked.Decrement(ref _asked);
            Report("too many unknown tokens are asked for at once");
            return null;
        }

        using var limit = new CancellationTokenSource(LookUpTime, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, limit.Token);
        try
        {
            return await LookUpAsync(token, both.Token);
        }
        catch (Exception exception) when (exception is StorageUnavailableException || (exception is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            Report(exception.Message);
            return null;
        }
        finally
        {
            Interlocked.Decrement(ref _asked);
        }
    }

    private async Task<string?> LookUpAsync(string token, CancellationToken cancellationToken)
    {
        await _lookUps.WaitAsync(cancellationToken);
        try
        {
            return await _shared.FindAsync(token, cancellationToken);
        }
        finally
        {
            _lookUps.Release();
        }
    }

    // Strangers choose how often this happens.
    private void Report(string reason)
    {
        var now = time.GetTimestamp();
        var last = Interlocked.Read(ref _reported);
        if ((last < 0 || time.GetElapsedTime(last, now) >= ReportInterval) && Interlocked.CompareExchange(ref _reported, now, last) == last)
        {
            logger.TokenLookUpFailed(reason);
        }
    }
}
