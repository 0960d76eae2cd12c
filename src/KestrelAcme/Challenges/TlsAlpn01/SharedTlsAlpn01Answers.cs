using System.Collections.Concurrent;
using System.Net.Security;
using KestrelAcme.Diagnostics;
using KestrelAcme.Storage;
using KestrelAcme.Tls;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Challenges.TlsAlpn01;

/// <summary>
/// Shares the answers to tls-alpn-01 challenges through the store, so that an authority may reach any instance behind a load balancer. What is shared is the key authorization, which is no
/// secret: each instance makes a certificate of its own from it.
/// </summary>
/// <remarks>Safe for concurrent use.</remarks>
internal sealed class SharedTlsAlpn01Answers : ISharedChallenges
{
    public const string StoragePrefix = "challenges/tls-alpn-01/";

    // As many are open at once at most; beyond that, a certificate is made for each connection.
    private const int MaxMade = 256;
    private static readonly TimeSpan LookUpTime = TimeSpan.FromSeconds(8);

    private readonly TimeProvider _time;
    private readonly ILogger<SharedTlsAlpn01Answers> _logger;
    private readonly SharedAnswers _answers;
    private readonly SharedAnswerReader _reader;

    // The authority asks from several places, and strangers may ask as well: a certificate is made once for each answer.
    private readonly ConcurrentDictionary<string, (string Answer, SslStreamCertificateContext Context)> _made = new(StringComparer.Ordinal);

    public SharedTlsAlpn01Answers(BoundedStorage storage, TimeProvider time, ILogger<SharedTlsAlpn01Answers> logger)
    {
        (_time, _logger) = (time, logger);
        _answers = new SharedAnswers(storage, time, StoragePrefix);
        _reader = new SharedAnswerReader(_answers, time);
    }

    public async Task AddAsync(string serverName, string identifierType, string identifier, string keyAuthorization, CancellationToken cancellationToken)
    {
        try
        {
            await _answers.AddAsync(serverName, $"{identifierType} {identifier} {keyAuthorization}", cancellationToken);
        }
        catch (StorageUnavailableException exception)
        {
            // A single instance needs no store to answer; replicas will not know the token.
            _logger.TokenNotShared(exception.Message);
        }
    }

    public Task RemoveAsync(string serverName, CancellationToken cancellationToken) => _answers.RemoveAsync(serverName, cancellationToken);

    /// <inheritdoc/>
    public async ValueTask<SslStreamCertificateContext?> FindAsync(string serverName)
    {
        using var limit = new TimeLimit(LookUpTime, _time);
        try
        {
            if (await _reader.FindAsync(serverName, limit.Token) is { } answer)
            {
                return Make(serverName, answer);
            }

            _made.TryRemove(serverName, out _);
        }
        catch (Exception exception)
        {
            // Strangers choose how often this happens.
            _logger.SharedAnswerNotFound(serverName, exception.Message);
        }

        return null;
    }

    private SslStreamCertificateContext? Make(string serverName, string answer)
    {
        if (_made.TryGetValue(serverName, out var made) && made.Answer == answer)
        {
            return made.Context;
        }

        if (answer.Split(' ') is not [var type, var identifier, var keyAuthorization])
        {
            return null;
        }

        var context = CertificateContextFactory.Create(TlsAlpn01Certificate.Create(type, identifier, keyAuthorization, _time.GetUtcNow()));
        if (_made.Count >= MaxMade)
        {
            _made.Clear();
        }

        _made[serverName] = (answer, context);
        return context;
    }
}
