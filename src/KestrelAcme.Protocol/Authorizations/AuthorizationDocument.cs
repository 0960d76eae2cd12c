using KestrelAcme.Protocol.Challenges;
using KestrelAcme.Protocol.Identifiers;

namespace KestrelAcme.Protocol.Authorizations;

/// <summary>An authorization as it is on the wire (RFC 8555 section 7.1.4).</summary>
internal sealed class AuthorizationDocument
{
    public string? Status { get; init; }

    public string? Expires { get; init; }

    public IdentifierDocument? Identifier { get; init; }

    public IReadOnlyList<ChallengeDocument?>? Challenges { get; init; }

    public bool? Wildcard { get; init; }
}
