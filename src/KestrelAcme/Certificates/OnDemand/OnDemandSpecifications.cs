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

/// <summary>What became of a name that a client asked for.</summary>
internal enum OnDemandResult
{
    /// <summary>It gets no certificate: it is denied, or over a limit.</summary>
    Refused,

    /// <summary>It is allowed, but there is no certificate yet.</summary>
    Missing,

    /// <summary>It is served.</summary>
    Served,
}

/// <summary>Decides whose certificate serves a name. Pure.</summary>
internal static class OnDemandSubject
{
    /// <summary>With these, no name is refused because of its challenge.</summary>
    public static IReadOnlyCollection<string> AnyChallenge { get; } = ["http-01", "dns-01"];

    /// <returns>The name of the certificate, or why there is none.</returns>
    public static (CertificateIdentifier? Subject, string? Refusal) Of(string name, ConfigurationSnapshot snapshot)
    {
        // The permission may bring other challenge types; the rules of those apply when the certificate is specified.
        var result = DomainNameRules.Check(
            name, AnyChallenge, DomainNameRules.OnlyPublic(snapshot.Authorities), DomainNameRules.MayPreApprove(snapshot.Authorities));
        return result.IsSuccess
            ? (snapshot.OnDemand!.SubjectMapping.FirstOrDefault(wildcard => Covers(wildcard, name)) ?? result.Identifier, null)
            : (null, result.Reason);
    }

    /// <summary>Whether the certificate of a known name is the one that a decision about a name asks for.</summary>
    /// <remarks>
    /// The settings of a wildcard are those of its first client: the next one must not change them for all. Those of a group change only
    /// with the name that it was created for.
    /// </remarks>
    public static bool IsServedBy(OnDemandName known, string subject, OnDemandCertificate? wanted)
        => known.Record.Name == subject
            ? subject.StartsWith("*.", StringComparison.Ordinal) || known.Record.HasSameSettingsAs(known.Record.With(wanted))
            : wanted is not { DomainNames.Count: > 1 } || wanted.DomainNames.All(known.Names.Contains);

    private static bool Covers(CertificateIdentifier wildcard, string name)
        => name.IndexOf('.', StringComparison.Ordinal) is > 0 and var dot && name.AsSpan(dot + 1).SequenceEqual(wildcard.BaseValue);
}
