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

    // Strangers can ask for names that are not being validated: they may keep the store a little busy, not more.
    private const int MaxLookUps = 8;
    private static readonly TimeSpan LookUpTime = TimeSpan.FromSeconds(5);

    private readonly TimeProvider _time;
    private readonly ILogger<SharedTlsAlpn01Answers> _logger;
    private readonly SharedAnswers _answers;
    private int _lookUps;

    public SharedTlsAlpn01Answers(BoundedStorage storage, TimeProvider time, ILogger<SharedTlsAlpn01Answers> logger)
    {
        (_time, _logger) = (time, logger);
        _answers = new SharedAnswers(storage, time, StoragePrefix);
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
        if (Interlocked.Increment(ref _lookUps) > MaxLookUps)
        {
            Interlocked.Decrement(ref _lookUps);
            return null;
        }

        using var limit = new CancellationTokenSource(LookUpTime, _time);
        try
        {
            return await _answers.FindAsync(serverName, limit.Token) is { } answer && answer.Split(' ') is [var type, var identifier, var keyAuthorization]
                ? CertificateContextFactory.Create(TlsAlpn01Certificate.Create(type, identifier, keyAuthorization, _time.GetUtcNow()))
                : null;
        }
        catch (Exception exception)
        {
            // Strangers choose how often this happens.
            _logger.SharedAnswerNotFound(serverName, exception.Message);
            return null;
        }
        finally
        {
            Interlocked.Decrement(ref _lookUps);
        }
    }
}
