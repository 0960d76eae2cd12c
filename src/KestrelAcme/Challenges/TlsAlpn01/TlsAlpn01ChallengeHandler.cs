using KestrelAcme.Tls;

namespace KestrelAcme.Challenges.TlsAlpn01;

/// <summary>Answers tls-alpn-01 challenges (RFC 8737) on the HTTPS endpoints themselves: nothing but port 443 need be open.</summary>
internal sealed class TlsAlpn01ChallengeHandler(ITlsPublisher tls, SharedTlsAlpn01Answers shared, TimeProvider time) : IChallengeHandler
{
    public const string Type = "tls-alpn-01";

    public string ChallengeType => Type;

    public bool CanHandle(string identifierType, string value, bool wildcard) => !wildcard && (identifierType is "dns" or "ip");

    public Task PrepareAsync(ChallengeContext context, CancellationToken cancellationToken)
    {
        if (context.KeyAuthorization is not { } keyAuthorization)
        {
            throw new ChallengeException($"{context.Identifier}: the authority's tls-alpn-01 challenge has no token.");
        }

        var serverName = TlsAlpn01Certificate.ServerName(context.IdentifierType, context.Identifier);
        tls.PresentChallenge(serverName, context.Url.AbsoluteUri, TlsAlpn01Certificate.Create(context.IdentifierType, context.Identifier, keyAuthorization, time.GetUtcNow()));
        return shared.AddAsync(serverName, context.IdentifierType, context.Identifier, keyAuthorization, cancellationToken);
    }

    // The certificate is served from the moment it was presented, and other instances read the store when they are asked.
    public Task WaitUntilVisibleAsync(ChallengeContext context, CancellationToken cancellationToken) => Task.CompletedTask;

    public Task CleanUpAsync(ChallengeContext context, CancellationToken cancellationToken)
    {
        var serverName = TlsAlpn01Certificate.ServerName(context.IdentifierType, context.Identifier);
        tls.WithdrawChallenge(serverName, context.Url.AbsoluteUri);
        return shared.RemoveAsync(serverName, cancellationToken);
    }
}
