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

/// <summary>Responds to tls-alpn-01 challenges (RFC 8737) on the HTTPS endpoints, so that only port 443 has to be open.</summary>
internal sealed class TlsAlpn01ChallengeHandler(ITlsPublisher tls, SharedTlsAlpn01Responses shared, TimeProvider time) : IChallengeHandler
{
    public const string Type = "tls-alpn-01";

    public string ChallengeType => Type;

    public bool CanHandle(string identifierType, string value, bool wildcard) => !wildcard && (identifierType is "dns" or "ip");

    public Task PrepareAsync(ChallengeContext context, CancellationToken cancellationToken)
    {
        if (context.KeyAuthorization is not { } keyAuthorization)
        {
            throw new ChallengeException($"{context.Identifier}: the CA's tls-alpn-01 challenge has no token.");
        }

        var serverName = TlsAlpn01Certificate.ServerName(context.IdentifierType, context.Identifier);
        var certificate = TlsAlpn01Certificate.Create(context.IdentifierType, context.Identifier, keyAuthorization, time.GetUtcNow());
        tls.PresentChallenge(serverName, context.Url.AbsoluteUri, certificate);
        return shared.AddAsync(context, cancellationToken);
    }

    // The certificate is served as soon as it is presented, and the order waits for other instances to learn of it.
    public Task WaitUntilVisibleAsync(ChallengeContext context, CancellationToken cancellationToken) => Task.CompletedTask;

    public Task CleanUpAsync(ChallengeContext context, CancellationToken cancellationToken)
    {
        var serverName = TlsAlpn01Certificate.ServerName(context.IdentifierType, context.Identifier);
        tls.WithdrawChallenge(serverName, context.Url.AbsoluteUri);
        return shared.RemoveAsync(serverName, cancellationToken);
    }
}
