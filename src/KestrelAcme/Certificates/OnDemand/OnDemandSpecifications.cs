using KestrelAcme.Certificates.Persistence;
using KestrelAcme.Configuration;
using KestrelAcme.Configuration.Names;
using KestrelAcme.Configuration.Rules;
using KestrelAcme.Configuration.Snapshot;
using KestrelAcme.Diagnostics;

namespace KestrelAcme.Certificates.OnDemand;

/// <summary>Decides which certificates a name on demand gets. Pure.</summary>
internal static class OnDemandSpecifications
{
    private const int MaxNames = 100;

    /// <returns>The certificates, or why there are none.</returns>
    public static (IReadOnlyList<CertificateSpecification> Certificates, string? Refusal) Create(
        OnDemandRecord record, ConfigurationSnapshot snapshot)
    {
        var demand = snapshot.OnDemand!;
        EquatableArray<string> types = record.ChallengeTypes is { Count: > 0 } own ? [.. own] : snapshot.ChallengeTypes;
        var authority = record.DirectoryUrl is { } url ? Find(url, snapshot) : null;
        if (record.DirectoryUrl is not null && authority is null)
        {
            return ([], $"the CA {QuotedText.Of(record.DirectoryUrl, QuotedText.MaxNameLength)} is not configured");
        }

        IReadOnlyList<string> texts = record.Names is { Count: > 0 } several ? several : [record.Name];
        if (texts.Count > MaxNames || !texts.Contains(record.Name))
        {
            return ([], texts.Count > MaxNames ? $"it has more than {MaxNames} names" : "the name itself is not among its names");
        }

        var names = new List<CertificateIdentifier>(texts.Count);
        IReadOnlyList<AuthoritySpecification> authorities = authority is null ? snapshot.Authorities : [authority];
        foreach (var text in texts)
        {
            var result = DomainNameRules.Check(
                text, types, DomainNameRules.OnlyPublic(authorities), DomainNameRules.MayPreApprove(authorities));
            if (!result.IsSuccess)
            {
                return ([], $"'{QuotedText.Of(text, QuotedText.MaxNameLength)}' {result.Reason}");
            }

            if (result.Identifier is { IsWildcard: true } && !demand.AllowWildcards)
            {
                return ([], "it is a wildcard, and OnDemand:AllowWildcards is not set");
            }

            if (result.Identifier is { Kind: IdentifierKind.Ip } && !demand.AllowIpAddresses)
            {
                return ([], "it is an IP address, and OnDemand:AllowIpAddresses is not set");
            }

            if (!names.Contains(result.Identifier))
            {
                names.Add(result.Identifier);
            }
        }

        IReadOnlyList<KeyAlgorithm> algorithms
            = record.KeyAlgorithms is { Count: > 0 } keys ? [.. keys.Distinct()] : snapshot.KeyAlgorithms;
        return ([.. algorithms.Select(algorithm => new CertificateSpecification
        {
            Id = CertificateId.Of(names, algorithm),
            Identifiers = [.. names],
            KeyAlgorithm = algorithm,
            Profile = record.Profile,
            PreferredChain = record.PreferredChain,
            ChallengeTypes = types,
            IsOnDemand = true,
            AuthorityId = authority?.Id,
        })], null);
    }

    private static AuthoritySpecification? Find(string url, ConfigurationSnapshot snapshot)
        => snapshot.Authorities.FirstOrDefault(
            a => a.DirectoryUrl.AbsoluteUri == url
                || a.DirectoryUrl.OriginalString == url
                || string.Equals(a.DisplayName, url, StringComparison.OrdinalIgnoreCase));
}
