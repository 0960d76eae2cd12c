using KestrelAcme.Tls;

namespace KestrelAcme.Challenges.TlsAlpn01;

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
