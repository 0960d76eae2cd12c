using KestrelAcme.Configuration.Names;
using KestrelAcme.Configuration.Snapshot;

namespace KestrelAcme.Configuration.Rules;

/// <summary>Whether a name, however it came to be wanted, can get a certificate here.</summary>
internal static class DomainNameRules
{
    /// <summary>The two challenge types that connect to the name itself, and so can prove no wildcard.</summary>
    private static readonly string[] ConnectingTypes = ["http-01", "tls-alpn-01"];

    /// <summary>Parses a name that came at run time and checks it against what is configured.</summary>
    public static NameResult Check(string? text, ConfigurationSnapshot snapshot)
        => Check(text, snapshot.ChallengeTypes, OnlyPublic(snapshot.Authorities), MayPreApprove(snapshot.Authorities));

    /// <summary>Parses a name and checks it against the challenge types it may be proved with and the authorities it may be ordered from.</summary>
    /// <param name="text">The name.</param>
    /// <param name="challengeTypes">The challenge types.</param>
    /// <param name="onlyPublicAuthorities">Whether names that are not public have nowhere to go.</param>
    /// <param name="mayPreApprove">Whether an authority may know beforehand that a wildcard is its customer's, so that no challenge is
    /// needed.</param>
    public static NameResult Check(
        string? text, IReadOnlyCollection<string> challengeTypes, bool onlyPublicAuthorities, bool mayPreApprove = false)
    {
        var result = DomainNameParser.Parse(text);
        return !result.IsSuccess ? result
            : RefuseByChallenge(result.Identifier, challengeTypes, mayPreApprove)
            ?? (onlyPublicAuthorities ? PublicNameRules.Refuse(result.Identifier) : null)
            ?? result;
    }

    /// <summary>Whether a name that is not public has nowhere to go.</summary>
    public static bool OnlyPublic(IReadOnlyCollection<AuthoritySpecification> authorities)
        => authorities.Count > 0 && authorities.All(authority => authority.IsPublic);

    /// <summary>
    /// Whether one of the authorities may issue without any challenge, as AWS Certificate Manager does: none of the known public ones does.
    /// </summary>
    public static bool MayPreApprove(IReadOnlyCollection<AuthoritySpecification> authorities)
        => authorities.Any(authority => !authority.IsPublic);

    /// <summary>Whether a name is a wildcard that none of the challenge types can prove.</summary>
    public static bool NeedsPreApproval(CertificateIdentifier identifier, IReadOnlyCollection<string> challengeTypes)
        => identifier.IsWildcard && challengeTypes.All(type => ConnectingTypes.Contains(type));

    private static NameResult? RefuseByChallenge(
        CertificateIdentifier identifier, IReadOnlyCollection<string> challengeTypes, bool mayPreApprove)
        => !mayPreApprove && NeedsPreApproval(identifier, challengeTypes)
            ? NameResult.Failure("is a wildcard, which only a DNS challenge can prove", "Add 'dns-01' to ChallengeTypes, or name the hosts one by one")
        : identifier.Kind == IdentifierKind.Ip && challengeTypes.All(IsDns)
            ? NameResult.Failure("is an IP address, which no DNS challenge can prove", "Add 'http-01' or 'tls-alpn-01' to ChallengeTypes")
        : null;

    private static bool IsDns(string challengeType) => challengeType.StartsWith("dns-", StringComparison.Ordinal);
}
