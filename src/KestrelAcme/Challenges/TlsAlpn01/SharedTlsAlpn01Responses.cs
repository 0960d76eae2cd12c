using System.Collections.Concurrent;
using System.Net.Security;
using KestrelAcme.Diagnostics;
using KestrelAcme.Storage;
using KestrelAcme.Tls;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Challenges.TlsAlpn01;

/// <summary>
/// Shares responses to tls-alpn-01 challenges through the store, so that a CA may connect to any instance behind a load balancer. The key
/// authorization is shared, which is not a secret. Each instance creates its own certificate from it.
/// </summary>
/// <remarks>Safe for concurrent use.</remarks>
internal sealed class SharedTlsAlpn01Responses : ISharedChallenges
{
    public const string StoragePrefix = "challenges/tls-alpn-01/";

    // The maximum number of cached certificates. If more challenges are open, the cache is cleared.
    private const int MaxMade = 256;
    private static readonly TimeSpan LookUpTime = TimeSpan.FromSeconds(8);

    private readonly TimeProvider _time;
    private readonly ILogger<SharedTlsAlpn01Responses> _logger;
    private readonly SharedChallengeResponses _responses;
    private readonly SharedResponseReader _reader;

    // CAs connect from several places, and anyone else may, too. The certificate of a response is created only once.
    private readonly ConcurrentDictionary<string, (string Response, SslStreamCertificateContext Context)> _made =
        new(StringComparer.Ordinal);

    public SharedTlsAlpn01Responses(BoundedStorage storage, TimeProvider time, ILogger<SharedTlsAlpn01Responses> logger)
    {
        (_time, _logger) = (time, logger);
        _responses = new SharedChallengeResponses(storage, time, StoragePrefix);
        _reader = new SharedResponseReader(_responses, time);
    }

    public async Task AddAsync(
        string serverName, string identifierType, string identifier, string keyAuthorization, CancellationToken cancellationToken)
    {
        try
        {
            await _responses.AddAsync(serverName, $"{identifierType} {identifier} {keyAuthorization}", cancellationToken);
        }
        catch (StorageUnavailableException exception)
        {
            // This instance can respond without the store, but other instances will not know the token.
            _logger.TokenNotShared(exception.Message);
        }
    }

    public Task RemoveAsync(string serverName, CancellationToken cancellationToken)
        => _responses.RemoveAsync(serverName, cancellationToken);

    /// <inheritdoc/>
    public async ValueTask<SslStreamCertificateContext?> FindAsync(string serverName)
    {
        using var limit = new TimeLimit(LookUpTime, _time);
        try
        {
            if (await _reader.FindAsync(serverName, limit.Token) is { } response)
            {
                return Make(serverName, response);
            }

            _made.TryRemove(serverName, out _);
        }
        catch (Exception exception)
        {
            // Logged at Debug only, because anyone can trigger this.
            _logger.SharedAnswerNotFound(serverName, exception.Message);
        }

        return null;
    }

    private SslStreamCertificateContext? Make(string serverName, string response)
    {
        if (_made.TryGetValue(serverName, out var made) && made.Response == response)
        {
            return made.Context;
        }

        if (response.Split(' ') is not [var type, var identifier, var keyAuthorization])
        {
            return null;
        }

        var context = CertificateContextFactory.Create(TlsAlpn01Certificate.Create(type, identifier, keyAuthorization, _time.GetUtcNow()));
        if (_made.Count >= MaxMade)
        {
            _made.Clear();
        }

        _made[serverName] = (response, context);
        return context;
    }
}
