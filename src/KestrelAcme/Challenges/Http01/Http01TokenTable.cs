using System.Collections.Concurrent;
using System.Net;
using KestrelAcme.Diagnostics;
using KestrelAcme.Storage;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Challenges.Http01;

/// <summary>The answers to open http-01 challenges: in memory for this instance, in the store for the others that share it.</summary>
/// <remarks>Safe for concurrent use. An answer is given as often as it is asked for: an authority looks from several networks at once.</remarks>
internal sealed class Http01TokenTable
{
    public const string StoragePrefix = "challenges/http-01/";

    private static readonly TimeSpan LookUpTime = TimeSpan.FromSeconds(8);
    private static readonly TimeSpan ReportInterval = TimeSpan.FromMinutes(1);

    private readonly ConcurrentDictionary<string, Http01Answer> _answers = new(StringComparer.Ordinal);
    private readonly TimeProvider _time;
    private readonly ILogger<Http01TokenTable> _logger;
    private readonly SharedAnswers _shared;
    private readonly SharedAnswerReader _reader;
    private readonly Lock _gate = new();
    private long _reported = -1;

    public Http01TokenTable(BoundedStorage storage, TimeProvider time, ILogger<Http01TokenTable> logger)
    {
        (_time, _logger) = (time, logger);
        _shared = new SharedAnswers(storage, time, StoragePrefix);
        _reader = new SharedAnswerReader(_shared, time);
    }

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
            _logger.TokenNotShared(exception.Message);
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

    /// <summary>Keeps what the self-check saw, for as long as the token is answered.</summary>
    public void Note(string token, IReadOnlyList<(IPAddress Address, TokenProbeResult Result)> seen)
    {
        if (_answers.TryGetValue(token, out var answer))
        {
            answer.Notes = seen;
        }
    }

    /// <summary>What the self-check saw last; empty when it was not made.</summary>
    public IReadOnlyList<(IPAddress Address, TokenProbeResult Result)> NotesFor(string token)
        => _answers.GetValueOrDefault(token)?.Notes ?? [];

    private async ValueTask<string?> FindSharedAsync(string token, CancellationToken cancellationToken)
    {
        using var limit = new TimeLimit(LookUpTime, _time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, limit.Token);
        try
        {
            return await _reader.FindAsync(token, both.Token);
        }
        catch (Exception exception) when (exception is StorageUnavailableException || (exception is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            Report(exception.Message);
            return null;
        }
    }

    // Strangers choose how often this happens.
    private void Report(string reason)
    {
        var now = _time.GetTimestamp();
        var last = Interlocked.Read(ref _reported);
        if ((last < 0 || _time.GetElapsedTime(last, now) >= ReportInterval) && Interlocked.CompareExchange(ref _reported, now, last) == last)
        {
            _logger.TokenLookUpFailed(reason);
        }
    }
}

/// <summary>The answer to one open challenge, and who asked for it.</summary>
internal sealed record Http01Answer(string KeyAuthorization)
{
    /// <summary>How many open challenges it answers. Changed under the table's lock.</summary>
    public int Users { get; set; }

    /// <summary>What each address of the name did when the self-check asked there last. Replaced as a whole.</summary>
    public IReadOnlyList<(IPAddress Address, TokenProbeResult Result)> Notes { get; set; } = [];

    public TokenRequests Requests { get; } = new();

    public override string ToString() => $"{Requests.Count} requests";
}
