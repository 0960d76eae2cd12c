using System.Collections.Concurrent;
using System.Net;
using KestrelAcme.Diagnostics;
using KestrelAcme.Storage;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Challenges.Http01;

/// <summary>The responses to open http-01 challenges: in memory for this instance, and in the store for others that share it.</summary>
/// <remarks>
/// Safe for concurrent use. A response is returned as often as it is requested, because CAs validate from several networks at once.
/// </remarks>
internal sealed class Http01TokenTable
{
    public const string StoragePrefix = "challenges/http-01/";

    private static readonly TimeSpan LookUpTime = TimeSpan.FromSeconds(8);
    private static readonly TimeSpan ReportInterval = TimeSpan.FromMinutes(1);

    private readonly ConcurrentDictionary<string, Http01Response> _responses = new(StringComparer.Ordinal);
    private readonly TimeProvider _time;
    private readonly ILogger<Http01TokenTable> _logger;
    private readonly SharedChallengeResponses _shared;
    private readonly SharedResponseReader _reader;
    private readonly Lock _gate = new();
    private long _reported = -1;

    public Http01TokenTable(BoundedStorage storage, TimeProvider time, ILogger<Http01TokenTable> logger)
    {
        (_time, _logger) = (time, logger);
        _shared = new SharedChallengeResponses(storage, time, StoragePrefix);
        _reader = new SharedResponseReader(_shared, time);
    }

    public async Task AddAsync(string token, string keyAuthorization, CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            // A CA may return the same pending authorization, and so the same token, for two orders.
            var response = _responses.GetValueOrDefault(token);
            if (response?.KeyAuthorization != keyAuthorization)
            {
                _responses[token] = response = new Http01Response(keyAuthorization);
            }

            response.Users++;
        }

        try
        {
            await _shared.AddAsync(token, keyAuthorization, cancellationToken);
        }
        catch (StorageUnavailableException exception)
        {
            // This instance can respond without the store, but other instances will not know the token.
            _logger.TokenNotShared(exception.Message);
        }
    }

    /// <summary>Removes a response when it was removed as often as it was added.</summary>
    public async Task RemoveAsync(string token, CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            if (!_responses.TryGetValue(token, out var response) || --response.Users <= 0)
            {
                _responses.TryRemove(token, out _);
            }
        }

        await _shared.RemoveAsync(token, cancellationToken);
    }

    /// <summary>Returns the key authorization for a token, and counts the request.</summary>
    public ValueTask<string?> FindAsync(string token, IPAddress? remote, CancellationToken cancellationToken)
    {
        if (!_responses.TryGetValue(token, out var response))
        {
            return FindSharedAsync(token, cancellationToken);
        }

        response.Requests.Add(remote);
        return ValueTask.FromResult<string?>(response.KeyAuthorization);
    }

    /// <summary>Returns the requests for a token that this instance responds to itself.</summary>
    public TokenRequests? RequestsFor(string token) => _responses.GetValueOrDefault(token)?.Requests;

    /// <summary>Keeps the results of the self-check for as long as the token is served.</summary>
    public void Note(string token, IReadOnlyList<(IPAddress Address, TokenProbeResult Result)> seen)
    {
        if (_responses.TryGetValue(token, out var response))
        {
            response.Notes = seen;
        }
    }

    /// <summary>Returns the last results of the self-check; empty if there was none.</summary>
    public IReadOnlyList<(IPAddress Address, TokenProbeResult Result)> NotesFor(string token)
        => _responses.GetValueOrDefault(token)?.Notes ?? [];

    private async ValueTask<string?> FindSharedAsync(string token, CancellationToken cancellationToken)
    {
        using var limit = new TimeLimit(LookUpTime, _time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, limit.Token);
        try
        {
            return await _reader.FindAsync(token, both.Token);
        }
        catch (Exception exception) when (exception is StorageUnavailableException
            || (exception is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            Report(exception.Message);
            return null;
        }
    }

    // Anyone can trigger this, so it is logged at a limited rate.
    private void Report(string reason)
    {
        var now = _time.GetTimestamp();
        var last = Interlocked.Read(ref _reported);
        if ((last < 0 || _time.GetElapsedTime(last, now) >= ReportInterval)
            && Interlocked.CompareExchange(ref _reported, now, last) == last)
        {
            _logger.TokenLookUpFailed(reason);
        }
    }
}

/// <summary>The response to one open challenge, and the requests for it.</summary>
internal sealed record Http01Response(string KeyAuthorization)
{
    /// <summary>The number of open challenges that use it. Changed under the table's lock.</summary>
    public int Users { get; set; }

    /// <summary>The last self-check result for each address of the name. Replaced as a whole.</summary>
    public IReadOnlyList<(IPAddress Address, TokenProbeResult Result)> Notes { get; set; } = [];

    public TokenRequests Requests { get; } = new();

    public override string ToString() => $"{Requests.Count} requests";
}

/// <summary>Counts the requests for one token, which only this side of a validation knows.</summary>
/// <remarks>Safe for concurrent use.</remarks>
internal sealed class TokenRequests
{
    private const int MaxAddresses = 64;

    private readonly Lock _lock = new();
    private readonly HashSet<IPAddress> _addresses = [];
    private int _count;

    public int Count
    {
        get
        {
            lock (_lock)
            {
                return _count;
            }
        }
    }

    public int Addresses
    {
        get
        {
            lock (_lock)
            {
                return _addresses.Count;
            }
        }
    }

    public void Add(IPAddress? address)
    {
        lock (_lock)
        {
            _count++;
            if (address is not null && _addresses.Count < MaxAddresses)
            {
                _addresses.Add(address);
            }
        }
    }
}
