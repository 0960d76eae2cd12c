using KestrelAcme.Certificates.Authorities;
using KestrelAcme.Challenges;
using KestrelAcme.Configuration;
using KestrelAcme.Protocol.Authorizations;
using KestrelAcme.Protocol.Challenges;
using KestrelAcme.Protocol.Directories;

namespace KestrelAcme.Certificates.Orders;

/// <summary>Chooses one challenge of an authorization: the first configured type that the authority offers and a handler can answer. Never a second one.</summary>
internal sealed class ChallengeHandlers(IEnumerable<IChallengeHandler> handlers)
{
    private readonly Dictionary<string, IChallengeHandler> _byType = handlers
        .GroupBy(h => h.ChallengeType, StringComparer.Ordinal)
        .ToDictionary(g => g.Key, g => g.Last(), StringComparer.Ordinal);

    /// <exception cref="ChallengeException">No configured type can be used; the message says what is offered.</exception>
    public OpenChallenge Choose(Authorization authorization, CertificateSpecification specification, IAuthorityAccount account, Uri directoryUrl, AcmeDirectory directory)
    {
        foreach (var type in specification.ChallengeTypes)
        {
            var challenge = authorization.Challenges.FirstOrDefault(c => c.Type == type && c.Status is ChallengeStatus.Pending or ChallengeStatus.Processing);
            if (challenge is not null && _byType.TryGetValue(type, out var handler)
                && handler.CanHandle(authorization.Identifier.Type, authorization.Identifier.Value, authorization.Wildcard))
            {
                return new OpenChallenge(authorization.Url, challenge.Status, Context(authorization, challenge, account, directoryUrl, directory), handler);
            }
        }

        throw new ChallengeException(
            $"{authorization.Identifier.Value}: the authority offers {string.Join(", ", authorization.Challenges.Select(c => c.Type))}; " +
            $"ChallengeTypes allows {string.Join(", ", specification.ChallengeTypes)}. Add one of those that are offered.");
    }

    private static ChallengeContext Context(Authorization authorization, Challenge challenge, IAuthorityAccount account, Uri directoryUrl, AcmeDirectory directory) => new()
    {
        ChallengeType = challenge.Type,
        IdentifierType = authorization.Identifier.Type,
        Identifier = authorization.Identifier.Value,
        Wildcard = authorization.Wildcard,
        Url = challenge.Url,
        Token = challenge.Token,
        KeyAuthorization = challenge.Token is { } token ? account.Key.KeyAuthorization(token) : null,
        AccountUrl = account.Url,
        DirectoryUrl = directoryUrl,
        CaaIdentities = directory.Meta.CaaIdentities,
        Expires = authorization.Expires,
    };
}
