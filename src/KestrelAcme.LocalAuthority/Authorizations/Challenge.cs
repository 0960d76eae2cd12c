using KestrelAcme.LocalAuthority.Identifiers;
using KestrelAcme.LocalAuthority.Problems;

namespace KestrelAcme.LocalAuthority.Authorizations;

/// <summary>A challenge of an authorization (RFC 8555 section 8). Immutable.</summary>
internal sealed record Challenge(string Id, string Type, string Token)
{
    public ChallengeStatus Status { get; init; } = ChallengeStatus.Pending;

    public DateTimeOffset? Validated { get; init; }

    public Problem? Error { get; init; }

    /// <summary>The names that may identify the CA in a dns-persist-01 record; null for all other types.</summary>
    public IReadOnlyList<string>? IssuerDomainNames { get; init; }

    /// <summary>The prefix of the account URI in a dns-persist-01 record; null in draft -01.</summary>
    public string? AccountHashPrefix { get; init; }
}

/// <summary>The status of a challenge (RFC 8555 section 7.1.6).</summary>
internal enum ChallengeStatus
{
    Pending,
    Processing,
    Valid,
    Invalid,
}

/// <summary>Selects the challenge types that can prove an identifier. Stateless.</summary>
internal static class ChallengeTypes
{
    public const string Http01 = "http-01";
    public const string TlsAlpn01 = "tls-alpn-01";
    public const string Dns01 = "dns-01";
    public const string DnsAccount01 = "dns-account-01";
    public const string DnsPersist01 = "dns-persist-01";

    public static IReadOnlyList<string> For(Identifier identifier, bool wildcard) => (identifier.Type, wildcard) switch
    {
        (Identifier.Ip, _) => [Http01, TlsAlpn01],
        (_, true) => [Dns01, DnsAccount01, DnsPersist01],
        _ => [Http01, TlsAlpn01, Dns01, DnsAccount01, DnsPersist01],
    };
}
