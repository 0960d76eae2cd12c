using System.Net.Security;
using KestrelAcme.Diagnostics;
using KestrelAcme.Storage;
using KestrelAcme.Tls;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Challenges.TlsAlpn01;

/// <summary>
/// Shares tls-alpn-01 challenges through the store, so that a CA may connect to any instance behind a load balancer. Each instance that a
/// CA connects to creates a certificate of its own, with the account that it uses. A connection never waits for the store.
/// </summary>
/// <remarks>Safe for concurrent use.</remarks>
internal sealed class SharedTlsAlpn01Responses : ISharedChallenges
{
    private readonly ILogger<SharedTlsAlpn01Responses> _logger;
    private readonly SharedChallengeTable<Lazy<SslStreamCertificateContext>> _shared;

    public SharedTlsAlpn01Responses(
        BoundedStorage storage, IAccountThumbprints accounts, TimeProvider time, ILogger<SharedTlsAlpn01Responses> logger)
    {
        _logger = logger;
        _shared = new(
            TlsAlpn01ChallengeHandler.Type,
            c => TlsAlpn01Certificate.ServerName(c.IdentifierType, c.Identifier),
            (c, thumbprint) => new(() => CertificateContextFactory.Create(TlsAlpn01Certificate.Create(
                c.IdentifierType, c.Identifier, $"{c.Token}.{thumbprint}", time.GetUtcNow()))),
            storage,
            accounts,
            time);
    }

    /// <summary>What other instances share.</summary>
    public ISharedChallengeTable Shared => _shared;

    public async Task AddAsync(ChallengeContext context, CancellationToken cancellationToken)
    {
        if (SharedChallenge.Of(context) is not { } challenge)
        {
            return;
        }

        try
        {
            await _shared.AddAsync(challenge, cancellationToken);
        }
        catch (StorageUnavailableException exception)
        {
            // This instance can respond without the store, but other instances will not know the challenge.
            _logger.TokenNotShared(exception.Message);
        }
    }

    public Task RemoveAsync(string serverName, CancellationToken cancellationToken) => _shared.RemoveAsync(serverName, cancellationToken);

    /// <inheritdoc/>
    public SslStreamCertificateContext? Find(string serverName)
    {
        try
        {
            return _shared.Find(serverName)?.Value;
        }
        catch (Exception exception)
        {
            // Someone stored what no certificate can be made of. Logged at Debug only, because anyone can trigger this.
            _logger.ChallengeNotLearned(serverName, exception.Message);
            return null;
        }
    }
}
