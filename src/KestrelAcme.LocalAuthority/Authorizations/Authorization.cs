using System.Collections.Immutable;
using System.Security.Cryptography;
using KestrelAcme.LocalAuthority.Identifiers;
using KestrelAcme.LocalAuthority.Jose;
using KestrelAcme.LocalAuthority.Problems;
using KestrelAcme.LocalAuthority.Requests;

namespace KestrelAcme.LocalAuthority.Authorizations;

/// <summary>
/// An authorization (RFC 8555 section 7.1.4) with its transitions (section 7.1.6). Immutable; the transitions have no
/// side effects.
/// </summary>
/// <param name="Id">The last segment of its URL.</param>
/// <param name="AccountId">The account that may use it.</param>
/// <param name="Identifier">The identifier; for a wildcard, the name without <c>*.</c>.</param>
/// <param name="Wildcard">Whether the order requested the wildcard of the name.</param>
/// <param name="Expires">When the authorization expires.</param>
internal sealed record Authorization(string Id, string AccountId, Identifier Identifier, bool Wildcard, DateTimeOffset Expires)
{
    public AuthorizationStatus Status { get; init; } = AuthorizationStatus.Pending;

    public ImmutableArray<Challenge> Challenges { get; init; } = [];

    public static Authorization Create(
        string accountId,
        Identifier asked,
        ISet<string> offered,
        IReadOnlyList<string> issuers,
        string? hashPrefix,
        DateTimeOffset expires)
    {
        var wildcard = asked.Type == Identifier.Dns && asked.Value.StartsWith("*.", StringComparison.Ordinal);
        var identifier = wildcard ? Identifier.OfName(asked.Value[2..]) : asked;
        var challenges = ChallengeTypes.For(identifier, wildcard)
            .Where(offered.Contains)
            .Select(type => new Challenge(ResourceId.Create(), type, Base64UrlText.Encode(RandomNumberGenerator.GetBytes(32)))
            {
                IssuerDomainNames = type == ChallengeTypes.DnsPersist01 ? issuers : null,
                AccountHashPrefix = type == ChallengeTypes.DnsPersist01 ? hashPrefix : null,
            });
        return new Authorization(ResourceId.Create(), accountId, identifier, wildcard, expires) { Challenges = [.. challenges] };
    }

    public bool Covers(string accountId, Identifier asked) =>
        AccountId == accountId && (Wildcard ? "*." + Identifier.Value : Identifier.Value) == asked.Value && Identifier.Type == asked.Type;

    public AuthorizationStatus StatusAt(DateTimeOffset now) =>
        Status is AuthorizationStatus.Pending or AuthorizationStatus.Valid && now >= Expires ? AuthorizationStatus.Expired : Status;

    public Challenge? FindChallenge(string id) => Challenges.FirstOrDefault(c => c.Id == id);

    /// <summary>Starts validation because the client is ready. Changes nothing if it was already started.</summary>
    public Authorization Begin(string challengeId, DateTimeOffset now) =>
        StatusAt(now) == AuthorizationStatus.Pending && FindChallenge(challengeId) is { Status: ChallengeStatus.Pending } challenge
            ? With(challenge with { Status = ChallengeStatus.Processing })
            : this;

    public Authorization Succeed(string challengeId, DateTimeOffset now, DateTimeOffset expires) =>
        Status == AuthorizationStatus.Pending && FindChallenge(challengeId) is { Status: ChallengeStatus.Processing } challenge
            ? With(challenge with { Status = ChallengeStatus.Valid, Validated = now }) with
            {
                Status = AuthorizationStatus.Valid,
                Expires = expires,
            }
            : this;

    /// <summary>A failed challenge makes the whole authorization invalid: the client has to place a new order.</summary>
    public Authorization Fail(string challengeId, Problem error) =>
        Status == AuthorizationStatus.Pending && FindChallenge(challengeId) is { Status: ChallengeStatus.Processing } challenge
            ? With(challenge with { Status = ChallengeStatus.Invalid, Error = error }) with { Status = AuthorizationStatus.Invalid }
            : this;

    public Authorization Deactivate() =>
        Status is AuthorizationStatus.Pending or AuthorizationStatus.Valid
            ? this with { Status = AuthorizationStatus.Deactivated }
            : this;

    private Authorization With(Challenge challenge) =>
        this with { Challenges = [.. Challenges.Select(c => c.Id == challenge.Id ? challenge : c)] };
}

/// <summary>
/// The status of an authorization (RFC 8555 section 7.1.6). <see cref="Expired"/> is never stored: it depends on the
/// time.
/// </summary>
internal enum AuthorizationStatus
{
    Pending,
    Valid,
    Invalid,
    Deactivated,
    Expired,
}
