using KestrelAcme.Configuration.Names;
using KestrelAcme.Configuration.Snapshot;

namespace KestrelAcme.Configuration.Rules;

/// <summary>Decides whether a name, from any source, can get a certificate with this configuration.</summary>
internal static class DomainNameRules
{
    /// <summary>The challenge types that connect to the name itself, and so cannot prove control of a wildcard.</summary>
    private static readonly string[] ConnectingTypes = ["http-01", "tls-alpn-01"];

    /// <summary>Parses a name that the application adds at run time and checks it against the configuration.</summary>
    public static NameResult Check(string? text, ConfigurationSnapshot snapshot)
        => Check(text, snapshot.ChallengeTypes, OnlyPublic(snapshot.Authorities), MayPreApprove(snapshot.Authorities));

    /// <summary>Checks a name from the store or from a domain source against the configuration.</summary>
    /// <returns>A failure, or <see langword="null"/> if the name can get a certificate.</returns>
    public static NameResult? Refuse(CertificateIdentifier identifier, ConfigurationSnapshot snapshot)
        => Refuse(identifier, snapshot.ChallengeTypes, OnlyPublic(snapshot.Authorities), MayPreApprove(snapshot.Authorities));

    /// <summary>Parses a name and checks it against its challenge types and against the rules of the CAs.</summary>
    /// <param name="text">The name.</param>
    /// <param name="challengeTypes">The challenge types.</param>
    /// <param name="onlyPublicAuthorities">Whether all CAs are public, so that no CA issues for private names.</param>
    /// <param name="mayPreApprove">Whether a CA may have authorized the account in advance, so that a wildcard needs no challenge.</param>
    public static NameResult Check(
        string? text, IReadOnlyCollection<string> challengeTypes, bool onlyPublicAuthorities, bool mayPreApprove = false)
    {
        var result = DomainNameParser.Parse(text);
        return result.IsSuccess ? Refuse(result.Identifier, challengeTypes, onlyPublicAuthorities, mayPreApprove) ?? result : result;
    }

    /// <summary>Whether all CAs are public, so that no CA issues for private names.</summary>
    public static bool OnlyPublic(IReadOnlyCollection<AuthoritySpecification> authorities)
        => authorities.Count > 0 && authorities.All(authority => authority.IsPublic);

    /// <summary>
    /// Whether one of the CAs may issue without a challenge, as AWS Certificate Manager does. None of the well-known public CAs does.
    /// </summary>
    public static bool MayPreApprove(IReadOnlyCollection<AuthoritySpecification> authorities)
        => authorities.Any(authority => !authority.IsPublic);

    /// <summary>Whether a name is a wildcard, and none of the challenge types can prove control of it.</summary>
    public static bool NeedsPreApproval(CertificateIdentifier identifier, IReadOnlyCollection<string> challengeTypes)
        => identifier.IsWildcard && challengeTypes.All(type => ConnectingTypes.Contains(type));

    private static NameResult? Refuse(
        CertificateIdentifier identifier, IReadOnlyCollection<string> challengeTypes, bool onlyPublicAuthorities, bool mayPreApprove)
        => RefuseByChallenge(identifier, challengeTypes, mayPreApprove)
            ?? (onlyPublicAuthorities ? PublicNameRules.Refuse(identifier) : null);

    private static NameResult? RefuseByChallenge(
        CertificateIdentifier identifier, IReadOnlyCollection<string> challengeTypes, bool mayPreApprove)
        => !mayPreApprove && NeedsPreApproval(identifier, challengeTypes)
            ? NameResult.Failure(
                "is a wildcard, which only a DNS challenge can validate", "Add 'dns-01' to ChallengeTypes, or list the hosts one by one")
        : identifier.Kind == IdentifierKind.Ip && challengeTypes.All(IsDns)
            ? NameResult.Failure(
                "is an IP address, which no DNS challenge can validate", "Add 'http-01' or 'tls-alpn-01' to ChallengeTypes")
        : null;

    private static bool IsDns(string challengeType) => challengeType.StartsWith("dns-", StringComparison.Ordinal);
}

/// <summary>Checks which certificates clients get that send no server name.</summary>
internal static class LocalNameRules
{
    /// <summary>Reads the default server name; returns <see langword="null"/> if there is none, or after a problem.</summary>
    public static CertificateIdentifier? DefaultServerName(string? text, string key, ProblemList problems)
        => ScalarRules.NullIfEmpty(text) is { } name ? Name(name, key, problems) : null;

    /// <summary>Reads the map from local addresses to names.</summary>
    public static EquatableArray<LocalAddressName> LocalAddresses(IDictionary<string, string>? map, string key, ProblemList problems)
    {
        var entries = new List<LocalAddressName>();
        foreach (var (written, name) in map ?? new Dictionary<string, string>())
        {
            var entryKey = $"{key}:{written}";
            if (!IpAddressParser.TryParse(written, out var address))
            {
                problems.Add(
                    entryKey, name, "has a key that is not an IP address", "Write the local IP address as the key, the name as the value");
            }
            else if (entries.Exists(entry => entry.Address.Equals(address)))
            {
                problems.Add(entryKey, name, "is for an address that is listed twice", "Remove one of them");
            }
            else if (Name(name, entryKey, problems) is { } identifier)
            {
                entries.Add(new LocalAddressName(address, identifier));
            }
        }

        return EquatableArray.From(entries.OrderBy(entry => entry.Address.ToString(), StringComparer.Ordinal));
    }

    private static CertificateIdentifier? Name(string? text, string key, ProblemList problems)
    {
        var result = DomainNameParser.Parse(text);
        if (!result.IsSuccess)
        {
            problems.Add(key, text, result.Reason, result.Fix);
        }

        return result.Identifier;
    }
}
