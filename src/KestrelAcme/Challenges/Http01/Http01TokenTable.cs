using System.Collections.Concurrent;
using System.Net;
using KestrelAcme.Diagnostics;
using KestrelAcme.Storage;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Challenges.Http01;

/// <summary>
/// The responses to open http-01 challenges: those of this instance, and those that other instances share through the store.
/// </summary>
/// <remarks>
/// Safe for concurrent use. A response is returned as often as it is requested, because CAs validate from several networks at once.
/// </remarks>
internal sealed class Http01TokenTable
{
    public const string Type = "http-01";

    private static readonly TimeSpan LookUpTime = TimeSpan.FromSeconds(8);
    private static readonly TimeSpan ReportInterval = TimeSpan.FromMinutes(1);

    private readonly ConcurrentDictionary<string, Http01Response> _responses = new(StringComparer.Ordinal);
    private readonly TimeProvider _time;
    private readonly ILogger<Http01TokenTable> _logger;
    private readonly SharedChallengeTable<string> _shared;
    private readonly SharedResponseReader _reader;
    private readonly Lock _gate = new();
    private long _lookUpReported = -1;
    private long _sharingReported = -1;

    public Http01TokenTable(BoundedStorage storage, IAccountThumbprints accounts, TimeProvider time, ILogger<Http01TokenTable> logger)
    {
        (_time, _logger) = (time, logger);
        _shared = new(Type, c => c.Token, (c, thumbprint) => $"{c.Token}.{thumbprint}", storage, accounts, time) { IsLookedUp = true };
        _reader = new SharedResponseReader(_shared, time);
    }

    /// <summary>What other instances share.</summary>
    public ISharedChallengeTable Shared => _shared;

    /// <param name="token">The token.</param>
    /// <param name="response">What this instance returns: the key authorization.</param>
    /// <param name="shared">The challenge for other instances; <see langword="null"/> if only this instance responds.</param>
    /// <param name="cancellationToken">Cancels the write.</param>
    public async Task AddAsync(string token, string response, SharedChallenge? shared, CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            // A CA may return the same pending authorization, and so the same token, for two orders.
            var known = _responses.GetValueOrDefault(token);
            if (known?.KeyAuthorization != response)
            {
                _responses[token] = known = new Http01Response(response, shared is not null);
            }

            known.Users++;
        }

        if (shared is null)
        {
            return;
        }

        try
        {
            await _shared.AddAsync(shared, cancellationToken);
        }
        catch (StorageUnavailableException exception)
        {
            // This instance can respond without the store, but other instances will not know the token.
            if (MayReport(ref _sharingReported))
            {
                _logger.TokenNotShared(exception.Message);
            }
        }
    }

    /// <summary>Removes a response when it was removed as often as it was added.</summary>
    public async Task RemoveAsync(string token, CancellationToken cancellationToken)
    {
        var isShared = true;
        lock (_gate)
        {
            if (_responses.TryGetValue(token, out var response))
            {
                isShared = response.IsShared;
                if (--response.Users <= 0)
                {
                    _responses.TryRemove(token, out _);
                }
            }
        }

        if (isShared)
        {
            await _shared.RemoveAsync(token, cancellationToken);
        }
    }

    /// <summary>Returns the key authorization for a token, and counts the request.</summary>
    /// <param name="token">The token.</param>
    /// <param name="remote">Who requests it.</param>
    /// <param name="mayLookUp">Whether to look in the store for a token that this instance has not learned of.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    public ValueTask<string?> FindAsync(string token, IPAddress? remote, bool mayLookUp, CancellationToken cancellationToken)
    {
        if (_responses.TryGetValue(token, out var response))
        {
            response.Requests.Add(remote);
            return ValueTask.FromResult<string?>(response.KeyAuthorization);
        }

        return _shared.Find(token) is { } learned ? ValueTask.FromResult<string?>(learned)
            : mayLookUp ? LookUpAsync(token, cancellationToken)
            : default;
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

    private async ValueTask<string?> LookUpAsync(string token, CancellationToken cancellationToken)
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
            if (MayReport(ref _lookUpReported))
            {
                _logger.TokenLookUpFailed(exception.Message);
            }

            return null;
        }
    }

    // Anyone can trigger it, by requests and, if certificates are on demand, by new names. So it is logged at a limited rate.
    private bool MayReport(ref long reported)
    {
        var now = _time.GetTimestamp();
        var last = Interlocked.Read(ref reported);
        return (last < 0 || _time.GetElapsedTime(last, now) >= ReportInterval)
            && Interlocked.CompareExchange(ref reported, now, last) == last;
    }
}

/// <summary>The response to one open challenge, and the requests for it.</summary>
internal sealed record Http01Response(string KeyAuthorization, bool IsShared)
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
