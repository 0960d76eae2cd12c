using KestrelAcme.Certificates.Authorities;
using KestrelAcme.Challenges;
using KestrelAcme.Protocol.Authorizations;
using KestrelAcme.Protocol.Challenges;
using KestrelAcme.Protocol.Directories;

namespace KestrelAcme.Certificates.Orders;

/// <summary>
/// Chooses one challenge of an authorization: the first configured type that the CA offers and a handler supports, and never a second one,
/// because the first failure ends the authorization. A type that failed in an earlier order comes last.
/// </summary>
internal sealed class ChallengeHandlers(IEnumerable<IChallengeHandler> handlers)
{
    private readonly Dictionary<string, IChallengeHandler> _byType = handlers
        .GroupBy(h => h.ChallengeType, StringComparer.Ordinal)
        .ToDictionary(g => g.Key, g => g.Last(), StringComparer.Ordinal);

    /// <exception cref="ChallengeException">No configured type can be used; the message says what is offered.</exception>
    public OpenChallenge Choose(Authorization authorization, OrderContext context, IAuthorityAccount account, AcmeDirectory directory)
    {
        var allowed = context.Specification.ChallengeTypes;
        var failed = context.Writer.State.FailedChallengeTypes ?? [];
        foreach (var type in allowed.OrderBy(t => failed.Contains(t)))
        {
            var challenge = authorization.Challenges.FirstOrDefault(
                c => c.Type == type && c.Status is ChallengeStatus.Pending or ChallengeStatus.Processing);
            if (challenge is not null && _byType.TryGetValue(type, out var handler)
                && handler.CanHandle(authorization.Identifier.Type, authorization.Identifier.Value, authorization.Wildcard))
            {
                var described = Describe(authorization, challenge, account, context, directory);
                return new OpenChallenge(authorization.Url, challenge.Status, described, handler);
            }
        }

        throw new ChallengeException(
            $"{authorization.Identifier.Value}: the CA offers {string.Join(", ", authorization.Challenges.Select(c => c.Type))}; " +
            $"ChallengeTypes allows {string.Join(", ", allowed)}. Add one of the offered types.")
        {
            Fault = ChallengeFault.Operator,
        };
    }

    private static ChallengeContext Describe(
        Authorization authorization, Challenge challenge, IAuthorityAccount account, OrderContext context, AcmeDirectory directory) => new()
    {
        ChallengeType = challenge.Type,
        IdentifierType = authorization.Identifier.Type,
        Identifier = authorization.Identifier.Value,
        Wildcard = authorization.Wildcard,
        Url = challenge.Url,
        Token = challenge.Token,
        KeyAuthorization = challenge.Token is { } token ? account.Key.KeyAuthorization(token) : null,
        AccountUrl = account.Url,
        DirectoryUrl = context.Authority.Specification.DirectoryUrl,
        CaaIdentities = directory.Meta.CaaIdentities,
        AccountThumbprint = account.Key.Thumbprint,
        IssuerDomainNames = directory.Meta.IssuerDomainNames,
        AccountHashPrefix = directory.Meta.AccountHashPrefix,
        ProveAccountAsync = cancellationToken => PersistStep.ProveAsync(account, cancellationToken),
        NoteRecordEnd = context.NoteRecordEnd,
        Expires = authorization.Expires,
        OtherMembers = challenge.OtherMembers,
    };
}

/// <summary>A challenge that was chosen from an authorization, and its handler.</summary>
internal sealed record OpenChallenge(Uri AuthorizationUrl, ChallengeStatus Status, ChallengeContext Context, IChallengeHandler Handler);
